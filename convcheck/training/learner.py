"""`Learner`: a network being trained, one step at a time; all that a checkpoint must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

import torch
import torch.nn.functional as F
from torch import Tensor

from convcheck.training.batches import (
    batch_indices,
    draw_views,
    epoch_order,
    normalise,
    see,
)
from convcheck.training.data.image_set import ImageSet
from convcheck.training.lookahead import Lookahead
from convcheck.training.optimizer import make_optimizer, set_rate
from convcheck.training.processes import Processes
from convcheck.training.recipe import Recipe, precision

_PREPARE_WITH = 5000


class DivergedError(ArithmeticError):
    """The loss of a step is not a finite number; `step` counts from 0."""

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss of step {step} is not finite")
        self.step = step


class Learner:
    """Weights, optimiser and position of a run.

    Args:
        recipe: What decides the run.
        images: The pictures.
        seed: Decides the first weights, the order, the flips and the shifts.
        device: Where the pictures and the weights lie.
        processes: The processes that share each batch.
    """

    def __init__(
        self,
        recipe: Recipe,
        images: ImageSet,
        *,
        seed: int = 0,
        device: torch.device | None = None,
        processes: Processes | None = None,
    ) -> None:
        self.recipe, self.seed = recipe, seed
        self.device = device or torch.device("cpu")
        self.processes = processes or Processes()
        self.images = torch.from_numpy(images.train_images).to(self.device)
        self.labels = torch.from_numpy(images.train_labels).to(self.device)
        self.steps_per_epoch = recipe.steps_per_epoch(len(self.labels))
        self.total_steps = recipe.epochs * self.steps_per_epoch
        torch.manual_seed(seed)
        self.network = recipe.network(len(images.classes))
        if recipe.prepare is not None:
            recipe.prepare(self.network, normalise(recipe, self.images[:_PREPARE_WITH].cpu()))
        layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.network = self.network.to(self.device, memory_format=layout)
        self.optimizer = make_optimizer(recipe, self.network)
        self.parameters = [p for p in self.network.parameters() if p.requires_grad]
        self.lookahead = Lookahead(self.network, recipe.lookahead) if recipe.lookahead else None
        self.step = 0
        self.losses = torch.zeros(self.total_steps, device=self.device)
        self._order = (-1, torch.empty(0))
        self._layout = layout
        self.is_compiled = recipe.compiled and self.device.type == "cuda"
        self._forward = torch.compile(self.network) if self.is_compiled else self.network

    @property
    def epoch(self) -> int:
        """The epoch of the next step, from 0."""
        return self.step // self.steps_per_epoch

    def indices(self, step: int) -> Tensor:
        """Returns the indices of the training pictures that a step sees, in their order."""
        epoch, within = divmod(step, self.steps_per_epoch)
        if self._order[0] != epoch:
            self._order = (epoch, epoch_order(self.seed, epoch, len(self.labels)))
        return batch_indices(self.recipe, self._order[1], within)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Returns this process's pictures (B, 3, H, W), normalised, and labels (B,) of a step."""
        recipe, indices = self.recipe, self.indices(step)
        plan = [indices[:, None]]
        if recipe.flip or recipe.shift:
            epoch = step // self.steps_per_epoch
            plan.append(
                draw_views(
                    recipe, indices, len(self.labels), seed=self.seed, epoch=epoch, step=step
                )
            )
        whole = self._send(self.processes.share(torch.cat(plan, dim=1)))
        indices, views = whole[:, 0], whole[:, 1:]
        raw = see(self.images, indices, views) if len(plan) > 1 else self.images[indices]
        return normalise(recipe, raw).contiguous(memory_format=self._layout), self.labels[indices]

    def _send(self, plan: Tensor) -> Tensor:
        """Returns a copy on the device, for which a GPU's queue of kernels need not run empty."""
        if self.device.type == "cpu":
            return plan
        return plan.pin_memory().to(self.device, non_blocking=True)

    def forward(self, pictures: Tensor) -> Tensor:
        """Returns the logits (B, classes) of normalised pictures, float32."""
        with precision(self.recipe, self.device):
            return self._forward(pictures).float()

    def criterion(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns the mean cross-entropy of logits (B, classes) for labels (B,)."""
        return F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)

    def take_step(self) -> None:
        """Learns from the next batch; its loss, from before the update, goes into `losses`.

        Raises:
            DivergedError: The loss is not finite; weights and position are as before. On a GPU this
                would wait for the device at every step, so there `check_losses` has to be called.
        """
        recipe, step = self.recipe, self.step
        pictures, labels = self.batch(step)
        if recipe.schedule != "constant":
            set_rate(self.optimizer, recipe.rate(step, self.total_steps))
        self.optimizer.zero_grad()
        logits = self.forward(pictures)
        if len(labels):
            loss = self.criterion(logits, labels)
        else:
            loss = logits.sum()  # An epoch's last batch may be too small for every process.
        if self.processes.size > 1:
            loss = loss * (len(labels) / len(self.indices(step)))
        loss.backward()
        total = self.processes.add_up(self.parameters, loss.detach())
        self.losses[step] = total
        if self.device.type == "cpu" and not isfinite(total.item()):
            raise DivergedError(step)
        self.optimizer.step()
        self.step += 1
        if self.lookahead is not None:
            self.lookahead.follow(self.step, self.total_steps)

    def warm_up(self) -> None:
        """Has everything compiled that the next step needs, and leaves the run as it was."""
        before = {name: value.clone() for name, value in self.tensors().items()}
        pictures, labels = self.batch(self.step)
        self.criterion(self.forward(pictures), labels).backward()
        self.optimizer.zero_grad()
        self.restore(before, self.step)

    def check_losses(self) -> None:
        """Raises where a loss so far is not finite.

        Raises:
            DivergedError: The first such step.
        """
        wrong = (~self.losses[: self.step].isfinite()).nonzero()
        if len(wrong):
            raise DivergedError(int(wrong[0]))

    def tensors(self) -> dict[str, Tensor]:
        """Returns all that decides the steps to come: weights, momentum, generator; and losses."""
        held = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        for number, parameter in enumerate(self.parameters):
            momentum = self.optimizer.state[parameter].get("momentum_buffer")
            if momentum is not None:
                held[f"momentum.{number}"] = momentum
        if self.lookahead is not None:
            held.update({f"slow.{name}": value for name, value in self.lookahead.slow.items()})
        held["generator"] = torch.random.get_rng_state()
        held["losses"] = self.losses[: self.step]
        return held

    def restore(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Takes up the run at `step` from what `tensors` returned there."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}

        self.network.load_state_dict(part("network."))
        if self.lookahead is not None:
            self.lookahead.restore(part("slow."))
        for number, parameter in enumerate(self.parameters):
            if f"momentum.{number}" in tensors:
                momentum = torch.empty_like(parameter).copy_(tensors[f"momentum.{number}"])
                self.optimizer.state[parameter]["momentum_buffer"] = momentum
        torch.random.set_rng_state(tensors["generator"])
        self.losses[:step] = tensors["losses"].to(self.device)
        self.step = step


@contextmanager
def settings(recipe: Recipe) -> Iterator[None]:
    """Sets the thread count, oneDNN and cuDNN as the recipe says, and puts everything back.

    The state of torch's generator is put back too: training must not change what the caller
    draws afterwards.
    """
    threads, onednn = torch.get_num_threads(), torch.backends.mkldnn.enabled
    tries_algorithms = torch.backends.cudnn.benchmark
    torch.set_num_threads(recipe.threads)
    torch.backends.mkldnn.enabled = recipe.onednn
    torch.backends.cudnn.benchmark = recipe.compiled
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.mkldnn.enabled = onednn
        torch.backends.cudnn.benchmark = tries_algorithms
