"""`convcheck train`: what it prints, and the exit codes of what can go wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from convcheck.cli.main import main


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVCHECK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("convcheck.training.data.load.TRAIN_SHAPES", 400)
    monkeypatch.setattr("convcheck.training.data.load.TEST_SHAPES", 100)
    monkeypatch.chdir(tmp_path)


def test_without_arguments_it_trains_on_the_drawn_shapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train"]) == 0
    printed = capsys.readouterr().out
    assert "formula 6x28x28" in printed
    assert "PASS loss of the first batch" in printed
    assert "accuracy on shapes10 (synthetic, not CIFAR-10):" in printed
    assert "PASS: 75 of 75 steps" in printed
    assert (tmp_path / "runs" / "train-quick-shapes10-seed0" / "result.json").is_file()


def test_json_goes_to_stdout_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--epochs", "1", "--json", "-"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["steps"] == 25
    assert result["data"] == "shapes10 (synthetic, not CIFAR-10)"


def test_max_steps_is_incomplete_and_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "-q", "--max-steps", "10"]) == 3
    assert "--resume" in capsys.readouterr().err
    assert main(["train", "-q"]) == 2
    assert "stands at step 10" in capsys.readouterr().err
    assert main(["train", "-q", "--resume"]) == 0
    assert "PASS: 75 of 75 steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--data", "nowhere"], "nowhere is not a directory"),
        (["--data", "cifar10"], "has none of the 7 files"),
        (["--recipe", "typical2"], "did you mean typical"),
        (["--device", "cuda"], "no CUDA device"),
        (["--epochs", "0"], "--epochs"),
        (["--out", "file/run"], "cannot write to file/run"),
        (["--out", "/proc/convcheck"], "cannot write to /proc/convcheck"),
        (["--recipe", "gpu"], "batch size 1024 is larger than the data"),
    ],
)
def test_a_mistake_is_one_message_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    import torch

    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("a CUDA device is at hand")
    (tmp_path / "file").write_text("")
    assert main(["train", *arguments]) == 2
    message = capsys.readouterr().err
    assert told in message
    assert "Traceback" not in message


def test_a_missing_package_for_export_is_told_before_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("convcheck.training.export._NEEDED", ("no_such_package",))
    assert main(["train", "--export", "model.onnx"]) == 2
    printed = capsys.readouterr()
    assert "needs no_such_package" in printed.err
    assert not printed.out


def test_an_interrupt_saves_and_says_how_to_go_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "convcheck", "train", "--out", "run"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if "loss:" in line:
                break
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - started < 30
    assert "--resume --out run" in told
    assert "Traceback" not in told
    assert list((tmp_path / "run").glob("step-*.safetensors"))
