"""What is checked before the first step: every layer's size, the first loss, the first gradient."""

from __future__ import annotations

from copy import deepcopy
from math import log

import numpy as np
import torch
from torch import Tensor, nn

from convcheck.core.case import Case
from convcheck.core.finding import Finding
from convcheck.core.sizes import padding_pairs
from convcheck.core.spec import ConvSpec, LossSpec
from convcheck.core.verdict import Verdict
from convcheck.models import ModelReport, check_model
from convcheck.oracle.bounds import direct_bound
from convcheck.oracle.expected import Expected, expected
from convcheck.oracle.fast import weight_adjoint
from convcheck.oracle.formats import find_format
from convcheck.training.learner import Learner

# The oracle works exactly; a few pictures say as much about the code as a whole batch.
_PICTURES = 4


def check_layers(learner: Learner) -> tuple[ModelReport, tuple[Finding, ...]]:
    """Returns the network's layer calls, each against its formula, and the findings."""
    shape = (learner.recipe.batch_size, *learner.images.shape[1:])
    report = check_model(learner.network, torch.empty(shape, device="meta"))
    if not report.passed:
        faults = [f for f in report.findings if f.verdict is not Verdict.SKIP]
        unknown = Finding(verdict=report.verdict, where="network", what="no layer was checked")
        return report, tuple(faults) or (unknown,)
    checked = sum(layer.expected_shape is not None for layer in report.layers)
    what = f"{checked} layer calls have the sizes that the formula gives"
    return report, (Finding(verdict=Verdict.PASS, where="network", what=what),)


def check_first_batch(learner: Learner) -> tuple[Finding, ...]:
    """Returns what the first batch tells about loss and gradient, each against its exact value.

    A copy of the network works on the CPU, so that the run itself starts untouched.
    """
    pictures, labels = (part[:_PICTURES].cpu() for part in learner.batch(0))
    network = deepcopy(learner.network).cpu()
    path, layer = trained_convolution(network)
    seen: list[tuple[Tensor, Tensor]] = []

    def record(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        output.retain_grad()
        seen.append((inputs[0].detach(), output))

    layer.register_forward_hook(record)
    with torch.random.fork_rng():
        logits = network(pictures)
    loss = learner.criterion(logits, labels)
    loss.backward()
    source, output = seen[0]
    assert output.grad is not None and layer.weight.grad is not None
    return (
        *check_loss(
            loss.item(), _array(logits), _array(labels), learner.recipe.label_smoothing
        ),
        check_weight_gradient(path, layer, source, output.grad, layer.weight.grad),
    )  # fmt: skip


def check_loss(
    loss: float, logits: np.ndarray, labels: np.ndarray, label_smoothing: float = 0.0
) -> tuple[Finding, Finding]:
    """Returns whether a first loss is the cross-entropy, and that of a network yet undecided.

    For logits z, log-sum-exp lies within [min z, max z] of ln C and the target's mean of z lies in
    the same interval; so the loss is within max z - min z of ln C, whatever the labels. A span
    above ln C would make one class more than C times as probable as another before any learning.

    Args:
        loss: The mean loss of the batch.
        logits: (N, C), float32.
        labels: (N,), int64.
        label_smoothing: As in torch, in hundredths.
    """
    batch, classes = logits.shape
    spec = LossSpec(classes=classes, label_smoothing=round(100 * label_smoothing))
    case = Case(op="cross_entropy", spec=spec, batch=batch)
    exact = expected(case, {"input": logits, "target": labels})
    assert isinstance(exact, Expected)
    value, bound = float(exact.outputs[0].values), float(exact.outputs[0].bound)
    is_exact = abs(loss - value) <= bound
    span = float((logits.max(axis=1) - logits.min(axis=1)).mean())
    gap = abs(loss - log(classes))
    is_undecided = gap <= span + bound and span <= log(classes)
    return (
        Finding(
            verdict=Verdict.PASS if is_exact else Verdict.FAIL,
            where="loss of the first batch",
            what=f"{loss:.7f} "
            + ("is" if is_exact else "is not")
            + f" the cross-entropy {value:.7f} of its logits, within {bound:.1e}",
            why="the exact value, with a bound on the rounding of float32",
            fix="" if is_exact else "the loss must take logits, and average over the batch",
        ),
        Finding(
            verdict=Verdict.PASS if is_undecided else Verdict.FAIL,
            where="loss of the first batch",
            what=f"{loss:.4f} is {gap:.4f} from ln {classes} = {log(classes):.4f}",
            why=f"the logits span {span:.4f}: the loss of an undecided network is at most that far "
            f"away, and the span is at most ln {classes}",
            fix="" if is_undecided else "start with smaller weights, or check what the loss takes",
        ),
    )


def check_weight_gradient(
    path: str, layer: nn.Conv2d, source: Tensor, upstream: Tensor, gradient: Tensor
) -> Finding:
    """Returns whether a convolution's weight gradient is the oracle's adjoint.

    Products of two float32 values are exact in float64; the oracle's own sum there rounds by at
    most terms * 2**-53 of the magnitude, which is added to the bound.

    Args:
        path: The layer's path.
        layer: The convolution, zero-padded.
        source: Its input (N, C_in, H, W).
        upstream: The gradient at its output.
        gradient: The weight gradient under test.
    """
    spec = ConvSpec(
        kernel_size=tuple(layer.kernel_size),
        stride=tuple(layer.stride),
        padding=padding_pairs(layer.padding, layer.kernel_size, layer.dilation, layer.stride),
        dilation=tuple(layer.dilation),
        groups=layer.groups,
        in_channels=layer.in_channels,
        out_channels=layer.out_channels,
    )
    x, g = _array(source).astype(np.float64), _array(upstream).astype(np.float64)
    exact = weight_adjoint(g, x, spec=spec)
    magnitude = weight_adjoint(abs(g), abs(x), spec=spec)
    terms = g.shape[0] * int(np.prod(g.shape[2:]))
    single = find_format("float32")
    bound = direct_bound(exact, magnitude, terms, accumulate=single, result=single)
    bound = bound + terms * find_format("float64").unit_roundoff * magnitude
    away = abs(_array(gradient).astype(np.float64) - exact)
    wrong = int((~(away <= bound)).sum())
    ratio = float((away / np.where(bound > 0, bound, 1)).max())
    verdict = Verdict.FAIL if wrong else Verdict.PASS if magnitude.any() else Verdict.UNKNOWN
    told = f"{wrong} of {exact.size} elements differ from" if wrong else "equals"
    return Finding(
        verdict=verdict,
        where=path,
        what=f"the weight gradient of the first batch {told} the exact adjoint within rounding",
        why=f"largest difference {ratio:.3g} of the bound for sums of {terms} float32 products",
    )


def trained_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """Returns the first convolution whose weights are trained."""
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d) and module.weight.requires_grad:
            return path, module
    raise LookupError(f"{type(network).__name__} trains no convolution")


def _array(tensor: Tensor) -> np.ndarray:
    return np.asarray(tensor.detach().contiguous().numpy())
