"""Which inputs are read: stacks of dilated layers with and without holes, and full convolutions.

r is the extent that the layers before read without a hole, d the dilation and k the kernel of the
next one. It reads offset o if some tap t in 0 .. k-1 leaves o - t d in 0 .. r-1. The field after it
is r + (k-1) d. By induction over the layers, a stack of stride 1 and kernels k >= 2 has no hole if,
sorted by dilation, each dilation is at most the field before it; where one is greater, offset r is
a hole that no later layer of the sorted stack fills. The order of layers plays no part in which
offsets are read. That the two steps make the whole "if and only if" is checked stack by stack in
the tests; the kernel has no word for "some tap".
"""

from __future__ import annotations

from functools import cache

from convcheck.proofs.catalogue.sizes import FITS, PLAY, integer_theorem
from convcheck.proofs.theorem import Sibling, Theorem

TAP = "min(k - 1, o//d)"
# Product j + max(0, t-n+1) of entry t has both factors inside.
FIRST = "j + max(0, t - n + 1)"
INSIDE = f"{FIRST} >= 0, {FIRST} <= m - 1, t - ({FIRST}) >= 0, t - ({FIRST}) <= n - 1"
YU = "Yu and Koltun (2016); Wang et al., Understanding Convolution for Segmentation (2018), 3.2"


@cache
def theorems() -> tuple[Theorem, ...]:
    """Returns the theorems on what is read."""
    return (
        integer_theorem(
            "a_tap_for_every_offset",
            "The tap min(k-1, floor(o/d)) exists",
            "It is one of the k taps: never negative, for an offset o >= 0.",
            "o k d",
            ("k >= 1", "o >= 0", "d >= 1"),
            f"{TAP} >= 0",
            YU,
            Sibling(statement=f"{TAP} >= 1", says="the first tap is never needed"),
            topic="coverage",
        ),
        integer_theorem(
            "no_hole_where_the_dilation_is_at_most_the_field",
            "A dilation of at most the field before it leaves no hole",
            "Every offset o of the wider field r + (k-1) d is read if d <= r: what the tap leaves, "
            "o - t d, is neither less than 0 nor more than r - 1.",
            "o k d r",
            ("d >= 1", "d <= r", "o <= r - 1 + (k-1)*d"),
            f"max(d*{TAP} - o, o - d*{TAP} - (r - 1)) <= 0",
            YU,
            Sibling(
                statement=f"max(d*{TAP} - o, o - d*{TAP} - (r - 1)) <= 0",
                says="a dilation greater than the field by one",
                hypotheses=("d >= 1", "d <= r + 1", "o <= r - 1 + (k-1)*d"),
            ),
            topic="coverage",
        ),
        integer_theorem(
            "a_hole_where_the_dilation_exceeds_the_field",
            "A dilation greater than the field before it leaves a hole",
            "Offset r is not read if d > r: the first tap leaves r itself, which is outside the "
            "field before, and every other tap leaves less than 0.",
            "d r",
            ("r >= 0", "d >= r + 1"),
            "count(t, t >= 1, r - t*d >= 0) = 0",
            YU,
            Sibling(
                statement="count(t, t >= 1, r - t*d >= 0) = 0",
                says="a dilation equal to the field already leaves one",
                hypotheses=("r >= 1", "d >= r"),
            ),
            topic="coverage",
        ),
        integer_theorem(
            "later_layers_do_not_fill_the_hole",
            "No later layer of the sorted stack fills the hole",
            "What later layers add is 0 or at least their smallest dilation d > r.",
            "i u d r",
            ("i >= 0", "u >= d", "d >= r + 1"),
            "i + u > r",
            YU,
            Sibling(statement="i + u > r + 1", says="not even the offset after it is read"),
            topic="coverage",
        ),
        integer_theorem(
            "every_entry_of_a_full_convolution_has_a_product",
            "A full convolution of lengths m and n has all m + n - 1 entries",
            "For each t in 0 .. m+n-2 some i has f(i) and g(t-i) both inside.",
            "t m n",
            ("m >= 1", "n >= 1", "t >= 0", "t <= m + n - 2"),
            "max(0, t - n + 1) <= min(m - 1, t)",
            "numpy.convolve, mode full",
            Sibling(statement="max(0, t - n + 1) < min(m - 1, t)", says="two products at least"),
            topic="coverage",
        ),
        integer_theorem(
            "products_of_an_entry_of_a_full_convolution",
            "How many products an entry of a full convolution sums",
            "min(m-1, t) - max(0, t-n+1) + 1: fewer towards both ends.",
            "t m n",
            ("m >= 1", "n >= 1", "t >= 0", "t <= m + n - 2"),
            f"count(j, {INSIDE}) = min(m - 1, t) - max(0, t - n + 1) + 1",
            "numpy.convolve, mode full",
            Sibling(
                statement=f"count(j, {INSIDE}) = m",
                says="every entry sums m products",
            ),
            topic="coverage",
        ),
        integer_theorem(
            "the_formula_holds_down_to_minus_a_stride",
            "The size formula is right exactly as far as l3 >= -s",
            "For -s <= l3 < 0 it says 0, which is right; below it says less than 0.",
            "W k s p d",
            ("s >= 1", f"{PLAY} >= -s"),
            f"count(j, {FITS}) = ({PLAY})//s + 1",
            "notes, output dimension",
            Sibling(
                statement=f"count(j, {FITS}) = ({PLAY})//s + 1",
                says="one element less of free play",
                hypotheses=("s >= 1", f"{PLAY} >= -s - 1"),
            ),
            topic="coverage",
        ),
    )
