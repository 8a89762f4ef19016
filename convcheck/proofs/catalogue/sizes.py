"""Sizes, for all integers: each is settled by combinations that multiply out to -1.

W is the input, k the kernel, s the stride, p the padding per side, d the dilation, and
W + 2*p - d*(k-1) - 1 the free play l3 of the window. `a // b` is floor(a / b); ceil(a / b) is
-((-a)//b). `count(j, conditions) = n` says that the integers j that fit are n in number.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from convcheck.proofs.theorem import Sibling, Theorem

PLAY = "W + 2*p - d*(k-1) - 1"
FITS = "j >= 0, j*s + d*(k-1) + 1 <= W + 2*p"
# Window j + max(0, i-k+1) lies inside the input and reads pixel i.
READS = ", ".join(
    f"j + max(0, i - k + 1) {bound}" for bound in (">= 0", "<= W - k", "<= i", "+ k - 1 >= i")
)
COMBINATIONS = Path(__file__).with_name("combinations.json")


@cache
def _combinations() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COMBINATIONS.read_text(encoding="utf-8"))
    return found


def integer_theorem(
    name: str,
    title: str,
    says: str,
    letters: str,
    hypotheses: tuple[str, ...],
    statement: str,
    source: str,
    *siblings: Sibling,
    topic: str = "sizes",
) -> Theorem:
    """Returns a theorem on integers, with the combinations stored for its name."""
    return Theorem(
        name=name,
        title=title,
        topic=topic,
        says=says,
        variables=dict.fromkeys(letters.split(), "Z"),
        hypotheses=hypotheses,
        statement=statement,
        proof={"nonnegative": _combinations().get(name, [])},
        siblings=siblings,
        source=source,
    )


@cache
def theorems() -> tuple[Theorem, ...]:
    """Returns the theorems on sizes."""
    return (
        integer_theorem(
            "conv_output_size",
            "The number of window positions",
            "A window of extent d(k-1)+1 has floor(l3 / s) + 1 positions at stride s, if it fits.",
            "W k s p d",
            ("s >= 1", f"{PLAY} >= 0"),
            f"count(j, {FITS}) = ({PLAY})//s + 1",
            "notes, output dimension; Dumoulin and Visin, relationship 15",
            Sibling(
                statement=f"count(j, {FITS}) = ({PLAY})//s",
                says="steps are counted, not positions",
            ),
            Sibling(
                statement=f"count(j, {FITS}) = (W + 2*p - d*k)//s + 1",
                says="the effective kernel is taken for d k",
            ),
        ),
        integer_theorem(
            "second_form_of_the_output_size",
            "The second form of the output size",
            "floor((l3 + s) / s) = floor(l3 / s) + 1: the +1 may stand inside the floor.",
            "W k s p d",
            ("s >= 1",),
            f"({PLAY} + s)//s = ({PLAY})//s + 1",
            "notes, output dimension; torch.nn.Conv2d",
            Sibling(
                statement=f"({PLAY} + 1)//s = ({PLAY})//s + 1",
                says="the 1 is added before the division",
            ),
        ),
        integer_theorem(
            "output_size_without_hypothesis",
            "The number of window positions, fitting or not",
            "max(0, floor(l3 / s) + 1) counts the positions also where the kernel does not fit.",
            "W k s p d",
            ("s >= 1",),
            f"count(j, {FITS}) = max(0, ({PLAY})//s + 1)",
            "Dumoulin and Visin, relationship 15",
            Sibling(
                statement=f"count(j, {FITS}) = ({PLAY})//s + 1",
                says="the formula without its hypothesis",
            ),
        ),
        integer_theorem(
            "no_position_where_the_kernel_does_not_fit",
            "A kernel that does not fit has no position",
            "Where l3 < 0 the count is 0; the formula would say 0 or less.",
            "W k s p d",
            ("s >= 1", f"{PLAY} < 0"),
            f"count(j, {FITS}) = 0",
            "torch.nn.Conv2d, which refuses such a call",
            Sibling(
                statement=f"count(j, {FITS}) = 1",
                says="one position is left",
            ),
        ),
        integer_theorem(
            "free_play_is_padded_input_less_effective_kernel",
            "l3 = l1 - l2",
            "Padded input less effective kernel is the free play.",
            "W k p d",
            (),
            f"(W + 2*p) - (d*(k-1) + 1) = {PLAY}",
            "notes, output dimension",
            Sibling(statement=f"(W + 2*p) - (d*(k-1) + 1) = {PLAY} + 2", says="the -1 becomes +1"),
        ),
        integer_theorem(
            "output_size_grows_with_the_input",
            "A larger input never gives a smaller output",
            "The output size is monotone in W.",
            "W V k s p d",
            ("s >= 1", "W <= V"),
            f"({PLAY})//s + 1 <= (V + 2*p - d*(k-1) - 1)//s + 1",
            "Dumoulin and Visin",
            Sibling(
                statement=f"({PLAY})//s + 2 <= (V + 2*p - d*(k-1) - 1)//s + 1",
                says="strictly monotone",
                hypotheses=("s >= 1", "W < V"),
            ),
        ),
        integer_theorem(
            "output_size_grows_with_the_padding",
            "More padding never gives a smaller output",
            "The output size is monotone in p.",
            "W k s p r d",
            ("s >= 1", "p <= r"),
            f"({PLAY})//s + 1 <= (W + 2*r - d*(k-1) - 1)//s + 1",
            "Dumoulin and Visin",
            Sibling(
                statement=f"({PLAY})//s + 1 >= (W + 2*r - d*(k-1) - 1)//s + 1",
                says="antitone",
            ),
        ),
        integer_theorem(
            "output_size_shrinks_with_the_kernel",
            "A larger kernel never gives a larger output",
            "The output size is antitone in k, for a dilation d >= 0.",
            "W k l s p d",
            ("s >= 1", "d >= 0", "k <= l"),
            f"(W + 2*p - d*(l-1) - 1)//s + 1 <= ({PLAY})//s + 1",
            "Dumoulin and Visin",
            Sibling(
                statement=f"(W + 2*p - d*(l-1) - 1)//s + 1 >= ({PLAY})//s + 1", says="monotone"
            ),
        ),
        integer_theorem(
            "output_size_shrinks_with_the_dilation",
            "A larger dilation never gives a larger output",
            "The output size is antitone in d, for a kernel k >= 1.",
            "W k s p d e",
            ("s >= 1", "k >= 1", "d <= e"),
            f"(W + 2*p - e*(k-1) - 1)//s + 1 <= ({PLAY})//s + 1",
            "Dumoulin and Visin",
            Sibling(
                statement=f"(W + 2*p - e*(k-1) - 1)//s + 1 >= ({PLAY})//s + 1", says="monotone"
            ),
        ),
        integer_theorem(
            "output_size_shrinks_with_the_stride",
            "A larger stride never gives a larger output",
            "The output size is antitone in s, if the kernel fits.",
            "x s t",
            ("s >= 1", "s <= t", "x >= 0"),
            "x//t + 1 <= x//s + 1",
            "Dumoulin and Visin",
            Sibling(statement="x//t + 1 >= x//s + 1", says="monotone"),
        ),
        integer_theorem(
            "same_padding",
            "Padding h keeps the size where the effective kernel is 2h + 1",
            "At stride 1, an odd effective kernel padded by half of it keeps the size.",
            "W h k d",
            ("d*(k-1) = 2*h",),
            "(W + 2*h - d*(k-1) - 1)//1 + 1 = W",
            "Dumoulin and Visin, relationship 3",
            Sibling(
                statement="(W + 2*h - d*(k-1) - 1)//1 + 1 = W",
                says="an even effective kernel",
                hypotheses=("d*(k-1) = 2*h + 1",),
            ),
        ),
        integer_theorem(
            "same_padding_with_a_stride",
            "Same padding divides the size by the stride, rounded up",
            "With an odd effective kernel padded by half of it, the output is ceil(W / s).",
            "W h k s d",
            ("s >= 1", "d*(k-1) = 2*h"),
            "(W + 2*h - d*(k-1) - 1)//s + 1 = -((-W)//s)",
            "ONNX Conv, auto_pad",
            Sibling(
                statement="(W + 2*h - d*(k-1) - 1)//s + 1 = W//s",
                says="rounded down",
            ),
        ),
        integer_theorem(
            "a_convolution_undoes_a_transposed_one",
            "A convolution takes the transposed convolution's size back",
            "For output_padding e < s, conv(conv_transpose(H)) has extent H.",
            "H k s p d e",
            ("e >= 0", "e < s"),
            "((H-1)*s - 2*p + d*(k-1) + e + 1 + 2*p - d*(k-1) - 1)//s + 1 = H",
            "Dumoulin and Visin, relationship 14; torch.nn.ConvTranspose2d",
            Sibling(
                statement="((H-1)*s - 2*p + d*(k-1) + e + 1 + 2*p - d*(k-1) - 1)//s + 1 = H",
                says="output_padding may equal the stride",
                hypotheses=("s >= 1", "e >= 0", "e <= s"),
            ),
        ),
        integer_theorem(
            "a_transposed_convolution_undoes_a_convolution",
            "With the unread remainder as output_padding, the input's size comes back",
            "conv_transpose(conv(W)) has extent W for output_padding = l3 mod s.",
            "W k s p d",
            ("s >= 1",),
            f"(({PLAY})//s + 1 - 1)*s - 2*p + d*(k-1) + (({PLAY}) - s*(({PLAY})//s)) + 1 = W",
            "Dumoulin and Visin, relationship 14",
            Sibling(
                statement=f"(({PLAY})//s + 1 - 1)*s - 2*p + d*(k-1) + 1 = W",
                says="without output_padding",
            ),
        ),
        integer_theorem(
            "fewer_than_a_stride_are_unread",
            "Fewer than s elements at the end are never read",
            "The windows leave l3 mod s elements of the padded input unread.",
            "x s",
            ("s >= 1",),
            "x - s*(x//s) < s",
            "notes, padding and stride",
            Sibling(statement="x - s*(x//s) < s - 1", says="one fewer still"),
        ),
        integer_theorem(
            "ceil_is_floor_or_one_more",
            "Rounding up is rounding down, or one more",
            "ceil_mode adds at most one window.",
            "x s",
            ("s >= 1",),
            "-((-x)//s) <= x//s + 1",
            "torch.nn.MaxPool2d, ceil_mode",
            Sibling(statement="-((-x)//s) = x//s + 1", says="always one more"),
        ),
        integer_theorem(
            "ceil_is_never_less_than_floor",
            "Rounding up never gives less than rounding down",
            "ceil_mode never loses a window.",
            "x s",
            ("s >= 1",),
            "x//s <= -((-x)//s)",
            "torch.nn.MaxPool2d, ceil_mode",
            Sibling(statement="x//s < -((-x)//s)", says="always one more"),
        ),
        integer_theorem(
            "ceil_is_floor_of_the_padded_numerator",
            "Rounding up, as torch computes it",
            "ceil(x / s) = floor((x + s - 1) / s).",
            "x s",
            ("s >= 1",),
            "-((-x)//s) = (x + s - 1)//s",
            "torch, pooling_output_shape",
            Sibling(statement="-((-x)//s) = (x + s)//s", says="s is added instead of s - 1"),
        ),
        integer_theorem(
            "ceil_mode_needs_one_correction_only",
            "Torch's ceil_mode: after one correction the last window starts inside",
            "If the last window would start in the right padding, dropping that one is enough: "
            "with 2p <= d(k-1)+1 the window before it starts inside.",
            "W k s p d n",
            (
                "s >= 1",
                "d*(k-1) >= 0",
                "2*p <= d*(k-1) + 1",
                "n = (W + 2*p - d*(k-1) - 1 + s - 1)//s + 1",
            ),
            "(n - 2)*s < W + p",
            "torch, pooling_output_shape",
            Sibling(statement="(n - 1)*s < W + p", says="no correction needed"),
        ),
        integer_theorem(
            "nested_floors",
            "Dividing twice is dividing by the product",
            "floor(floor(x / s) / t) = floor(x / (s t)).",
            "x s t",
            ("s >= 1", "t >= 1"),
            "(x//s)//t = x//(s*t)",
            "Graham, Knuth and Patashnik, Concrete Mathematics, 3.11",
            Sibling(statement="(x//s)//t = x//(s + t)", says="by the sum"),
        ),
        integer_theorem(
            "two_layers_have_the_size_of_one",
            "Two layers have the size of one with the composed parameters",
            "Kernels l and k at strides s and t compose to extent (k-1)s + l at stride s t.",
            "W k l s t",
            ("s >= 1", "t >= 1"),
            "((W - l)//s + 1 - k)//t + 1 = (W - ((k-1)*s + l))//(s*t) + 1",
            "Dumoulin and Visin; Araujo et al., Computing Receptive Fields (2019)",
            Sibling(
                statement="((W - l)//s + 1 - k)//t + 1 = (W - (k + l - 1))//(s*t) + 1",
                says="the first stride does not widen the second kernel",
            ),
        ),
        integer_theorem(
            "pooling_by_two_halves",
            "MaxPool2d(2, 2) halves the size, rounded down",
            "(W - 2) / 2 + 1 = W / 2 in whole numbers.",
            "W",
            (),
            "(W - 2)//2 + 1 = W//2",
            "notes, the network",
            Sibling(statement="(W - 2)//2 + 1 = (W + 1)//2", says="rounded up"),
        ),
        integer_theorem(
            "the_network_ends_at_a_quarter_less_three",
            "The notes' network turns W into floor(W / 4) - 3",
            "Kernel 5, halve, kernel 5, halve: 32 gives 5, as the 16*5*5 of the code says.",
            "W",
            (),
            "(((W - 5)//1 + 1)//2 - 5 + 1)//2 = W//4 - 3",
            "notes, the network",
            Sibling(statement="(((W - 5)//1 + 1)//2 - 5 + 1)//2 = W//4 - 2", says="off by one"),
        ),
        integer_theorem(
            "windows_that_read_a_pixel",
            "How many windows read pixel i, at stride 1 without padding",
            "min(i, W-k) - max(0, i-k+1) + 1: every pixel is read, those at the border less often.",
            "W k i",
            ("i >= 0", "i <= W - 1", "k >= 1", "k <= W"),
            f"count(j, {READS}) = min(i, W - k) - max(0, i - k + 1) + 1",
            "notes, padding",
            Sibling(
                statement=f"count(j, {READS}) = k",
                says="every pixel is read k times",
            ),
        ),
        integer_theorem(
            "the_support_of_a_convolution",
            "A convolution of lengths m and n has at most m + n - 1 entries",
            "Where f(i) and g(t - i) both stand inside, t <= m + n - 2.",
            "i t m n",
            ("i <= m - 1", "t - i <= n - 1"),
            "t <= m + n - 2",
            "numpy.convolve, mode full",
            Sibling(statement="t <= m + n - 3", says="one entry fewer"),
        ),
    )
