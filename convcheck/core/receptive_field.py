"""Receptive fields, exact, in unbounded ints: which input elements one output element reads.

Along one axis a stack of layers repeats itself: output `o` and output `o + period` read the same
pattern, `advance` input elements apart. A `Field` is one such repetition, each pattern kept as the
set of elements that it reads, so that holes (a dilated stack) and phases (a transposed layer)
are told and not smoothed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

from convcheck.core.errors import GeometryError
from convcheck.core.sizes import Pair, padding_pairs, per_axis
from convcheck.core.spec import ConvSpec, PoolSpec

Support = tuple[int, int]
"""A set of input elements: (lowest, bits), where bit i stands for element lowest + i."""

_EMPTY: Support = (0, 0)

LARGEST_SPAN = 1 << 20
"""Largest effective kernel whose elements are listed; beyond it the answer would not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What the outputs of a stack read along one axis.

    Attributes:
        period: Outputs after which the pattern repeats, >= 1.
        advance: Input elements by which it has then moved on; 0 where every output reads the same.
        supports: The elements read by outputs 0 to period - 1; outside of the input is padding.
    """

    period: int = 1
    advance: int = 1
    supports: tuple[Support, ...] = ((0, 1),)

    def support(self, output: int) -> Support:
        """Returns the elements that one output reads; negative and far ones are padding."""
        repetition, phase = divmod(output, self.period)
        low, bits = self.supports[phase]
        return low + repetition * self.advance, bits

    @property
    def size(self) -> int:
        """Elements from the first to the last one read, for the phase that reads the most."""
        return max(bits.bit_length() for _, bits in self.supports)

    @property
    def jump(self) -> Fraction:
        """Input elements between the fields of neighbouring outputs: the effective stride."""
        return Fraction(self.advance, self.period)

    @property
    def start(self) -> int:
        """First element that output 0 reads; negative in the padding."""
        return self.supports[0][0]

    @property
    def holes(self) -> int:
        """Elements inside the field of an output that it does not read, at most."""
        return max(bits.bit_length() - bits.bit_count() for _, bits in self.supports)

    def window(self, kernel: int, stride: int = 1, before: int = 0, dilation: int = 1) -> Field:
        """Returns the field after a sliding window (convolution, pooling) over this one."""
        _check_span(dilation * kernel)
        taps = range(0, dilation * kernel, dilation)
        period = self.period // gcd(self.period, stride)
        return self._reading(
            period,
            self.advance * (period * stride // self.period),
            lambda output: [output * stride - before + tap for tap in taps],
        )

    def transposed(self, kernel: int, stride: int, before: int, dilation: int = 1) -> Field:
        """Returns the field after a transposed convolution: output i * stride - before + tap."""

        def read(output: int) -> list[int]:
            reached = output + before
            return [
                (reached - dilation * tap) // stride
                for tap in range(kernel)
                if (reached - dilation * tap) % stride == 0
            ]

        _check_span(dilation * kernel)
        _check_span(self.period * stride)
        return self._reading(self.period * stride, self.advance, read).reduced()

    def resampled(self, size: int, out: int, read: Callable[[int], Iterable[int]]) -> Field:
        """Returns the field after a layer that maps `size` elements onto `out`, evenly.

        Args:
            size: Extent before.
            out: Extent after.
            read: The elements before that an output reads, for outputs 0, 1, ...
        """
        steps = size // gcd(size, out)
        repeat = lcm(steps, self.period) // steps
        return self._reading(
            repeat * (out // gcd(size, out)), self.advance * (repeat * steps // self.period), read
        )

    def gathered(self, count: int, size: int) -> Field:
        """Returns the field of what reads outputs 0 to count - 1, within an input of `size`."""
        low, bits = unite(self.support(output) for output in range(count))
        bits = bits >> -low if low < 0 else bits << low
        bits &= (1 << size) - 1
        if not bits:
            return Field(advance=0, supports=(_EMPTY,))
        low = (bits & -bits).bit_length() - 1
        return Field(advance=0, supports=((low, bits >> low),))

    def union(self, other: Field) -> Field | None:
        """Returns the field of a sum of two branches, or None where they drift apart."""
        if self.advance and other.advance and self.jump != other.jump:
            return None
        if not (self.advance and other.advance) and (self.advance or other.advance):
            return None
        period = lcm(self.period, other.period)
        return Field(
            period=period,
            advance=self.advance * (period // self.period),
            supports=tuple(unite((self.support(o), other.support(o))) for o in range(period)),
        ).reduced()

    def reduced(self) -> Field:
        """Returns the same field with the shortest period."""
        for period in range(1, self.period):
            if self.period % period or self.advance * period % self.period:
                continue
            shorter = Field(
                period=period,
                advance=self.advance * period // self.period,
                supports=self.supports[:period],
            )
            if all(shorter.support(o) == self.supports[o] for o in range(self.period)):
                return shorter
        return self

    def _reading(self, period: int, advance: int, read: Callable[[int], Iterable[int]]) -> Field:
        supports = tuple(unite(self.support(i) for i in read(o)) for o in range(period))
        return Field(period=period, advance=advance, supports=supports)


def _check_span(span: int) -> None:
    if span > LARGEST_SPAN:
        raise GeometryError(
            f"a window over {span} elements is too large for an exact receptive field",
            why=f"at most {LARGEST_SPAN} elements are listed",
        )


def unite(supports: Iterable[Support]) -> Support:
    """Returns the union of sets of input elements."""
    return reduce(_unite, supports, _EMPTY)


def _unite(a: Support, b: Support) -> Support:
    if not a[1]:
        return b
    if not b[1]:
        return a
    if a[0] > b[0]:
        a, b = b, a
    return a[0], a[1] | b[1] << (b[0] - a[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A layer for `receptive_field`: the geometry of a convolution or pooling, nothing else.

    Attributes:
        kernel_size: Taps; an int, or one per axis.
        stride: Step.
        padding: Elements before and after, or one (before, after) pair per axis.
        dilation: Distance between taps.
        transposed: Whether this is a transposed convolution.
    """

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: int | str | tuple[int, ...] | tuple[Pair, ...] = 0
    dilation: int | tuple[int, ...] = 1
    transposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptiveField:
    """The receptive field after one layer, one value per axis.

    Attributes:
        size: Input elements from the first to the last one that an output reads.
        jump: Input elements between the fields of neighbouring outputs (the effective stride).
        start: First input element that output 0 reads; negative in the padding.
        holes: Elements inside the field that are not read.
    """

    size: tuple[int, ...]
    jump: tuple[Fraction, ...]
    start: tuple[int, ...]
    holes: tuple[int, ...]

    @classmethod
    def of(cls, fields: Sequence[Field]) -> ReceptiveField:
        """Returns the receptive field of one `Field` per axis."""
        return cls(
            size=tuple(field.size for field in fields),
            jump=tuple(field.jump for field in fields),
            start=tuple(field.start for field in fields),
            holes=tuple(field.holes for field in fields),
        )


def receptive_field(layers: Iterable[Window | ConvSpec | PoolSpec]) -> tuple[ReceptiveField, ...]:
    """Receptive field after each layer of a plain stack, in order.

    Args:
        layers: `Window`, `ConvSpec` or `PoolSpec` values, input first. Where every one is given
            by plain ints, the answer has one axis.

    Returns:
        One `ReceptiveField` per layer, each with one value per axis.

    Raises:
        GeometryError: The layers differ in their number of axes, or a value is out of range.

    References:
        Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks".
    """
    stack = list(layers)
    axes = max((_axes(layer) for layer in stack), default=1)
    fields = (Field(),) * axes
    found = []
    for layer in stack:
        if _axes(layer) not in (1, axes) or (_axes(layer) == 1 != axes and not _is_plain(layer)):
            raise GeometryError(f"{layer} has {_axes(layer)} axes", why=f"the stack has {axes}")
        fields = _after(fields, layer)
        found.append(ReceptiveField.of(fields))
    return tuple(found)


def _is_plain(layer: Window | ConvSpec | PoolSpec) -> bool:
    return isinstance(layer.kernel_size, int)


def _axes(layer: Window | ConvSpec | PoolSpec) -> int:
    values = (layer.kernel_size, layer.stride, layer.dilation, layer.padding)
    return max(len(v) if isinstance(v, tuple) else 1 for v in values)


def _after(fields: tuple[Field, ...], layer: Window | ConvSpec | PoolSpec) -> tuple[Field, ...]:
    axes = len(fields)
    kernel = per_axis(layer.kernel_size, axes, "kernel_size")
    stride = per_axis(layer.stride, axes, "stride")
    dilation = per_axis(layer.dilation, axes, "dilation")
    pads = padding_pairs(layer.padding, kernel, dilation, stride)
    for name, values in (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)):
        if min(values) < 1:
            raise GeometryError(f"{name} {min(values)}", why="it must be at least 1")
    transposed = getattr(layer, "transposed", False)
    return tuple(
        field.transposed(k, s, before, d) if transposed else field.window(k, s, before, d)
        for field, k, s, (before, _), d in zip(fields, kernel, stride, pads, dilation, strict=True)
    )
