"""The optimiser that a recipe describes."""

from __future__ import annotations

import torch
from torch import nn

from convcheck.training.recipe import Recipe


def make_optimizer(recipe: Recipe, network: nn.Module) -> torch.optim.SGD:
    """Returns SGD over the network's trainable parameters.

    Biases of batch norm form a group of their own where the recipe gives them another rate; their
    weight decay is divided by the same factor, so that rate times decay is equal for all.
    """
    norms = [
        part for part in network.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)
    ]
    apart = {id(norm.bias) for norm in norms} if recipe.norm_bias_rate != 1 else set()
    trainable = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trainable if id(p) not in apart], "factor": 1.0},
        {
            "params": [p for p in trainable if id(p) in apart],
            "factor": recipe.norm_bias_rate,
            "weight_decay": recipe.weight_decay / recipe.norm_bias_rate,
        },
    ]
    return torch.optim.SGD(
        [group for group in groups if group["params"]],
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        # None leaves torch's own choice, which is what the tutorial gets.
        fused=True if recipe.fused else None,
    )


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Sets the learning rate of every group, each with its factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]
