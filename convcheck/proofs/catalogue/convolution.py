"""Convolution on groups: what holds for integral, infinite, circular and n-D convolution at once.

G is any locally compact abelian group (R: integrals; Z: sequences; Zn: circular; Z^2: images), D a
discrete one. conv(f,g)(t) = S(s,G,f(s)*g(t-s)); corr(f,g)(t) = S(s,G,f(t+s)*g(s)), which is what
a framework's convolution layer computes with input f and weight g.
"""

from __future__ import annotations

from convcheck.proofs.theorem import Sibling, Theorem, chain, step

TWO = {"f": "G->K", "g": "G->K", "t": "G"}
THREE = {**TWO, "h": "G->K"}
TRIPLE = "summable(S(u,G,S(s,G,f(s)*g(u-s)*h(t-u))))"

THEOREMS = (
    Theorem(
        name="convolution_commutes",
        title="Convolution commutes",
        topic="convolution",
        says="f * g = g * f for any two functions on any abelian group: real line, integers, "
        "circle, images. Where one side diverges, so does the other.",
        variables=TWO,
        statement="S(s,G,f(s)*g(t-s)) = S(s,G,g(s)*f(t-s))",
        proof=chain(
            step("reindex", "= S(u,G,f(t-u)*g(u))", "s = t - u runs through G once", s="t-u"),
            step("ring", "= S(s,G,g(s)*f(t-s))", "values commute; u renamed to s"),
        ),
        siblings=(
            Sibling(
                statement="S(s,G,f(s)*g(t-s)) = S(s,G,g(s)*f(t+s))",
                says="the sign of the shift is lost",
            ),
            Sibling(
                statement="S(s,G,f(t+s)*g(s)) = S(s,G,g(t+s)*f(s))",
                says="correlation commutes",
            ),
        ),
        source="notes, definition of convolution; any text on harmonic analysis",
    ),
    Theorem(
        name="convolution_commutes_as_in_the_notes",
        title="Convolution commutes, as the notes derive it",
        topic="convolution",
        says="The same on the real line, with the notes' reversed limits and d(t - u).",
        variables={"f": "R->K", "g": "R->K", "t": "R"},
        statement="S(s,R,f(s)*g(t-s)) = S(s,R,g(s)*f(t-s))",
        proof=chain(
            step(
                "reindex",
                "= L(u,inf,-inf,t-u,f(t-u)*g(u))",
                "s = t - u: the limits change places, ds = d(t - u)",
                s="t-u",
            ),
            step("ring", "= L(u,inf,-inf,t-u,f(t-u)*g(u))", "a product written with a dot"),
            step("ring", "= S(u,R,f(t-u)*g(u))", "d(t - u) = -du; swapped limits give -1 again"),
            step("ring", "= S(s,R,g(s)*f(t-s))", "values commute; u renamed to s"),
        ),
        siblings=(
            Sibling(
                statement="S(s,R,f(s)*g(t-s)) = -S(s,R,g(s)*f(t-s))",
                says="only one of the two signs is counted",
            ),
        ),
        source="notes, proof of f * g = g * f",
    ),
    Theorem(
        name="convolution_associates",
        title="Convolution associates",
        topic="convolution",
        says="(f * g) * h = f * (g * h) where the double sum converges absolutely; otherwise the "
        "two sides may both exist and differ.",
        variables=THREE,
        hypotheses=(TRIPLE,),
        statement="S(u,G,S(s,G,f(s)*g(u-s))*h(t-u)) = S(s,G,f(s)*S(r,G,g(r)*h(t-s-r)))",
        proof=chain(
            step("ring", "= S(u,G,S(s,G,f(s)*g(u-s)*h(t-u)))", "h(t - u) does not depend on s"),
            step("swap", "= S(s,G,S(u,G,f(s)*g(u-s)*h(t-u)))", "Fubini", u="s"),
            step("reindex", "= S(s,G,S(r,G,f(s)*g(r)*h(t-s-r)))", "u = r + s", u="r+s"),
            step("ring", "= S(s,G,f(s)*S(r,G,g(r)*h(t-s-r)))", "f(s) does not depend on r"),
        ),
        siblings=(
            Sibling(
                statement="S(u,G,S(s,G,f(u+s)*g(s))*h(t+u)) = S(s,G,f(t+s)*S(r,G,g(s+r)*h(r)))",
                says="correlation associates",
            ),
        ),
        source="Rudin, Fourier Analysis on Groups, 1.1.6",
    ),
    Theorem(
        name="circular_convolution_associates",
        title="Circular convolution associates",
        topic="convolution",
        says="On the integers modulo n every sum is finite, and nothing need be assumed.",
        variables={"f": "Zn->K", "g": "Zn->K", "h": "Zn->K", "t": "Zn"},
        statement="S(u,Zn,S(s,Zn,f(s)*g(u-s))*h(t-u)) = S(s,Zn,f(s)*S(r,Zn,g(r)*h(t-s-r)))",
        proof=chain(
            step("ring", "= S(u,Zn,S(s,Zn,f(s)*g(u-s)*h(t-u)))", "h(t - u) does not depend on s"),
            step(
                "swap", "= S(s,Zn,S(u,Zn,f(s)*g(u-s)*h(t-u)))", "finite sums change places", u="s"
            ),
            step("reindex", "= S(s,Zn,f(s)*S(r,Zn,g(r)*h(t-s-r)))", "u = r + s", u="r+s"),
        ),
        siblings=(
            Sibling(
                statement="S(u,Zn,S(s,Zn,f(s)*g(u-s))*h(t-u)) = S(s,Zn,f(s)*S(r,Zn,g(r)*h(t-s+r)))",
                says="one shift has the wrong sign",
            ),
        ),
        source="Oppenheim and Schafer, Discrete-Time Signal Processing, 8.6",
    ),
    Theorem(
        name="convolution_distributes",
        title="Convolution distributes over addition",
        topic="convolution",
        says="f * (g + h) = f * g + f * h where both terms exist.",
        variables=THREE,
        hypotheses=("exists(S(s,G,f(s)*g(t-s)))", "exists(S(s,G,f(s)*h(t-s)))"),
        statement="S(s,G,f(s)*(g(t-s)+h(t-s))) = S(s,G,f(s)*g(t-s)) + S(s,G,f(s)*h(t-s))",
        proof=chain(
            step("ring", "= S(s,G,f(s)*g(t-s) + f(s)*h(t-s))", "multiplied out"),
            step("split", "= S(s,G,f(s)*g(t-s)) + S(s,G,f(s)*h(t-s))", "both sums exist", s=""),
        ),
        siblings=(
            Sibling(
                statement="S(s,G,f(s)*(g(t-s)*h(t-s))) = S(s,G,f(s)*g(t-s)) * S(s,G,f(s)*h(t-s))",
                says="it distributes over products",
            ),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="convolution_is_homogeneous",
        title="A scalar moves through a convolution",
        topic="convolution",
        says="(c f) * g = c (f * g) = f * (c g).",
        variables={**TWO, "c": "K"},
        statement="S(s,G,(c*f(s))*g(t-s)) = S(s,G,f(s)*(c*g(t-s)))",
        proof=chain(step("ring", "= c*S(s,G,f(s)*g(t-s))", "c does not depend on s")),
        siblings=(
            Sibling(
                statement="S(s,G,(c*f(s))*(c*g(t-s))) = c*S(s,G,f(s)*g(t-s))",
                says="c counted once instead of twice",
            ),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="delta_is_the_unit",
        title="The unit impulse is the unit",
        topic="convolution",
        says="delta * f = f on a discrete group; on the real line no function does this.",
        variables={"f": "D->K", "t": "D"},
        statement="S(s,D,delta(s,0)*f(t-s)) = f(t)",
        proof=chain(step("sift", "= f(t)", "only s = 0 contributes", s="0")),
        siblings=(
            Sibling(statement="S(s,D,delta(s,t)*f(t-s)) = f(t)", says="the impulse stands at t"),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="a_shifted_impulse_shifts",
        title="Convolving with a shifted impulse shifts",
        topic="convolution",
        says="delta_a * f is f moved by +a.",
        variables={"f": "D->K", "t": "D", "a": "D"},
        statement="S(s,D,delta(s,a)*f(t-s)) = f(t-a)",
        proof=chain(step("sift", "= f(t-a)", "only s = a contributes", s="a")),
        siblings=(
            Sibling(statement="S(s,D,delta(s,a)*f(t-s)) = f(t+a)", says="moved the other way"),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="correlating_with_a_shifted_impulse",
        title="Correlating with a shifted impulse shifts back",
        topic="convolution",
        says="A layer whose only weight stands at offset a reads the input at t + a.",
        variables={"f": "D->K", "t": "D", "a": "D"},
        statement="S(s,D,f(t+s)*delta(s,a)) = f(t+a)",
        proof=chain(step("sift", "= f(t+a)", "only s = a contributes", s="a")),
        siblings=(
            Sibling(statement="S(s,D,f(t+s)*delta(s,a)) = f(t-a)", says="as if it convolved"),
        ),
        source="torch.nn.Conv1d",
    ),
    Theorem(
        name="convolution_commutes_with_shifts",
        title="Shifting a factor shifts the convolution",
        topic="convolution",
        says="Convolution is translation equivariant: the reason why a kernel can be shared.",
        variables={**TWO, "a": "G"},
        statement="S(s,G,f(s-a)*g(t-s)) = S(s,G,f(s)*g(t-a-s))",
        proof=chain(
            step("reindex", "= S(u,G,f(u)*g(t-u-a))", "s = u + a", s="u+a"),
            step("ring", "= S(s,G,f(s)*g(t-a-s))", "u renamed to s"),
        ),
        siblings=(
            Sibling(
                statement="S(s,G,f(s-a)*g(t-s)) = S(s,G,f(s)*g(t+a-s))",
                says="shifted the other way",
            ),
        ),
        source="Goodfellow et al., Deep Learning, 9.2",
    ),
    Theorem(
        name="convolution_of_reversed_functions",
        title="Reversing both factors reverses the convolution",
        topic="convolution",
        says="Flipping both gives the flipped result; flipping one does not.",
        variables=TWO,
        statement="S(s,G,f(-s)*g(-(t-s))) = S(s,G,f(s)*g(-t-s))",
        proof=chain(
            step("reindex", "= S(u,G,f(u)*g(-t-u))", "s = -u", s="-u"),
            step("ring", "= S(s,G,f(s)*g(-t-s))", "u renamed to s"),
        ),
        siblings=(
            Sibling(
                statement="S(s,G,f(-s)*g(t-s)) = S(s,G,f(s)*g(-t-s))",
                says="one factor flipped",
            ),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="correlation_is_convolution_with_the_flipped_kernel",
        title="Correlation is convolution with the flipped kernel",
        topic="convolution",
        says="corr(f, g) = f * flip(g): what a layer learns is the flipped kernel.",
        variables=TWO,
        statement="S(s,G,f(t+s)*g(s)) = S(s,G,f(s)*g(-(t-s)))",
        proof=chain(
            step("reindex", "= S(u,G,f(u)*g(u-t))", "s = u - t", s="u-t"),
            step("ring", "= S(s,G,f(s)*g(-(t-s)))", "u renamed to s"),
        ),
        siblings=(
            Sibling(
                statement="S(s,G,f(t+s)*g(s)) = S(s,G,f(s)*g(t-s))",
                says="correlation is convolution",
            ),
        ),
        source="notes, convolution on images; Goodfellow et al., Deep Learning, 9.1",
    ),
    Theorem(
        name="correlation_is_reversed",
        title="Exchanging the arguments reverses a correlation",
        topic="convolution",
        says="corr(f, g)(t) = corr(g, f)(-t): the layer's operation does not commute.",
        variables=TWO,
        statement="S(s,G,f(t+s)*g(s)) = S(s,G,g(-t+s)*f(s))",
        proof=chain(
            step("reindex", "= S(u,G,f(u)*g(u-t))", "s = u - t", s="u-t"),
            step("ring", "= S(s,G,g(-t+s)*f(s))", "values commute; u renamed to s"),
        ),
        siblings=(
            Sibling(
                statement="S(s,G,f(t+s)*g(s)) = S(s,G,g(t+s)*f(s))", says="correlation commutes"
            ),
        ),
        source="notes, convolution on images",
    ),
    Theorem(
        name="even_functions_convolve_to_an_even_one",
        title="The convolution of even functions is even",
        topic="convolution",
        says="With a symmetric kernel, convolution and correlation agree.",
        variables=TWO,
        hypotheses=("all(x,G,f(-x) = f(x))", "all(x,G,g(-x) = g(x))"),
        statement="S(s,G,f(s)*g(-t-s)) = S(s,G,f(s)*g(t-s))",
        proof=chain(
            step("reindex", "= S(u,G,f(-u)*g(-(t-u)))", "s = -u", s="-u"),
            step(
                "given",
                "= S(u,G,f(u)*g(-(t-u)))",
                "f is even",
                hypothesis="all(x,G,f(-x) = f(x))",
                at="u",
            ),
            step(
                "given",
                "= S(u,G,f(u)*g(t-u))",
                "g is even",
                hypothesis="all(x,G,g(-x) = g(x))",
                at="t-u",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(s,G,f(s)*g(-t-s)) = -S(s,G,f(s)*g(t-s))", says="even is taken for odd"
            ),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="the_total_of_a_convolution",
        title="The total of a convolution is the product of the totals",
        topic="convolution",
        says="A kernel that sums to 1 keeps the mean of an image.",
        variables={"f": "G->K", "g": "G->K"},
        hypotheses=("summable(S(t,G,S(s,G,f(s)*g(t-s))))",),
        statement="S(t,G,S(s,G,f(s)*g(t-s))) = S(s,G,f(s))*S(r,G,g(r))",
        proof=chain(
            step("swap", "= S(s,G,S(t,G,f(s)*g(t-s)))", "Fubini", t="s"),
            step("reindex", "= S(s,G,S(r,G,f(s)*g(r)))", "t = r + s", t="r+s"),
            step("ring", "= S(s,G,f(s))*S(r,G,g(r))", "the inner sum does not depend on s"),
        ),
        siblings=(
            Sibling(
                statement="S(t,G,S(s,G,f(s)*g(t-s))) = S(s,G,f(s)*g(s))",
                says="taken for the inner product",
            ),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="image_convolution_commutes",
        title="Convolution of images commutes",
        topic="convolution",
        says="The two-dimensional sum, written out.",
        variables={"f": "Z,Z->K", "g": "Z,Z->K", "m": "Z", "n": "Z"},
        statement="S(a,Z,S(b,Z,f(a,b)*g(m-a,n-b))) = S(a,Z,S(b,Z,g(a,b)*f(m-a,n-b)))",
        proof=chain(
            step("reindex", "= S(a,Z,S(v,Z,f(a,n-v)*g(m-a,v)))", "b = n - v", b="n-v"),
            step("reindex", "= S(u,Z,S(v,Z,f(m-u,n-v)*g(u,v)))", "a = m - u", a="m-u"),
        ),
        siblings=(
            Sibling(
                statement="S(a,Z,S(b,Z,f(a,b)*g(m-a,n-b))) = S(a,Z,S(b,Z,g(a,b)*f(n-a,m-b)))",
                says="rows and columns exchanged",
            ),
        ),
        source="Gonzalez and Woods, Digital Image Processing, 3.4",
    ),
    Theorem(
        name="volume_convolution_commutes",
        title="Convolution of volumes commutes",
        topic="convolution",
        says="Three axes, one after the other; more go the same way.",
        variables={"f": "D,D,D->K", "g": "D,D,D->K", "l": "D", "m": "D", "n": "D"},
        statement="S(a,D,S(b,D,S(c,D,f(a,b,c)*g(l-a,m-b,n-c)))) = "
        "S(a,D,S(b,D,S(c,D,g(a,b,c)*f(l-a,m-b,n-c))))",
        proof=chain(
            step(
                "reindex",
                "= S(a,D,S(b,D,S(w,D,f(a,b,n-w)*g(l-a,m-b,w))))",
                "c = n - w",
                c="n-w",
            ),
            step(
                "reindex",
                "= S(a,D,S(v,D,S(w,D,f(a,m-v,n-w)*g(l-a,v,w))))",
                "b = m - v",
                b="m-v",
            ),
            step(
                "reindex",
                "= S(u,D,S(v,D,S(w,D,f(l-u,m-v,n-w)*g(u,v,w))))",
                "a = l - u",
                a="l-u",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(a,D,S(b,D,S(c,D,f(a,b,c)*g(l-a,m-b,n-c)))) = "
                "S(a,D,S(b,D,S(c,D,g(a,b,c)*f(l-a,m-b,n+c))))",
                says="one axis correlates",
            ),
        ),
        source="torch.nn.Conv3d",
    ),
)
