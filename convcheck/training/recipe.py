"""`Recipe`: everything that decides a training run, besides data, seed and device."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from torch import Tensor, nn

from convcheck.core.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Network, loss, optimiser, schedule and augmentation of a run.

    The loss is the mean cross-entropy, the optimiser SGD with momentum.

    Attributes:
        name: What `--recipe` calls it.
        says: One sentence for people.
        network: Builds the network for a number of classes.
        prepare: Called once with the network and the first normalised training pictures.
        batch_size: Pictures per step, >= 1.
        epochs: Passes over the training pictures, >= 1.
        learning_rate: Peak rate.
        momentum: Of SGD, 0 <= momentum < 1.
        nesterov: Whether the momentum is Nesterov's.
        weight_decay: L2 penalty, as in `torch.optim.SGD`.
        label_smoothing: As in `torch.nn.functional.cross_entropy`, 0 <= value < 1.
        norm_bias_rate: Factor of the rate for the biases of batch norm.
        schedule: "constant"; "linear" decay to 0; "triangle" up to the peak, then down.
        peak: Where in 0 to 1 a triangle has its peak.
        lookahead: Steps between two returns to the slow weights, see `Lookahead`; 0 for none.
        flip: Whether each picture is mirrored in every other epoch.
        shift: Largest shift in pixels, drawn anew for every picture and epoch.
        mean: Per channel, of values scaled to 0 to 1.
        std: Per channel, likewise.
        log_every: Steps per printed mean loss, counted anew in each epoch, >= 1.
        checkpoint_every: Steps per checkpoint, >= 1.
        drop_last: Whether an incomplete last batch is left out.
        fused: Whether the optimiser's update is one fused kernel.
        onednn: Whether oneDNN computes the convolutions on the CPU.
        channels_last: Whether pictures and weights lie channels last in memory.
        autocast: Lower precision of the forward pass, or None.
        compiled: Whether, on CUDA alone, the network goes through `torch.compile` and cuDNN tries
            which algorithm is quickest; equal bits are then not promised.
        threads: CPU threads; part of the recipe because another count rounds otherwise.
    """

    name: str
    says: str
    network: Callable[[int], nn.Module]
    prepare: Callable[[nn.Module, Tensor], None] | None = None
    batch_size: int
    epochs: int
    learning_rate: float
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    norm_bias_rate: float = 1.0
    schedule: Literal["constant", "linear", "triangle"] = "constant"
    peak: float = 0.25
    lookahead: int = 0
    flip: bool = False
    shift: int = 0
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    log_every: int
    checkpoint_every: int
    drop_last: bool = False
    fused: bool = False
    onednn: bool = True
    channels_last: bool = False
    autocast: Literal["bfloat16"] | None = None
    compiled: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        """Refuses counts below one."""
        for name in ("batch_size", "epochs", "log_every", "checkpoint_every", "threads"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} {getattr(self, name)}", why="it must be at least 1")

    def steps_per_epoch(self, pictures: int) -> int:
        """Returns the number of batches in `pictures` training pictures."""
        whole, rest = divmod(pictures, self.batch_size)
        return whole + (rest > 0 and not self.drop_last)

    def rate(self, step: int, total: int) -> float:
        """Returns the learning rate of the step that follows `step` others of `total`."""
        if self.schedule == "constant":
            return self.learning_rate
        done = step / total
        if self.schedule == "linear":
            return self.learning_rate * (1 - done)
        up, down = done / self.peak, (1 - done) / (1 - self.peak)
        # Neither end is quite zero: every step moves the weights.
        return self.learning_rate * max(min(0.2 + 0.8 * up, 0.07 + 0.93 * down), 0.0)

    def settings(self) -> dict[str, object]:
        """Returns every field as a JSON value; functions by their qualified names."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    def deciding_settings(self) -> dict[str, object]:
        """Returns the settings that decide the weights; two runs in which they agree are equal."""
        silent = ("says", "log_every", "checkpoint_every")
        return {key: value for key, value in self.settings().items() if key not in silent}


def with_fast_settings(recipe: Recipe) -> Recipe:
    """Returns the recipe with settings that round otherwise and cost less per small step."""
    return replace(recipe, fused=True, onednn=recipe.batch_size > 8)


def precision(recipe: Recipe, device: torch.device) -> AbstractContextManager[object]:
    """Returns the context in which the network runs: lower precision where the recipe says so."""
    if recipe.autocast is None:
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, recipe.autocast))


def _plain(value: object) -> object:
    if callable(value):
        return f"{value.__module__}.{getattr(value, '__qualname__', repr(value))}"
    return list(value) if isinstance(value, tuple) else value
