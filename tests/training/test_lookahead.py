"""The slow weights: followed at intervals, kept in checkpoints, taken over at the end."""

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from convcheck.training import ImageSet, Recipe, find_recipe, train
from convcheck.training.learner import Learner
from convcheck.training.lookahead import Lookahead


def test_the_network_returns_to_weights_that_follow_it_ever_more_slowly() -> None:
    network = nn.Linear(1, 1, bias=False)
    weight = network.weight
    nn.init.zeros_(weight)
    slow = Lookahead(network, every=2)
    expected = 0.0
    for step in range(1, 8):
        with torch.no_grad():
            weight.add_(1)
        fast = weight.item()
        slow.follow(step, 7)
        if step == 7:
            assert weight.item() == slow.slow["weight"].item()
            assert abs(weight.item() - expected) < 1e-6  # The last fast step is dropped.
        elif step % 2:
            assert weight.item() == fast
        else:
            kept = 0.95**2 * (step / 7) ** 3
            expected = kept * expected + (1 - kept) * fast
            assert abs(weight.item() - expected) < 1e-6


def test_the_statistics_of_batch_norm_follow_too_and_counts_do_not() -> None:
    slow = Lookahead(nn.BatchNorm2d(3), every=5).slow
    assert set(slow) == {"weight", "bias", "running_mean", "running_var"}


def test_a_resumed_run_has_its_slow_weights(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    recipe = replace(recipe, lookahead=5)
    whole = train(recipe, images, out=tmp_path / "whole")
    train(recipe, images, out=tmp_path / "parts", max_steps=23)
    resumed = train(recipe, images, out=tmp_path / "parts", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    without = train(replace(recipe, lookahead=0), images, out=tmp_path / "without")
    assert without.weights_sha256 != whole.weights_sha256


def test_a_warm_up_leaves_the_run_as_it_was(images: ImageSet) -> None:
    recipe = replace(find_recipe("typical"), batch_size=16, lookahead=2, threads=1)
    cold, warm = Learner(recipe, images), Learner(recipe, images)
    for learner in (cold, warm):
        learner.take_step()
    warm.warm_up()
    for learner in (cold, warm):
        learner.take_step()
    ours, theirs = warm.tensors(), cold.tensors()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
