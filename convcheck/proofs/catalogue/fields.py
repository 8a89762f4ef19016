"""Receptive fields, by induction over the layers.

r(n) is the extent of the input that one output after n layers reads, j(n) the jump between the
inputs of neighbouring outputs. The recursions are the definition: a layer with kernel k, dilation
d and stride s widens the field by (k - 1) d jumps and multiplies the jump by s.
"""

from __future__ import annotations

from convcheck.proofs.theorem import Sibling, Theorem, chain, induction, step

DOUBLING = {"r": "N->Z", "D": "N->Z"}
START = ("r(0) = 1", "D(0) = 1")
WIDEN, DOUBLE = "all(i,N,r(i+1) = r(i) + 2*D(i))", "all(i,N,D(i+1) = 2*D(i))"
ARAUJO = "Araujo et al., Computing Receptive Fields (2019)"


def _after(layers: int, extent: int) -> Theorem:
    """Returns the theorem that the receptive field after so many doubling layers is `extent`."""
    steps, known = [], "1"
    line = ""
    for n in range(layers - 1, -1, -1):
        line = f"r({n})" + "".join(f" + 2*D({m})" for m in range(n, layers))
        steps.append(
            step("given", f"= {line}", f"layer {n + 1} widens it", hypothesis=WIDEN, at=str(n))
        )
    line = line.replace("r(0)", "1", 1)
    steps.append(step("given", f"= {line}", "it starts at one element", hypothesis="r(0) = 1"))
    for n in range(layers - 1, 0, -1):
        factor = 2 * (2 ** (layers - n) - 1)
        rest = "".join(f" + 2*D({m})" for m in range(n - 1))
        steps.append(step("ring", f"= 1{rest} + 2*D({n - 1}) + {factor}*D({n})", "collected"))
        steps.append(
            step(
                "given", f"= 1{rest} + 2*D({n - 1}) + {factor}*(2*D({n - 1}))",
                "dilations double", hypothesis=DOUBLE, at=str(n - 1),
            )
        )  # fmt: skip
    steps.append(
        step("ring", f"= {known} + {extent - 1}*D(0)", "collected"),
    )
    steps.append(
        step(
            "given", f"= {known} + {extent - 1}*1", "the first dilation is 1", hypothesis="D(0) = 1"
        )
    )
    hypotheses = (*START, WIDEN, DOUBLE) if layers > 1 else (*START, WIDEN)
    return Theorem(
        name=f"receptive_field_is_{extent}",
        title=f"Kernel 3 and doubling dilations: {layers} layers read {extent} elements",
        topic="fields",
        says="Worked out layer by layer from the recursion.",
        variables=DOUBLING,
        hypotheses=hypotheses,
        statement=f"r({layers}) = {extent}",
        proof=chain(*steps),
        siblings=(Sibling(statement=f"r({layers}) = {extent + 2}", says="one step too many"),),
        source="notes, figure of three dilated layers",
    )


THEOREMS = (
    Theorem(
        name="receptive_field_of_doubling_dilations",
        title="With kernel 3 and doubling dilations, the field is 2 D(n) - 1",
        topic="fields",
        says="After n layers of dilations 1, 2, 4, ... it is 2^(n+1) - 1: 3, 7, 15, ...",
        variables={**DOUBLING, "n": "N"},
        hypotheses=(*START, WIDEN, DOUBLE),
        statement="r(n) = 2*D(n) - 1",
        proof=induction(
            "n",
            [
                step("given", "= 1", "it starts at one element", hypothesis="r(0) = 1"),
                step("ring", "= 2*1 - 1", "arithmetic"),
                step(
                    "given", "= 2*D(0) - 1", "the first dilation is 1", True, hypothesis="D(0) = 1"
                ),
            ],
            [
                step("given", "= r(n) + 2*D(n)", "one layer more", hypothesis=WIDEN, at="n"),
                step("given", "= 2*D(n) - 1 + 2*D(n)", "hypothesis of induction", hypothesis="IH"),
                step("ring", "= 2*(2*D(n)) - 1", "collected"),
                step(
                    "given", "= 2*D(n+1) - 1", "dilations double", True, hypothesis=DOUBLE, at="n"
                ),
            ],
        ),
        siblings=(Sibling(statement="r(n) = 2*D(n) + 1", says="+1 for -1"),),
        source="notes, figure of three dilated layers; Yu and Koltun (2016)",
    ),
    _after(1, 3),
    _after(2, 7),
    _after(3, 15),
    Theorem(
        name="last_index_of_a_receptive_field",
        title="Output t reads up to the input at t j(n) + r(n) - 1",
        topic="fields",
        says="From what layers read to the recursion: r is the extent, j the jump, of the field.",
        variables={
            "hi": "N,Z->Z", "r": "N->Z", "j": "N->Z", "k": "N->Z", "s": "N->Z", "d": "N->Z",
            "n": "N", "t": "Z",
        },
        hypotheses=(
            "all(u,Z,hi(0,u) = u)",
            "all(i,N,all(u,Z,hi(i+1,u) = hi(i,s(i)*u + (k(i)-1)*d(i))))",
            "r(0) = 1",
            "all(i,N,r(i+1) = r(i) + (k(i)-1)*d(i)*j(i))",
            "j(0) = 1",
            "all(i,N,j(i+1) = j(i)*s(i))",
        ),
        statement="hi(n,t) = j(n)*t + r(n) - 1",
        proof=induction(
            "n",
            [
                step("given", "= t", "no layer", hypothesis="all(u,Z,hi(0,u) = u)", at="t"),
                step("ring", "= 1*t + 1 - 1", "arithmetic"),
                step("given", "= j(0)*t + 1 - 1", "", True, hypothesis="j(0) = 1"),
                step("given", "= j(0)*t + r(0) - 1", "", True, hypothesis="r(0) = 1"),
            ],
            [
                step(
                    "given", "= hi(n,s(n)*t + (k(n)-1)*d(n))", "what a layer reads",
                    hypothesis="all(i,N,all(u,Z,hi(i+1,u) = hi(i,s(i)*u + (k(i)-1)*d(i))))",
                    at="n; t",
                ),
                step(
                    "given", "= j(n)*(s(n)*t + (k(n)-1)*d(n)) + r(n) - 1",
                    "hypothesis of induction, at another output",
                    hypothesis="IH", at="s(n)*t + (k(n)-1)*d(n)",
                ),
                step("ring", "= (j(n)*s(n))*t + (r(n) + (k(n)-1)*d(n)*j(n)) - 1", "collected"),
                step(
                    "given", "= j(n+1)*t + (r(n) + (k(n)-1)*d(n)*j(n)) - 1", "", True,
                    hypothesis="all(i,N,j(i+1) = j(i)*s(i))", at="n",
                ),
                step(
                    "given", "= j(n+1)*t + r(n+1) - 1", "", True,
                    hypothesis="all(i,N,r(i+1) = r(i) + (k(i)-1)*d(i)*j(i))", at="n",
                ),
            ],
            "t",
        ),
        siblings=(Sibling(statement="hi(n,t) = j(n)*t + r(n)", says="one too far"),),
        source=ARAUJO,
    ),
    Theorem(
        name="first_index_of_a_receptive_field",
        title="Output t reads from the input at t j(n) on",
        topic="fields",
        says="Without padding, the first element that output t reads is t jumps from the left.",
        variables={"lo": "N,Z->Z", "j": "N->Z", "s": "N->Z", "n": "N", "t": "Z"},
        hypotheses=(
            "all(u,Z,lo(0,u) = u)",
            "all(i,N,all(u,Z,lo(i+1,u) = lo(i,s(i)*u)))",
            "j(0) = 1",
            "all(i,N,j(i+1) = j(i)*s(i))",
        ),
        statement="lo(n,t) = j(n)*t",
        proof=induction(
            "n",
            [
                step("given", "= t", "no layer", hypothesis="all(u,Z,lo(0,u) = u)", at="t"),
                step("ring", "= 1*t", "arithmetic"),
                step("given", "= j(0)*t", "", True, hypothesis="j(0) = 1"),
            ],
            [
                step(
                    "given", "= lo(n,s(n)*t)", "what a layer reads",
                    hypothesis="all(i,N,all(u,Z,lo(i+1,u) = lo(i,s(i)*u)))", at="n; t",
                ),
                step(
                    "given", "= j(n)*(s(n)*t)", "hypothesis of induction",
                    hypothesis="IH", at="s(n)*t",
                ),
                step("ring", "= (j(n)*s(n))*t", "collected"),
                step(
                    "given", "= j(n+1)*t", "", True,
                    hypothesis="all(i,N,j(i+1) = j(i)*s(i))", at="n",
                ),
            ],
            "t",
        ),
        siblings=(Sibling(statement="lo(n,t) = j(n)*t + 1", says="one too far"),),
        source=ARAUJO,
    ),
)  # fmt: skip
