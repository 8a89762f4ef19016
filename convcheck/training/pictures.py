"""The arrays behind the figures: filters, feature maps layer by layer, the worst mistakes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convcheck.training.batches import normalise
from convcheck.training.data.image_set import ImageSet
from convcheck.training.evaluation import Evaluation
from convcheck.training.recipe import Recipe
from convcheck.training.result import Pictures

_MISTAKES = 25


def first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """Returns the path and the module of the network's first convolution."""
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return path, module
    raise LookupError(f"{type(network).__name__} has no convolution")


def filters(network: nn.Module) -> NDArray[np.float32]:
    """Returns a copy of the first convolution's kernels, (C_out, C_in, K, K)."""
    weight = first_convolution(network)[1].weight.detach()
    return weight.cpu().contiguous().numpy().copy()


def feature_maps(
    recipe: Recipe, network: nn.Module, picture: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Returns what each layer gives for one picture, by path in call order, (C, H, W) or (C,).

    A module that is called more than once (the notes' `pool`) appears once per call: `pool`,
    `pool (2)`.
    """
    maps: dict[str, NDArray[np.float32]] = {}
    times: dict[str, int] = {}

    def record(path: str, output: Tensor) -> None:
        times[path] = times.get(path, 0) + 1
        name = path if times[path] == 1 else f"{path} ({times[path]})"
        maps[name] = output[0].float().cpu().numpy().copy()

    hooks = [
        module.register_forward_hook(lambda _m, _i, output, path=path: record(path, output))
        for path, module in network.named_modules()
        if not list(module.children())
    ]
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    try:
        with torch.inference_mode():
            network(normalise(recipe, torch.from_numpy(picture[None]).to(device)))
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return maps


def make_pictures(
    recipe: Recipe,
    network: nn.Module,
    before: NDArray[np.float32],
    images: ImageSet,
    evaluation: Evaluation,
) -> Pictures:
    """Returns the arrays for figures of a trained network.

    Args:
        recipe: Holds the normalisation.
        network: The trained network.
        before: Its first filters before training.
        images: The pictures.
        evaluation: Of the network on the test pictures.
    """
    worst = evaluation.mistakes(_MISTAKES)
    # The first test picture that the network gets right: its maps show features that work.
    right = np.flatnonzero(evaluation.predictions == evaluation.labels)
    sample = int(right[0]) if len(right) else 0
    return Pictures(
        filters_before=before,
        filters_after=filters(network),
        sample=np.array(images.test_images[sample]),
        sample_label=int(images.test_labels[sample]),
        feature_maps=feature_maps(recipe, network, images.test_images[sample]),
        mistakes=np.array(images.test_images[worst]),
        mistake_labels=np.array(images.test_labels[worst]),
        mistake_predictions=evaluation.predictions[worst],
        mistake_confidences=evaluation.probabilities.max(axis=1)[worst],
    )
