"""Characters turn convolution into products: Fourier transform, DTFT, and the DFT of every length.

chi is any character of the group: chi(a+b) = chi(a) chi(b), and chi(-a) is the conjugate of chi(a).
"""

from __future__ import annotations

from convcheck.proofs.theorem import Sibling, Theorem, chain, step

FOURIER = "summable(S(t,G,S(s,G,f(s)*g(t-s)*chi(t))))"

THEOREMS = (
    Theorem(
        name="convolution_theorem",
        title="The convolution theorem, for every character",
        topic="fourier",
        says="A character turns convolution into a product: Fourier transform, DTFT and DFT.",
        variables={"f": "G->K", "g": "G->K", "chi": "G->char"},
        hypotheses=(FOURIER,),
        statement="S(t,G,S(s,G,f(s)*g(t-s))*chi(t)) = S(s,G,f(s)*chi(s))*S(r,G,g(r)*chi(r))",
        proof=chain(
            step("ring", "= S(t,G,S(s,G,f(s)*g(t-s)*chi(t)))", "chi(t) does not depend on s"),
            step("swap", "= S(s,G,S(t,G,f(s)*g(t-s)*chi(t)))", "Fubini", t="s"),
            step("reindex", "= S(s,G,S(r,G,f(s)*g(r)*chi(r+s)))", "t = r + s", t="r+s"),
            step("ring", "= S(s,G,f(s)*chi(s))*S(r,G,g(r)*chi(r))", "chi(r+s) = chi(r) chi(s)"),
        ),
        siblings=(
            Sibling(
                statement="S(t,G,S(s,G,f(s)*g(t-s))*chi(t)) = "
                "S(s,G,f(s)*chi(s))*S(r,G,g(r)*chi(-r))",
                says="one factor conjugated",
            ),
        ),
        source="Rudin, Fourier Analysis on Groups, 1.2.4",
    ),
    Theorem(
        name="discrete_fourier_transform_of_a_circular_convolution",
        title="The DFT of a circular convolution is the product of the DFTs",
        topic="fourier",
        says="For every length n and every frequency, with nothing assumed.",
        variables={"f": "Zn->K", "g": "Zn->K", "chi": "Zn->char"},
        statement="S(t,Zn,S(s,Zn,f(s)*g(t-s))*chi(t)) = S(s,Zn,f(s)*chi(s))*S(r,Zn,g(r)*chi(r))",
        proof=chain(
            step("ring", "= S(t,Zn,S(s,Zn,f(s)*g(t-s)*chi(t)))", "chi(t) does not depend on s"),
            step(
                "swap", "= S(s,Zn,S(t,Zn,f(s)*g(t-s)*chi(t)))", "finite sums change places", t="s"
            ),
            step("reindex", "= S(s,Zn,S(r,Zn,f(s)*g(r)*chi(r+s)))", "t = r + s", t="r+s"),
            step("ring", "= S(s,Zn,f(s)*chi(s))*S(r,Zn,g(r)*chi(r))", "chi(r+s) = chi(r) chi(s)"),
        ),
        siblings=(
            Sibling(
                statement="S(t,Zn,S(s,Zn,f(s)*g(t-s))*chi(t)) = S(s,Zn,f(s)*chi(s)*g(s))",
                says="the product is taken before the transform",
            ),
        ),
        source="Oppenheim and Schafer, Discrete-Time Signal Processing, 8.6",
    ),
    Theorem(
        name="correlation_theorem",
        title="The correlation theorem",
        topic="fourier",
        says="Correlation conjugates the kernel's transform; chi(-s) is the conjugate of chi(s).",
        variables={"f": "G->K", "g": "G->K", "chi": "G->char"},
        hypotheses=("summable(S(t,G,S(s,G,f(t+s)*g(s)*chi(t))))",),
        statement="S(t,G,S(s,G,f(t+s)*g(s))*chi(t)) = S(r,G,f(r)*chi(r))*S(s,G,g(s)*chi(-s))",
        proof=chain(
            step("ring", "= S(t,G,S(s,G,f(t+s)*g(s)*chi(t)))", "chi(t) does not depend on s"),
            step("swap", "= S(s,G,S(t,G,f(t+s)*g(s)*chi(t)))", "Fubini", t="s"),
            step("reindex", "= S(s,G,S(r,G,f(r)*g(s)*chi(r-s)))", "t = r - s", t="r-s"),
            step("ring", "= S(r,G,f(r)*chi(r))*S(s,G,g(s)*chi(-s))", "chi(r-s) = chi(r) chi(-s)"),
        ),
        siblings=(
            Sibling(
                statement="S(t,G,S(s,G,f(t+s)*g(s))*chi(t)) = "
                "S(r,G,f(r)*chi(r))*S(s,G,g(s)*chi(s))",
                says="the conjugate is forgotten",
            ),
        ),
        source="Oppenheim and Schafer, Discrete-Time Signal Processing, 8.6",
    ),
    Theorem(
        name="shift_theorem",
        title="A shift multiplies the transform by a character",
        topic="fourier",
        says="Moving f by a multiplies its transform by chi(a).",
        variables={"f": "G->K", "a": "G", "chi": "G->char"},
        statement="S(t,G,f(t-a)*chi(t)) = chi(a)*S(t,G,f(t)*chi(t))",
        proof=chain(
            step("reindex", "= S(u,G,f(u)*chi(u+a))", "t = u + a", t="u+a"),
            step("ring", "= chi(a)*S(t,G,f(t)*chi(t))", "chi(u+a) = chi(u) chi(a)"),
        ),
        siblings=(
            Sibling(
                statement="S(t,G,f(t-a)*chi(t)) = chi(-a)*S(t,G,f(t)*chi(t))",
                says="the phase has the wrong sign",
            ),
        ),
        source="any text on signals",
    ),
    Theorem(
        name="two_dimensional_dft_of_a_circular_convolution",
        title="The 2-D DFT of a circular image convolution is the product of the 2-D DFTs",
        topic="fourier",
        says="One character per axis; rows and columns go the same way.",
        variables={"f": "Zn,Zn->K", "g": "Zn,Zn->K", "chi": "Zn->char", "psi": "Zn->char"},
        statement="S(m,Zn,S(n,Zn,S(a,Zn,S(b,Zn,f(a,b)*g(m-a,n-b)))*chi(m)*psi(n))) = "
        "S(a,Zn,S(b,Zn,f(a,b)*chi(a)*psi(b)))*S(u,Zn,S(v,Zn,g(u,v)*chi(u)*psi(v)))",
        proof=chain(
            step(
                "ring",
                "= S(m,Zn,S(n,Zn,S(a,Zn,S(b,Zn,f(a,b)*g(m-a,n-b)*chi(m)*psi(n)))))",
                "the characters do not depend on a and b",
            ),
            step(
                "swap",
                "= S(m,Zn,S(a,Zn,S(n,Zn,S(b,Zn,f(a,b)*g(m-a,n-b)*chi(m)*psi(n)))))",
                "finite sums change places",
                n="a",
            ),
            step(
                "swap",
                "= S(a,Zn,S(m,Zn,S(n,Zn,S(b,Zn,f(a,b)*g(m-a,n-b)*chi(m)*psi(n)))))",
                "finite sums change places",
                m="a",
            ),
            step(
                "swap",
                "= S(a,Zn,S(m,Zn,S(b,Zn,S(n,Zn,f(a,b)*g(m-a,n-b)*chi(m)*psi(n)))))",
                "finite sums change places",
                n="b",
            ),
            step(
                "swap",
                "= S(a,Zn,S(b,Zn,S(m,Zn,S(n,Zn,f(a,b)*g(m-a,n-b)*chi(m)*psi(n)))))",
                "finite sums change places",
                m="b",
            ),
            step(
                "reindex",
                "= S(a,Zn,S(b,Zn,S(m,Zn,S(v,Zn,f(a,b)*g(m-a,v)*chi(m)*psi(v+b)))))",
                "n = v + b",
                n="v+b",
            ),
            step(
                "reindex",
                "= S(a,Zn,S(b,Zn,S(u,Zn,S(v,Zn,f(a,b)*g(u,v)*chi(u+a)*psi(v+b)))))",
                "m = u + a",
                m="u+a",
            ),
            step(
                "ring",
                "= S(a,Zn,S(b,Zn,f(a,b)*chi(a)*psi(b)))*S(u,Zn,S(v,Zn,g(u,v)*chi(u)*psi(v)))",
                "chi(u+a) = chi(u) chi(a), psi(v+b) = psi(v) psi(b)",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(m,Zn,S(n,Zn,S(a,Zn,S(b,Zn,f(a,b)*g(m-a,n-b)))*chi(m)*psi(n))) = "
                "S(a,Zn,S(b,Zn,f(a,b)*chi(a)*psi(b)))*S(u,Zn,S(v,Zn,g(u,v)*psi(u)*chi(v)))",
                says="rows and columns are exchanged in one factor",
            ),
        ),
        source="Gonzalez and Woods, Digital Image Processing, 4.6",
    ),
)
