"""`Learner`: a network being trained, one step at a time; all that a checkpoint must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite

import torch
import torch.nn.functional as F
from torch import Tensor

from convcheck.training.batches import augment, batch_indices, epoch_order, normalise
from convcheck.training.data.image_set import ImageSet
from convcheck.training.optimizer import make_optimizer, set_rate
from convcheck.training.processes import Processes
from convcheck.training.recipe import Recipe

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
        self.step = 0
        self.losses = torch.zeros(self.total_steps, device=self.device)
        self._order = (-1, torch.empty(0))
        self._layout = layout
        is_compiled = recipe.compiled and self.device.type == "cuda"
        self._forward = torch.compile(self.network) if is_compiled else self.network

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
        indices = self.processes.share(self.indices(step))
        epoch = step // self.steps_per_epoch
        raw = augment(
            self.recipe, self.images, indices, seed=self.seed, epoch=epoch, step=step
        )  # fmt: skip
        pictures = normalise(self.recipe, raw)
        labels = self.labels[indices.to(self.device)]
        return pictures.contiguous(memory_format=self._layout), labels

    def forward(self, pictures: Tensor) -> Tensor:
        """Returns the logits (B, classes) of normalised pictures, float32."""
        if self.recipe.autocast is None:
            return self._forward(pictures)
        with torch.autocast(self.device.type, dtype=getattr(torch, self.recipe.autocast)):
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
        loss = self.criterion(self.forward(pictures), labels)
        if self.processes.size > 1:
            loss = loss * (len(labels) / len(self.indices(step)))
        loss.backward()
        total = self.processes.add_up(self.parameters, loss.detach())
        self.losses[step] = total
        if self.device.type == "cpu" and not isfinite(total.item()):
            raise DivergedError(step)
        self.optimizer.step()
        self.step += 1

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
        held["generator"] = torch.random.get_rng_state()
        held["losses"] = self.losses[: self.step]
        return held

    def restore(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Takes up the run at `step` from what `tensors` returned there."""
        prefix = "network."
        weights = {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}
        self.network.load_state_dict(weights)
        for number, parameter in enumerate(self.parameters):
            if f"momentum.{number}" in tensors:
                momentum = torch.empty_like(parameter).copy_(tensors[f"momentum.{number}"])
                self.optimizer.state[parameter]["momentum_buffer"] = momentum
        torch.random.set_rng_state(tensors["generator"])
        self.losses[:step] = tensors["losses"].to(self.device)
        self.step = step


@contextmanager
def settings(recipe: Recipe) -> Iterator[None]:
    """Sets the thread count and oneDNN as the recipe says, and puts everything back.

    The state of torch's generator is put back too: training must not change what the caller
    draws afterwards.
    """
    threads, onednn = torch.get_num_threads(), torch.backends.mkldnn.enabled
    torch.set_num_threads(recipe.threads)
    torch.backends.mkldnn.enabled = recipe.onednn
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.mkldnn.enabled = onednn
