"""Our steps beside those of the PyTorch tutorial's script, on the same pictures in the same order.

The script reads each picture from its file, converts it and normalises it at every step, as the
tutorial's does; with one thread and without loader processes, which is its fastest setting on a
busy machine. `python tests/benchmarks/test_training_speed.py` prints the table of costs.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from operator import truediv
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import Compose, Normalize, ToTensor

from convcheck.training import ImageSet, Net, find_recipe
from convcheck.training.batches import epoch_order
from convcheck.training.data import shapes10
from convcheck.training.data.folder import load_folder
from convcheck.training.learner import Learner, settings
from convcheck.training.recipe import Recipe, with_fast_settings

NOTES = find_recipe("notes")
FAST = with_fast_settings(NOTES)


def tutorial(root: Path, seed: int) -> Iterator[float]:
    """The straightforward script: yields the loss of each step of one epoch."""
    transform = Compose([ToTensor(), Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
    pictures = ImageFolder(str(root / "train"), transform)
    order = epoch_order(seed, 0, len(pictures)).tolist()
    loader = DataLoader(pictures, batch_size=4, sampler=order, num_workers=0)
    torch.manual_seed(seed)
    net = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    for inputs, labels in loader:
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        yield loss.item()


def ours(recipe: Recipe, images: ImageSet, seed: int) -> Iterator[float]:
    """The same steps by the library; `settings(recipe)` is the caller's business."""
    learner = Learner(recipe, images, seed=seed)
    for step in range(learner.steps_per_epoch):
        learner.take_step()
        yield learner.losses[step].item()


def kernels() -> Iterator[float]:
    """The kernels of a step on one fixed batch, with as little Python around them as can be."""
    torch.manual_seed(0)
    inputs, labels = torch.randn(4, 3, 32, 32), torch.tensor([1, 2, 3, 4])
    parameters = list(Net().parameters())
    w1, b1, w2, b2, w3, b3, w4, b4, w5, b5 = parameters
    momenta = [torch.zeros_like(parameter) for parameter in parameters]
    update = {"weight_decay": 0.0, "momentum": 0.9, "lr": 0.0, "dampening": 0.0,
              "nesterov": False, "maximize": False, "is_first_step": False}  # fmt: skip
    while True:
        x = torch.max_pool2d(torch.relu(torch.conv2d(inputs, w1, b1)), 2)
        x = torch.max_pool2d(torch.relu(torch.conv2d(x, w2, b2)), 2).flatten(1)
        x = torch.relu(torch.addmm(b4, torch.relu(torch.addmm(b3, x, w3.t())), w4.t()))
        loss = F.cross_entropy(torch.addmm(b5, x, w5.t()), labels)
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            torch._fused_sgd_(parameters, list(gradients), momenta, **update)
        yield 0.0


def write_pictures(root: Path, count: int) -> Path:
    pictures, labels = shapes10.draw(count)
    tests, test_labels = shapes10.draw(10, split=1)
    for split, images, classes in (("train", pictures, labels), ("test", tests, test_labels)):
        for number, (image, label) in enumerate(zip(images, classes, strict=True)):
            place = root / split / f"{label}"
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.transpose(1, 2, 0)).save(place / f"{number:05d}.jpg")
    return root


def cost_per_step(
    runs: dict[str, tuple[Recipe, Iterator[float]]], blocks: int = 12, steps: int = 50
) -> dict[str, list[float]]:
    """Returns CPU milliseconds per step, one value per block; the runs take turns."""
    costs: dict[str, list[float]] = {name: [] for name in runs}
    for block in range(blocks + 1):
        for name, (recipe, run) in runs.items():
            with settings(recipe):
                start = time.process_time()
                for _ in range(steps):
                    next(run)
                spent = time.process_time() - start
            if block:  # The first warms up.
                costs[name].append(1000 * spent / steps)
    return costs


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"), 840)


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("CONVCHECK_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    torch.set_num_threads(1)


def losses(run: Iterator[float], steps: int, recipe: Recipe = NOTES) -> np.ndarray:
    with settings(recipe):
        return np.array([next(run) for _ in range(steps)])


def test_the_losses_are_the_tutorials_bit_for_bit(root: Path) -> None:
    theirs = losses(tutorial(root, 3), 200)
    assert np.array_equal(losses(ours(NOTES, load_folder(root), 3), 200), theirs)
    assert not np.array_equal(losses(ours(NOTES, load_folder(root), 4), 200), theirs)


def test_the_fast_settings_part_from_them_by_rounding_alone(root: Path) -> None:
    """Rounding parts two runs at 1e-7 and doubles about every hundred steps."""
    images = load_folder(root)
    exact, quick = (losses(ours(r, images, 0), 100, r) for r in (NOTES, FAST))
    assert np.abs(exact - quick).max() <= 16 * np.finfo(np.float32).eps


@pytest.mark.slow
def test_the_fast_settings_stay_close_for_a_thousand_steps(tmp_path: Path) -> None:
    images = load_folder(write_pictures(tmp_path, 4000))
    exact, quick = (losses(ours(r, images, 0), 1000, r) for r in (NOTES, FAST))
    assert np.abs(exact - quick).max() <= 5e-3


@pytest.mark.parametrize("spoiled", [False, True])
def test_single_steps_from_equal_weights_agree(root: Path, spoiled: bool) -> None:
    """At many points of a run, one step of each kind from the same weights and momentum."""
    images = load_folder(root)
    other = replace(FAST, momentum=0.89) if spoiled else FAST
    lead, follow = Learner(NOTES, images), Learner(other, images)
    worst = 0.0
    for _ in range(20):
        for _ in range(10):
            lead.take_step()
        follow.restore({k: v.clone() for k, v in lead.tensors().items()}, lead.step)
        with settings(other):
            follow.take_step()
        lead.take_step()
        for ours_, theirs in zip(lead.parameters, follow.parameters, strict=True):
            scale = ours_.detach().abs().max()
            worst = max(worst, float((ours_ - theirs).detach().abs().max() / scale))
    allowed = 16 * float(np.finfo(np.float32).eps)
    assert (worst > allowed) == spoiled, worst


@pytest.mark.slow
def test_our_steps_cost_less_than_the_tutorials(tmp_path: Path) -> None:
    root = write_pictures(tmp_path, 4000)
    images = load_folder(root)
    costs = cost_per_step(
        {
            "tutorial": (NOTES, tutorial(root, 0)),
            "ours": (NOTES, ours(NOTES, images, 0)),
            "fast": (FAST, ours(FAST, images, 0)),
        }
    )
    # Blocks that ran side by side are compared: on a shared machine the load changes by the second.
    ratio = {
        name: statistics.median(map(truediv, costs["tutorial"], costs[name]))
        for name in ("ours", "fast")
    }
    assert ratio["ours"] >= 1.7, ratio
    assert ratio["fast"] >= 2.0, ratio


def main() -> None:
    """Prints the table: CPU time per step, quickest and median block, and the ratios."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        root = write_pictures(Path(place), 4000)
        images = load_folder(root)
        runs = {
            "tutorial's script": (NOTES, tutorial(root, 0)),
            "notes, equal bits": (NOTES, ours(NOTES, images, 0)),
            "notes, fast settings": (FAST, ours(FAST, images, 0)),
            "kernels alone": (NOTES, kernels()),
            "kernels alone, fast": (FAST, kernels()),
        }
        costs = cost_per_step(runs)
    first = costs["tutorial's script"]
    print(f"CPU ms per step of 4 pictures, {torch.__version__}, 1 thread, 12 blocks of 50 steps")
    print(f"{'':<22} {'min':>7} {'median':>7} {'ratio of min':>13} {'of median':>10}")
    for name, values in costs.items():
        low, middle = min(values), statistics.median(values)
        print(f"{name:<22} {low:7.2f} {middle:7.2f} {min(first) / low:13.2f}"
              f" {statistics.median(first) / middle:10.2f}")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
