"""What a layer is told: `ConvSpec`, `PoolSpec`, `LossSpec`, `SequenceSpec`.

A spec is normalised once, here (`3` becomes `(3, 3)`), and may still be *impossible* (stride 0,
groups that do not divide): such specs describe calls that must be refused. Whether a spec is
possible is said by `core.shapes`, which raises `GeometryError`.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, InitVar, dataclass
from typing import Literal, get_args

from convcheck.core.errors import GeometryError
from convcheck.core.sizes import Pair, padding_pairs, per_axis

PaddingMode = Literal["zeros", "reflect", "replicate", "circular"]
PADDING_MODES: tuple[PaddingMode, ...] = ("zeros", "reflect", "replicate", "circular")
Target = Literal["index", "ignored", "all_ignored", "probabilities", "beyond", "below"]
TARGETS: tuple[Target, ...] = get_args(Target)
IGNORED_BY_DEFAULT = -100


@dataclass(frozen=True, slots=True)
class ConvSpec:
    """The parameters of a convolution layer, named as in `torch.nn.ConvNd`.

    Attributes:
        kernel_size: Taps per axis.
        stride: Step per axis.
        padding: One (before, after) pair per axis, or "same" / "valid".
        dilation: Distance between taps, per axis.
        groups: Number of groups into which the channels are split.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        bias: Whether a bias per output channel is added.
        transposed: Whether this is the adjoint (a transposed convolution).
        output_padding: Elements added after, per axis, where `transposed`.
    """

    _: KW_ONLY
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...] = (1,)
    padding: tuple[Pair, ...] | Literal["same", "valid"] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    groups: int = 1
    padding_mode: PaddingMode = "zeros"
    in_channels: int = 1
    out_channels: int = 1
    bias: bool = False
    transposed: bool = False
    output_padding: tuple[int, ...] = (0,)
    rank: InitVar[int | None] = None

    def __post_init__(self, rank: int | None) -> None:
        """Normalises every per-axis parameter to one value per axis."""
        axes = _rank(self.kernel_size, rank)
        for name in ("kernel_size", "stride", "dilation", "output_padding"):
            object.__setattr__(self, name, per_axis(getattr(self, name), axes, name))
        object.__setattr__(self, "padding", _padding(self.padding, axes))
        if self.padding_mode not in PADDING_MODES:
            raise GeometryError(
                f"padding_mode {self.padding_mode!r} is unknown",
                fix="use " + ", ".join(PADDING_MODES),
            )

    @property
    def axes(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel_size)

    def padding_pairs(self) -> tuple[Pair, ...]:
        """Returns the padding as one (before, after) pair per axis, "same" worked out.

        Raises:
            GeometryError: "same" meets a stride other than 1.
        """
        if not isinstance(self.padding, str):
            return self.padding
        return padding_pairs(self.padding, self.kernel_size, self.dilation, self.stride)

    def weight_shape(self) -> tuple[int, ...]:
        """Returns the shape of the weight: (C_out, C_in / groups, *kernel) as torch stores it.

        A transposed layer stores (C_in, C_out / groups, *kernel).
        """
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        return (first, second // self.groups if self.groups > 0 else second, *self.kernel_size)


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """The parameters of a pooling layer, named as in `torch.nn.MaxPoolNd` and `AvgPoolNd`.

    Attributes:
        kind: "max" or "avg".
        kernel_size: Window extent per axis.
        stride: Step per axis; the kernel size by default.
        padding: One (before, after) pair per axis.
        dilation: Distance between the elements of a window, per axis.
        ceil_mode: Whether a partly covered last window is kept.
        count_include_pad: Whether padding counts in the divisor of an average.
    """

    _: KW_ONLY
    kind: Literal["max", "avg"]
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...] | None = None
    padding: tuple[Pair, ...] = ((0, 0),)
    dilation: tuple[int, ...] = (1,)
    ceil_mode: bool = False
    count_include_pad: bool = True
    rank: InitVar[int | None] = None

    def __post_init__(self, rank: int | None) -> None:
        """Normalises every per-axis parameter to one value per axis."""
        axes = _rank(self.kernel_size, rank)
        object.__setattr__(self, "kernel_size", per_axis(self.kernel_size, axes, "kernel_size"))
        stride = self.kernel_size if self.stride is None else self.stride
        object.__setattr__(self, "stride", per_axis(stride, axes, "stride"))
        object.__setattr__(self, "dilation", per_axis(self.dilation, axes, "dilation"))
        object.__setattr__(self, "padding", _padding(self.padding, axes))

    @property
    def axes(self) -> int:
        """Number of spatial axes."""
        return len(self.kernel_size)

    def padding_pairs(self) -> tuple[Pair, ...]:
        """Returns the padding as one (before, after) pair per axis."""
        return self.padding


@dataclass(frozen=True, slots=True, kw_only=True)
class LossSpec:
    """The parameters of `cross_entropy` and `kl_div`, named as in `torch.nn.functional`.

    Attributes:
        classes: Number of classes, the second axis of the input.
        reduction: "mean", "sum" or "none"; `kl_div` also takes "batchmean".
        target: "index" or "probabilities" for `cross_entropy`; "ignored" for indices of which one
            at least is the ignored one, and, of two or more, one is not, "all_ignored" where all
            are; or "beyond" and "below" for an index past the last class and one before the first,
            which must be refused. Unused by `kl_div`.
        log_target: Whether the target of `kl_div` is in log space.
        label_smoothing: Numerator over 100 of the smoothing of `cross_entropy` (0 to 100).
        weighted: Whether `cross_entropy` is given a weight per class.
        ignore_index: Class index that `cross_entropy` is told to ignore, a class or not; None where
            it is not told, and ignores -100.
    """

    classes: int
    reduction: Literal["mean", "sum", "none", "batchmean"] = "mean"
    target: Target = "index"
    log_target: bool = False
    label_smoothing: int = 0
    weighted: bool = False
    ignore_index: int | None = None

    @property
    def has_indices(self) -> bool:
        """Whether the target of `cross_entropy` holds class indices, not probabilities."""
        return self.target != "probabilities"

    @property
    def ignored_index(self) -> int:
        """The class index whose samples count for nothing."""
        return IGNORED_BY_DEFAULT if self.ignore_index is None else self.ignore_index

    @property
    def impossible_index(self) -> int | None:
        """The class index in the target that no class has and that is not ignored, if any."""
        if self.target == "beyond":
            return self.classes + (self.ignored_index == self.classes)
        if self.target == "below":
            return -1 - (self.ignored_index == -1)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceSpec:
    """The parameters of `convolve(f, g, mode)`, as in `scipy.signal.convolve`.

    Attributes:
        kernel_size: Extent of g, per axis; f's extent is the case's.
        mode: "full", "same" or "valid".
    """

    kernel_size: tuple[int, ...]
    mode: Literal["full", "same", "valid"] = "full"

    @property
    def axes(self) -> int:
        """Number of axes."""
        return len(self.kernel_size)


Spec = ConvSpec | PoolSpec | LossSpec | SequenceSpec


def _rank(kernel_size: object, rank: int | None) -> int:
    if isinstance(kernel_size, int):
        if rank is None:
            raise GeometryError(
                f"kernel_size {kernel_size} does not say the rank",
                fix=f"give one value per axis, such as ({kernel_size}, {kernel_size}), or rank=2",
            )
        return rank
    axes = len(kernel_size)  # type: ignore[arg-type]
    if rank not in (None, axes):
        raise GeometryError(f"kernel_size {kernel_size!r} has {axes} axes", why=f"rank is {rank}")
    return axes


def _padding(padding: object, axes: int) -> tuple[Pair, ...] | str:
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise GeometryError(
                f"padding {padding!r} is unknown", fix='use "same", "valid" or ints'
            )
        return padding
    if isinstance(padding, tuple) and len(padding) == 1 and isinstance(padding[0], tuple):
        padding = padding * axes
    return padding_pairs(padding, (1,) * axes, (1,) * axes, (1,) * axes)
