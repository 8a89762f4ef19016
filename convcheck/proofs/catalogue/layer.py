"""The convolution layer: its matrix, its adjoint, its gradients, and what commutes with it.

conv(x)(n) = S(k,Tap,w(k)*x(n*s+a(k)*d-p)) for stride s, dilation d and padding p, where tap k of
finitely many stands at a(k); x is 0 outside the input, which is what padding with zeros means.
Where outputs are summed, output n of finitely many is the one at b(n). The transposed convolution
puts y(n) w(k) at b(n)*s + a(k)*d - p.
"""

from __future__ import annotations

from convcheck.proofs.theorem import Sibling, Theorem, chain, step

LAYER = {"w": "Tap->K", "a": "Tap->Z", "x": "Z->K", "s": "Z", "d": "Z", "p": "Z"}
SUMMED = {**LAYER, "b": "Out->Z"}
FORWARD = "S(k,Tap,w(k)*x(n*s+a(k)*d-p))"
ALL = "S(k,Tap,w(k)*x(b(n)*s+a(k)*d-p))"

THEOREMS = (
    Theorem(
        name="a_layer_is_a_matrix",
        title="A convolution layer is multiplication by a matrix",
        topic="layer",
        says="With T[n,m] = sum over k of w(k) delta(m, ns+kd-p): Toeplitz for stride 1, and the "
        "lowering that im2col computes with.",
        variables={**LAYER, "n": "Z"},
        statement=f"{FORWARD} = S(m,Z,S(k,Tap,w(k)*delta(m,n*s+a(k)*d-p))*x(m))",
        proof=chain(
            step(
                "sift", "= S(k,Tap,S(m,Z,w(k)*delta(m,n*s+a(k)*d-p)*x(m)))",
                "x is read where delta says", True, m="n*s+a(k)*d-p",
            ),
            step(
                "swap", "= S(m,Z,S(k,Tap,w(k)*delta(m,n*s+a(k)*d-p)*x(m)))",
                "finitely many terms", k="m",
            ),
            step("ring", "= S(m,Z,S(k,Tap,w(k)*delta(m,n*s+a(k)*d-p))*x(m))", "x(m) is a factor"),
        ),
        siblings=(
            Sibling(
                statement=f"{FORWARD} = S(m,Z,S(k,Tap,w(k)*delta(m,n*s-a(k)*d-p))*x(m))",
                says="the kernel is flipped",
            ),
        ),
        source="Dumoulin and Visin, 4.1; Chellapilla et al. (2006), lowering",
    ),
    Theorem(
        name="the_adjoint_is_the_transposed_convolution",
        title="The adjoint of a convolution layer is the transposed convolution",
        topic="layer",
        says="<y, conv x> = <conv_transpose y, x> for every stride, dilation and padding.",
        variables={**SUMMED, "y": "Out->K"},
        statement=f"S(n,Out,y(n)*{ALL}) = "
        "S(m,Z,S(n,Out,S(k,Tap,y(n)*w(k)*delta(m,b(n)*s+a(k)*d-p)))*x(m))",
        proof=chain(
            step(
                "sift", "= S(n,Out,S(k,Tap,S(m,Z,y(n)*w(k)*delta(m,b(n)*s+a(k)*d-p)*x(m))))",
                "x is read where delta says", True, m="b(n)*s+a(k)*d-p",
            ),
            step(
                "swap", "= S(n,Out,S(m,Z,S(k,Tap,y(n)*w(k)*delta(m,b(n)*s+a(k)*d-p)*x(m))))",
                "finitely many terms", k="m",
            ),
            step(
                "swap", "= S(m,Z,S(n,Out,S(k,Tap,y(n)*w(k)*delta(m,b(n)*s+a(k)*d-p)*x(m))))",
                "finitely many terms", n="m",
            ),
            step(
                "ring", "= S(m,Z,S(n,Out,S(k,Tap,y(n)*w(k)*delta(m,b(n)*s+a(k)*d-p)))*x(m))",
                "x(m) is a factor",
            ),
        ),
        siblings=(
            Sibling(
                statement=f"S(n,Out,y(n)*{ALL}) = "
                "S(m,Z,S(n,Out,S(k,Tap,y(n)*w(k)*delta(b(n),m*s+a(k)*d-p)))*x(m))",
                says="the adjoint is a convolution of the same stride",
            ),
        ),
        source="Dumoulin and Visin, 4.1; torch.nn.ConvTranspose2d",
    ),
    Theorem(
        name="gradient_of_the_weight",
        title="The gradient with respect to a weight correlates input and output gradient",
        topic="layer",
        says="d<g, conv x>/dw(j) = sum over n of g(n) x(b(n) s + a(j) d - p).",
        variables={**SUMMED, "g": "Out->K", "j": "Tap"},
        statement=f"diff(S(n,Out,g(n)*{ALL}), w(j)) = S(n,Out,g(n)*x(b(n)*s+a(j)*d-p))",
        proof=chain(
            step(
                "differentiate", "= S(n,Out,g(n)*S(k,Tap,delta(k,j)*x(b(n)*s+a(k)*d-p)))",
                "term by term: finite sums",
            ),
            step("sift", "= S(n,Out,g(n)*x(b(n)*s+a(j)*d-p))", "only k = j contributes", k="j"),
        ),
        siblings=(
            Sibling(
                statement=f"diff(S(n,Out,g(n)*{ALL}), w(j)) = S(n,Out,g(n)*x(b(n)*s-a(j)*d-p))",
                says="the gradient is flipped",
            ),
            Sibling(
                statement=f"diff(S(n,Out,g(n)*{ALL}), w(j)) = S(n,Out,g(n)*x(b(n)+a(j)*d-p))",
                says="the stride is dropped",
            ),
        ),
        source="torch.nn.grad.conv2d_weight",
    ),
    Theorem(
        name="gradient_of_the_input",
        title="The gradient with respect to the input is the transposed convolution",
        topic="layer",
        says="d<g, conv x>/dx(m) puts g(n) w(k) at m = b(n) s + a(k) d - p.",
        variables={**SUMMED, "g": "Out->K", "m": "Z"},
        statement=f"diff(S(n,Out,g(n)*{ALL}), x(m)) = "
        "S(n,Out,S(k,Tap,g(n)*w(k)*delta(m,b(n)*s+a(k)*d-p)))",
        proof=chain(
            step(
                "differentiate", "= S(n,Out,g(n)*S(k,Tap,w(k)*delta(b(n)*s+a(k)*d-p,m)))",
                "term by term: finite sums",
            ),
            step(
                "ring", "= S(n,Out,S(k,Tap,g(n)*w(k)*delta(m,b(n)*s+a(k)*d-p)))",
                "g(n) is a factor",
            ),
        ),
        siblings=(
            Sibling(
                statement=f"diff(S(n,Out,g(n)*{ALL}), x(m)) = "
                "S(n,Out,S(k,Tap,g(n)*w(k)*delta(m,b(n)*s-a(k)*d-p)))",
                says="the kernel is flipped",
            ),
        ),
        source="torch.nn.grad.conv2d_input",
    ),
    Theorem(
        name="gradient_of_the_bias",
        title="The gradient with respect to the bias is the sum of the output gradient",
        topic="layer",
        says="d<g, conv x + b>/db = sum of g.",
        variables={"g": "Out->K", "h": "Out->K", "b": "K"},
        statement="diff(S(n,Out,g(n)*(h(n)+b)), b) = S(n,Out,g(n))",
        proof=chain(step("differentiate", "= S(n,Out,g(n))", "term by term: a finite sum")),
        siblings=(
            Sibling(
                statement="diff(S(n,Out,g(n)*(h(n)+b)), b) = S(n,Out,g(n)*h(n))",
                says="taken for the gradient of a scale",
            ),
        ),
        source="torch.nn.Conv2d",
    ),
    Theorem(
        name="a_dilated_layer_is_a_layer_with_a_dilated_kernel",
        title="Dilation inserts zeros between the taps",
        topic="layer",
        says="A layer of dilation d is one of dilation 1 whose tap k stands at a(k) d.",
        variables={"w": "Tap->K", "a": "Tap->Z", "x": "Z->K", "n": "Z", "d": "Z"},
        statement="S(k,Tap,w(k)*x(n+a(k)*d)) = S(j,Z,S(k,Tap,w(k)*delta(j,a(k)*d))*x(n+j))",
        proof=chain(
            step(
                "sift", "= S(k,Tap,S(j,Z,w(k)*delta(j,a(k)*d)*x(n+j)))",
                "tap k stands at a(k) d", True, j="a(k)*d",
            ),
            step(
                "swap", "= S(j,Z,S(k,Tap,w(k)*delta(j,a(k)*d)*x(n+j)))",
                "finitely many terms", k="j",
            ),
            step("ring", "= S(j,Z,S(k,Tap,w(k)*delta(j,a(k)*d))*x(n+j))", "x(n+j) is a factor"),
        ),
        siblings=(
            Sibling(
                statement="S(k,Tap,w(k)*x(n+a(k)*d)) = S(j,Z,S(k,Tap,w(k)*delta(j*d,a(k)))*x(n+j))",
                says="the kernel is thinned instead",
            ),
        ),
        source="notes, dilation; Yu and Koltun (2016)",
    ),
    Theorem(
        name="two_strided_layers_are_one",
        title="Two layers without a nonlinearity between them are one layer",
        topic="layer",
        says="Strides multiply; the second kernel is dilated by the first stride.",
        variables={"v": "Tap->K", "e": "Tap->Z", "w": "Tip->K", "f": "Tip->Z", "x": "Z->K",
            "n": "Z", "a": "Z", "b": "Z",},
        statement="S(k,Tap,v(k)*S(j,Tip,w(j)*x((n*b+e(k))*a+f(j)))) = "
        "S(m,Z,S(k,Tap,S(j,Tip,v(k)*w(j)*delta(m,e(k)*a+f(j))))*x(n*b*a+m))",
        proof=chain(
            step(
                "sift", "= S(k,Tap,S(j,Tip,S(m,Z,v(k)*w(j)*delta(m,e(k)*a+f(j))*x(n*b*a+m))))",
                "taps k and j together stand at e(k) a + f(j)", True, m="e(k)*a+f(j)",
            ),
            step(
                "swap", "= S(k,Tap,S(m,Z,S(j,Tip,v(k)*w(j)*delta(m,e(k)*a+f(j))*x(n*b*a+m))))",
                "finitely many terms", j="m",
            ),
            step(
                "swap", "= S(m,Z,S(k,Tap,S(j,Tip,v(k)*w(j)*delta(m,e(k)*a+f(j))*x(n*b*a+m))))",
                "finitely many terms", k="m",
            ),
            step(
                "ring", "= S(m,Z,S(k,Tap,S(j,Tip,v(k)*w(j)*delta(m,e(k)*a+f(j))))*x(n*b*a+m))",
                "x is a factor",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(k,Tap,v(k)*S(j,Tip,w(j)*x((n*b+e(k))*a+f(j)))) = "
                "S(m,Z,S(k,Tap,S(j,Tip,v(k)*w(j)*delta(m,e(k)+f(j))))*x(n*b*a+m))",
                says="the second kernel is not dilated",
            ),
        ),
        source="Araujo et al., Computing Receptive Fields (2019)",
    ),
    Theorem(
        name="downsampling_after_an_upsampled_kernel",
        title="The noble identity",
        topic="layer",
        says="Keeping every a-th value after a kernel stretched by a is the same as keeping them "
        "before the kernel itself.",
        variables={"f": "Z->K", "g": "Tap->K", "b": "Tap->Z", "t": "Z", "a": "Z"},
        statement="S(i,Z,f(a*t-i)*S(m,Tap,g(m)*delta(i,a*b(m)))) = S(m,Tap,g(m)*f(a*(t-b(m))))",
        proof=chain(
            step(
                "ring", "= S(i,Z,S(m,Tap,f(a*t-i)*g(m)*delta(i,a*b(m))))",
                "f(a t - i) does not depend on m",
            ),
            step(
                "swap", "= S(m,Tap,S(i,Z,f(a*t-i)*g(m)*delta(i,a*b(m))))",
                "finitely many terms", i="m",
            ),
            step(
                "sift", "= S(m,Tap,g(m)*f(a*(t-b(m))))",
                "only i = a b(m) contributes", i="a*b(m)",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(i,Z,f(a*t-i)*S(m,Tap,g(m)*delta(i,a*b(m)))) = "
                "S(m,Tap,g(m)*f(a*t-b(m)))",
                says="the kernel is not stretched",
            ),
        ),
        source="Vaidyanathan, Multirate Systems and Filter Banks, 4.2",
    ),
    Theorem(
        name="batch_normalisation_folds_into_the_layer",
        title="Batch normalisation folds into the layer before it",
        topic="layer",
        says="Scale the weights by gamma / sigma, and the bias likewise after removing the mean.",
        variables={
            "w": "Z->K", "x": "Z->K", "n": "Z", "b": "K", "mu": "K", "gamma": "K", "beta": "K",
            "sigma": "K>0",
        },
        statement="gamma*(S(k,Z,w(k)*x(n+k)) + b - mu)/sigma + beta = "
        "S(k,Z,(w(k)*gamma/sigma)*x(n+k)) + (gamma*(b-mu)/sigma + beta)",
        proof=chain(
            step(
                "ring", "= S(k,Z,w(k)*x(n+k))*gamma/sigma + (gamma*(b-mu)/sigma + beta)",
                "multiplied out",
            ),
            step(
                "ring", "= S(k,Z,(w(k)*gamma/sigma)*x(n+k)) + (gamma*(b-mu)/sigma + beta)",
                "gamma / sigma does not depend on k",
            ),
        ),
        siblings=(
            Sibling(
                statement="gamma*(S(k,Z,w(k)*x(n+k)) + b - mu)/sigma + beta = "
                "S(k,Z,(w(k)*gamma/sigma)*x(n+k)) + (b - mu + beta)",
                says="the bias is not scaled",
            ),
        ),
        source="Jacob et al. (2018), 3.2",
    ),
    Theorem(
        name="average_pooling_is_a_convolution",
        title="Average pooling is a convolution with equal weights",
        topic="layer",
        says="Each weight is one over the number of elements of the window.",
        variables={"x": "Win,Z->K", "n": "Z", "m": "K>0"},
        statement="S(i,Win,x(i,n))/m = S(i,Win,(1/m)*x(i,n))",
        proof=chain(step("ring", "= S(i,Win,(1/m)*x(i,n))", "1/m does not depend on i")),
        siblings=(
            Sibling(statement="S(i,Win,x(i,n))/m = S(i,Win,m*x(i,n))", says="m for 1/m"),
        ),
        source="notes, pooling",
    ),
    Theorem(
        name="relu_commutes_with_max_pooling",
        title="ReLU commutes with max pooling",
        topic="layer",
        says="The order of ReLU and max pooling makes no difference, for every window.",
        variables={"x": "Win->K"},
        statement="max(M(i,Win,x(i)), 0) = M(i,Win,max(x(i), 0))",
        proof=chain(step("ring", "= M(i,Win,max(x(i), 0))", "maxima of maxima")),
        siblings=(
            Sibling(
                statement="max(S(i,Win,x(i)), 0) = S(i,Win,max(x(i), 0))",
                says="ReLU commutes with average pooling",
            ),
        ),
        source="notes, typical architecture",
    ),
    Theorem(
        name="max_pooling_composes",
        title="Max pooling of max pooling is max pooling over both windows",
        topic="layer",
        says="The maximum over rows of the maxima of two maps is that of the larger map.",
        variables={"x": "Win->K", "y": "Win->K"},
        statement="M(i,Win,max(x(i), y(i))) = max(M(i,Win,x(i)), M(i,Win,y(i)))",
        proof=chain(
            step("ring", "= max(M(i,Win,x(i)), M(i,Win,y(i)))", "maxima of maxima")
        ),
        siblings=(
            Sibling(
                statement="M(i,Win,x(i)+y(i)) = M(i,Win,x(i)) + M(i,Win,y(i))",
                says="max pooling is linear",
            ),
        ),
        source="notes, pooling",
    ),
    Theorem(
        name="a_separable_kernel_is_two_passes",
        title="A separable kernel can be applied in two passes",
        topic="layer",
        says="Rows and columns one after the other: k + k weights for k k.",
        variables={"u": "Z->K", "v": "Z->K", "x": "Z,Z->K", "m": "Z", "n": "Z"},
        statement="S(a,Z,S(b,Z,(u(a)*v(b))*x(m+a,n+b))) = S(a,Z,u(a)*S(b,Z,v(b)*x(m+a,n+b)))",
        proof=chain(
            step("ring", "= S(a,Z,u(a)*S(b,Z,v(b)*x(m+a,n+b)))", "u(a) does not depend on b")
        ),
        siblings=(
            Sibling(
                statement="S(a,Z,S(b,Z,(u(a)+v(b))*x(m+a,n+b))) = "
                "S(a,Z,u(a)*S(b,Z,v(b)*x(m+a,n+b)))",
                says="a sum is taken for separable",
            ),
        ),
        source="Chollet (2017)",
    ),
    Theorem(
        name="a_grouped_layer_is_block_diagonal",
        title="A grouped layer is a layer with a block-diagonal weight",
        topic="layer",
        says="Channels of other groups have weight 0.",
        variables={"w": "Chan->K", "x": "Group,Chan->K", "g": "Group"},
        statement="S(h,Group,S(c,Chan,delta(h,g)*w(c)*x(h,c))) = S(c,Chan,w(c)*x(g,c))",
        proof=chain(
            step("ring", "= S(h,Group,delta(h,g)*S(c,Chan,w(c)*x(h,c)))", "a factor inside"),
            step("sift", "= S(c,Chan,w(c)*x(g,c))", "only h = g contributes", h="g"),
        ),
        siblings=(
            Sibling(
                statement="S(h,Group,S(c,Chan,w(c)*x(h,c))) = S(c,Chan,w(c)*x(g,c))",
                says="without the zeros",
            ),
        ),
        source="torch.nn.Conv2d, groups",
    ),
    Theorem(
        name="a_layer_is_linear_in_its_input",
        title="A layer without bias is linear",
        topic="layer",
        says="conv(u x + v y) = u conv(x) + v conv(y).",
        variables={**LAYER, "y": "Z->K", "n": "Z", "u": "K", "v": "K"},
        statement="S(k,Tap,w(k)*(u*x(n*s+a(k)*d-p)+v*y(n*s+a(k)*d-p))) = "
        "u*S(k,Tap,w(k)*x(n*s+a(k)*d-p)) + v*S(k,Tap,w(k)*y(n*s+a(k)*d-p))",
        proof=chain(
            step(
                "ring", "= S(k,Tap,w(k)*u*x(n*s+a(k)*d-p) + w(k)*v*y(n*s+a(k)*d-p))",
                "multiplied out",
            ),
            step(
                "split",
                "= S(k,Tap,w(k)*u*x(n*s+a(k)*d-p)) + S(k,Tap,w(k)*v*y(n*s+a(k)*d-p))",
                "a finite sum", k="",
            ),
            step(
                "ring",
                "= u*S(k,Tap,w(k)*x(n*s+a(k)*d-p)) + v*S(k,Tap,w(k)*y(n*s+a(k)*d-p))",
                "u and v do not depend on k",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(k,Tap,w(k)*(u*x(n*s+a(k)*d-p)+v*y(n*s+a(k)*d-p))) = "
                "u*v*S(k,Tap,w(k)*x(n*s+a(k)*d-p)) + S(k,Tap,w(k)*y(n*s+a(k)*d-p))",
                says="scalars misplaced",
            ),
        ),
        source="any text on signals",
    ),
)  # fmt: skip
