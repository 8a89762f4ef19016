"""`train` whole: equal for equal seeds, resumable at any step, stopped by what must stop it."""

import json
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from convcheck.core.errors import InputError, UsageError
from convcheck.core.verdict import Verdict
from convcheck.training import ImageSet, Net, Recipe, TrainingResult, find_recipe, train
from convcheck.training.learner import Learner


def test_a_run_learns_and_tells_all(images: ImageSet, recipe: Recipe, tmp_path: Path) -> None:
    said: list[str] = []
    result = train(
        replace(recipe, epochs=12), images, out=tmp_path, log=said.append
    )  # fmt: skip
    assert result.passed
    assert result.steps == result.total_steps == 480
    assert result.losses[-40:].mean() < result.losses[:40].mean() - 0.1
    assert result.data == "shapes10 (synthetic, not CIFAR-10)"
    assert result.confusion is not None
    assert result.confusion.sum() == 100
    assert np.isclose(np.mean(list(result.per_class.values())), result.accuracy)
    assert [step for step, _ in result.evaluations] == list(range(40, 481, 40))
    assert result.evaluations[-1][1] == result.accuracy
    assert [layer.path for layer in result.layers if layer.op == "conv2d"] == ["conv1", "conv2"]
    assert "[1,    10] loss: 2." in "\n".join(said)
    assert sum("formula" in line for line in said) >= len(result.layers)


def test_the_files_of_a_run(images: ImageSet, recipe: Recipe, tmp_path: Path) -> None:
    result = train(recipe, images, out=tmp_path)
    stored = json.loads((tmp_path / "result.json").read_text())
    assert stored == json.loads(json.dumps(result.to_json()))
    metrics = [json.loads(line) for line in lines(tmp_path / "metrics.jsonl")]
    losses = [(entry["step"], entry["loss"]) for entry in metrics if "loss" in entry]
    assert tuple(losses) == result.loss_curve
    assert metrics[-1]["accuracy"] == result.accuracy
    assert {entry["data"] for entry in metrics} == {result.data}
    pictures = np.load(tmp_path / "pictures.npz")
    assert pictures["filters_after"].shape == (6, 3, 5, 5)
    assert not np.array_equal(pictures["filters_before"], pictures["filters_after"])
    shapes = {name: pictures[f"feature_map.{name}"].shape for name in ("conv1", "pool", "pool (2)")}
    assert shapes == {"conv1": (6, 28, 28), "pool": (6, 14, 14), "pool (2)": (16, 5, 5)}
    assert result.pictures is not None
    validated = [layer.expected_shape for layer in result.layers if layer.op != "flatten"]
    maps = result.pictures.feature_maps.values()
    assert [channels.shape for channels in maps] == [tuple(s or ())[1:] for s in validated]
    confident = pictures["mistake_confidences"]
    assert np.array_equal(confident, np.sort(confident)[::-1])
    assert (pictures["mistake_labels"] != pictures["mistake_predictions"]).all()


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_losses_are_printed_where_the_tutorial_prints_them_and_at_each_epochs_end(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    said: list[str] = []
    result = train(replace(recipe, log_every=15, epochs=2), images, out=tmp_path, log=said.append)
    printed = [line for line in said if "loss: " in line]
    assert [line.split("]")[0] for line in printed] == [
        "[1,    15", "[1,    30", "[1,    40", "[2,    15", "[2,    30", "[2,    40",
    ]  # fmt: skip
    assert [step for step, _ in result.loss_curve] == [15, 30, 40, 55, 70, 80]
    assert result.loss_curve[2][1] == sum(result.losses[30:40].tolist()) / 10
    assert result.loss_curve[3][1] == sum(result.losses[40:55].tolist()) / 15


def same(one: TrainingResult, other: TrainingResult) -> bool:
    return one.weights_sha256 == other.weights_sha256 and bool(
        np.array_equal(one.losses, other.losses)
    )


def test_equal_seeds_give_equal_bits(images: ImageSet, recipe: Recipe, tmp_path: Path) -> None:
    runs = [train(recipe, images, seed=s, out=tmp_path / str(n)) for n, s in enumerate((3, 3, 4))]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_training_leaves_the_callers_torch_as_it_was(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    torch.manual_seed(11)
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    train(replace(recipe, onednn=False, threads=2), images, out=tmp_path, max_steps=2)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert torch.backends.mkldnn.enabled


class Dropping(Net):
    """A network that draws from torch's generator at every step."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(nn.functional.dropout(x, 0.2, self.training))


@pytest.mark.parametrize("at", [1, 7, 13, 39])
def test_a_resumed_run_has_the_bits_of_an_undisturbed_one(
    images: ImageSet, recipe: Recipe, tmp_path: Path, at: int
) -> None:
    recipe = replace(recipe, network=Dropping)
    whole = train(recipe, images, out=tmp_path / "whole")
    stopped = train(recipe, images, out=tmp_path / "parts", max_steps=at)
    assert (stopped.steps, stopped.interrupted, stopped.accuracy) == (at, True, None)
    assert stopped.verdict is Verdict.UNKNOWN
    resumed = train(recipe, images, out=tmp_path / "parts", resume=True)
    assert same(whole, resumed)
    assert resumed.evaluations == whole.evaluations
    assert resumed.loss_curve == whole.loss_curve
    metrics = [
        [json.loads(line)["step"] for line in lines(tmp_path / name / "metrics.jsonl")]
        for name in ("whole", "parts")
    ]
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize("lost", ["generator", "momentum.3", "network.fc2.bias", "step"])
def test_a_run_that_resumes_without_a_part_of_its_state_is_another(
    images: ImageSet,
    recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
) -> None:
    recipe = replace(recipe, network=Dropping)
    whole = train(recipe, images, out=tmp_path / "whole")
    train(recipe, images, out=tmp_path / "parts", max_steps=13)
    restore = Learner.restore

    def forgetful(self: Learner, tensors: dict[str, torch.Tensor], step: int) -> None:
        own = {**self.tensors(), "momentum.3": torch.zeros(16)}
        kept = {name: own[name] if name == lost else value for name, value in tensors.items()}
        restore(self, kept, step)
        self.step -= lost == "step"

    monkeypatch.setattr(Learner, "restore", forgetful)
    assert not same(whole, train(recipe, images, out=tmp_path / "parts", resume=True))


def test_the_typical_recipe_resumes_with_its_statistics(images: ImageSet, tmp_path: Path) -> None:
    small = replace(
        find_recipe("typical"), batch_size=32, epochs=1, log_every=5, checkpoint_every=4, threads=1
    )
    whole = train(small, images, out=tmp_path / "whole")
    train(small, images, out=tmp_path / "parts", max_steps=5)
    resumed = train(small, images, out=tmp_path / "parts", resume=True)
    assert same(whole, resumed)
    assert resumed.accuracy == whole.accuracy
    assert resumed.mirrored_accuracy == whole.mirrored_accuracy is not None


def test_the_gpu_recipe_trains_in_small_on_the_cpu(images: ImageSet, tmp_path: Path) -> None:
    small = replace(find_recipe("gpu"), batch_size=4, log_every=2, threads=1, lookahead=2)
    result = train(small, images, out=tmp_path, device="cpu", max_steps=3)
    assert result.steps == 3
    assert np.isfinite(result.losses).all()


def test_a_checkpoint_of_another_recipe_is_refused(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    train(recipe, images, out=tmp_path, max_steps=7)
    for other, told in (
        (replace(recipe, learning_rate=0.5), "learning_rate 0.02, now 0.5"),
        (replace(recipe, threads=2), "threads 1, now 2"),
    ):
        with pytest.raises(InputError, match="of another run") as caught:
            train(other, images, out=tmp_path, resume=True)
        assert told in caught.value.what
    with pytest.raises(InputError, match="seed 0, now 1"):
        train(recipe, images, out=tmp_path, seed=1, resume=True)
    darker = replace(images, train_images=images.train_images // 2)
    with pytest.raises(InputError, match="data_sha256"):
        train(recipe, darker, out=tmp_path, resume=True)


def of_width(width: int) -> type[Net]:
    class Own(Net):
        def __init__(self, classes: int = 10) -> None:
            super().__init__(classes)
            self.fc2 = nn.Linear(120, width)
            self.fc3 = nn.Linear(width, classes)

    return Own


def test_a_checkpoint_of_a_network_that_was_changed_is_refused(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    train(replace(recipe, network=of_width(84)), images, out=tmp_path, max_steps=3)
    with pytest.raises(InputError, match="of another network") as caught:
        train(replace(recipe, network=of_width(85)), images, out=tmp_path, resume=True)
    assert "fc2.weight" in caught.value.why


def test_an_unfinished_run_is_not_overwritten(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    train(recipe, images, out=tmp_path, max_steps=9)
    with pytest.raises(InputError, match="stands at step 9"):
        train(recipe, images, out=tmp_path)
    resumed = train(recipe, images, out=tmp_path, resume=True)
    assert resumed.passed
    again = train(recipe, images, out=tmp_path)  # A finished run may be.
    assert same(resumed, again)
    short = train(recipe, images, out=tmp_path, seed=5, max_steps=3)
    assert short.steps == 3
    other = train(recipe, images, out=tmp_path, seed=5, resume=True)
    assert same(other, train(recipe, images, out=tmp_path / "other", seed=5))


def test_the_fast_settings_round_otherwise(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    plain = train(recipe, images, out=tmp_path / "plain")
    fast = train(recipe, images, out=tmp_path / "fast", fast=True)
    assert not np.array_equal(plain.losses, fast.losses)
    assert np.abs(plain.losses - fast.losses).max() < 64 * np.finfo(np.float32).eps
    with pytest.raises(InputError, match="fused False, now True"):
        train(recipe, images, out=tmp_path / "plain", fast=True, resume=True)


def test_a_finished_run_is_told_again_without_a_step(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    first = train(recipe, images, out=tmp_path)
    again = train(recipe, images, out=tmp_path, resume=True)
    assert same(first, again)
    assert again.accuracy == first.accuracy


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_the_run_goes_on(
    images: ImageSet, recipe: Recipe, tmp_path: Path, number: signal.Signals
) -> None:
    whole = train(recipe, images, out=tmp_path / "whole")

    def interrupt(line: str) -> None:
        if line.startswith("[1,    20]"):
            signal.raise_signal(number)

    before = signal.getsignal(number)
    stopped = train(recipe, images, out=tmp_path / "parts", log=interrupt)
    assert signal.getsignal(number) is before
    assert (stopped.steps, stopped.interrupted) == (20, True)
    assert same(whole, train(recipe, images, out=tmp_path / "parts", resume=True))


def test_a_second_interrupt_does_not_wait(images: ImageSet, recipe: Recipe, tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("[1,"):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(recipe, images, out=tmp_path, log=interrupt)


class Exploding(Net):
    """A network whose logits are NaN for one picture."""

    marker = torch.empty(0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        is_marked = (x - Exploding.marker).abs().flatten(1).amax(1, keepdim=True) == 0
        return torch.where(is_marked, float("nan"), super().forward(x))


def test_a_loss_that_is_not_a_number_stops_with_step_and_pictures(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    from convcheck.training.batches import normalise

    where = Learner(recipe, images).indices(11).tolist()
    Exploding.marker = normalise(
        recipe, torch.from_numpy(images.train_images[where[5] : where[5] + 1])
    )[0]
    result = train(replace(recipe, network=Exploding), images, out=tmp_path)
    assert result.verdict is Verdict.FAIL
    finding = result.findings[-1]
    assert finding.where == "step 12"
    assert finding.details["indices"] == where
    assert "step 7 is the last saved" in finding.fix
    assert result.steps == 11
    assert not result.interrupted
    assert all(bool(p.isfinite().all()) for p in result.network.parameters())


def test_wrong_layer_sizes_stop_the_run_before_the_first_step(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    large = replace(images, train_images=images.train_images.repeat(2, axis=2).repeat(2, axis=3))
    result = train(recipe, large, out=tmp_path)
    assert result.verdict is Verdict.FAIL
    assert result.steps == 0
    assert "fc1" in result.findings[0].where
    assert not list(tmp_path.glob("step-*"))


def test_a_batch_larger_than_the_data(images: ImageSet, recipe: Recipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="batch size 321 is larger than the data"):
        train(replace(recipe, batch_size=321), images, out=tmp_path)


def test_a_damaged_checkpoint_is_refused(images: ImageSet, recipe: Recipe, tmp_path: Path) -> None:
    train(recipe, images, out=tmp_path, max_steps=14)
    path = sorted(tmp_path.glob("*.safetensors"))[-1]
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(InputError, match="is damaged"):
        train(recipe, images, out=tmp_path, resume=True)


def test_a_checkpoint_copied_elsewhere_goes_on(
    images: ImageSet, recipe: Recipe, tmp_path: Path
) -> None:
    whole = train(recipe, images, out=tmp_path / "whole")
    train(recipe, images, out=tmp_path / "here", max_steps=8)
    (tmp_path / "here").rename(tmp_path / "there")
    assert same(whole, train(recipe, images, out=tmp_path / "there", resume=True))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"recipe": "note"}, "did you mean notes"),
        ({"device": "tpu"}, "device 'tpu' is unknown"),
        ({"seed": -1}, "seed -1"),
        ({"epochs": 0}, "epochs 0"),
        ({"max_steps": 0}, "max_steps 0"),
    ],
)
def test_what_does_not_exist_is_one_message(
    images: ImageSet, tmp_path: Path, arguments: dict[str, object], told: str
) -> None:
    with pytest.raises(UsageError) as caught:
        train(**{"recipe": "notes", "data": images, "out": tmp_path, **arguments})
    assert told in str(caught.value)
