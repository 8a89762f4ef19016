"""The checks before the first step pass on what is right, and fail on what is not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.training.data.image_set import ImageSet
from convcheck.training.first_batch import (
    check_first_batch,
    check_layers,
    check_loss,
    check_weight_gradient,
)
from convcheck.training.learner import Learner
from convcheck.training.network import Net
from convcheck.training.recipe import Recipe
from convcheck.training.recipes import RECIPES


def verdicts(findings: tuple[Finding, ...]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_passes(recipe: Recipe, images: ImageSet) -> None:
    learner = Learner(replace(recipe, batch_size=16), images)
    report, findings = check_layers(learner)
    assert verdicts(findings) == [Verdict.PASS]
    assert all(layer.output_shape == layer.expected_shape for layer in report.layers)
    assert verdicts(check_first_batch(learner)) == [Verdict.PASS] * 3


def test_the_checks_leave_the_run_as_it_was(recipe: Recipe, images: ImageSet) -> None:
    untouched, checked = Learner(recipe, images), Learner(recipe, images)
    check_layers(checked)
    check_first_batch(checked)
    for learner in (untouched, checked):
        for _ in range(3):
            learner.take_step()
    assert torch.equal(untouched.losses, checked.losses)


def test_a_network_for_another_size_is_refused(recipe: Recipe, images: ImageSet) -> None:
    large = replace(images, train_images=images.train_images.repeat(2, axis=2).repeat(2, axis=3))
    report, findings = check_layers(Learner(recipe, large))
    assert Verdict.FAIL in verdicts(findings)
    assert not report.passed
    assert "fc1" in findings[0].where


class SumLoss(Learner):
    def criterion(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, reduction="sum")


class SoftmaxTwice(Learner):
    def criterion(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits.softmax(dim=1), labels)


class Likelihood(Learner):
    def criterion(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.nll_loss(logits, labels)


@pytest.mark.parametrize("wrong", [SumLoss, SoftmaxTwice, Likelihood])
def test_a_loss_that_is_no_cross_entropy_is_caught(
    wrong: type[Learner], recipe: Recipe, images: ImageSet
) -> None:
    findings = check_first_batch(wrong(recipe, images))
    assert findings[0].verdict is Verdict.FAIL
    assert "is not the cross-entropy" in findings[0].what


def test_a_network_that_starts_decided_is_caught(recipe: Recipe, images: ImageSet) -> None:
    learner = Learner(recipe, images)
    with torch.no_grad():
        learner.network.fc3.weight.mul_(200)
    exact, undecided, gradient = check_first_batch(learner)
    assert exact.verdict is Verdict.PASS
    assert undecided.verdict is Verdict.FAIL
    assert gradient.verdict is Verdict.PASS


def test_label_smoothing_is_part_of_the_loss() -> None:
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(6, 10, generator=generator) / 4, torch.arange(6)
    smoothed = F.cross_entropy(logits, labels, label_smoothing=0.1).item()
    arrays = logits.numpy(), labels.numpy()
    assert check_loss(smoothed, *arrays, 0.1)[0].verdict is Verdict.PASS
    assert check_loss(smoothed, *arrays, 0.0)[0].verdict is Verdict.FAIL


def gradient_case() -> tuple[nn.Conv2d, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    layer = Net().conv1
    source = torch.randn(3, 3, 12, 12)
    output = layer(source)
    upstream = torch.randn_like(output)
    output.backward(upstream)
    assert layer.weight.grad is not None
    return layer, source, upstream, layer.weight.grad


def test_a_right_gradient_passes() -> None:
    finding = check_weight_gradient("conv1", *gradient_case())
    assert finding.verdict is Verdict.PASS
    assert "192 float32 products" in finding.why


@pytest.mark.parametrize(
    "spoil",
    [
        lambda g: g.flip(-1),
        lambda g: g / 3,
        lambda g: g.transpose(2, 3),
        lambda g: g + 1e-2 * (torch.arange(g.numel()) == 17).reshape(g.shape),
        lambda g: torch.full_like(g, float("nan")),
    ],
    ids=["flipped", "averaged", "transposed", "one element", "nan"],
)
def test_a_wrong_gradient_is_caught(spoil: object) -> None:
    layer, source, upstream, gradient = gradient_case()
    assert callable(spoil)
    finding = check_weight_gradient("conv1", layer, source, upstream, spoil(gradient))
    assert finding.verdict is Verdict.FAIL
    assert "of 450 elements differ" in finding.what


def test_a_gradient_of_nothing_is_no_pass() -> None:
    layer, source, _, gradient = gradient_case()
    none = torch.zeros(3, 6, 8, 8)
    finding = check_weight_gradient("conv1", layer, source, none, torch.zeros_like(gradient))
    assert finding.verdict is Verdict.UNKNOWN


def test_the_bound_is_small_beside_the_gradient() -> None:
    """A bound that lets everything pass would check nothing."""
    layer, source, upstream, gradient = gradient_case()
    off = gradient * (1 + np.float32(2e-4))
    finding = check_weight_gradient("conv1", layer, source, upstream, off)
    assert finding.verdict is Verdict.FAIL
