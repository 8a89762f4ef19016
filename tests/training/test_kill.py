"""kill -9 at any moment, then `resume`: the bits of an undisturbed run."""

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from convcheck.training import train
from convcheck.training.data.image_set import ImageSet

# 80 steps of the notes' network with dropout, a checkpoint at every second step.
SETTING = textwrap.dedent("""
    import sys
    from dataclasses import replace
    from torch.nn.functional import dropout
    from convcheck.training import ImageSet, Net, find_recipe, train
    from convcheck.training.data import shapes10

    class Dropping(Net):
        def forward(self, x):
            return super().forward(dropout(x, 0.1, self.training))

    x, y = shapes10.draw(320)
    xt, yt = shapes10.draw(20, split=1)
    images = ImageSet(label="drawn", classes=shapes10.CLASSES, train_images=x, train_labels=y,
                      test_images=xt, test_labels=yt)
    recipe = replace(find_recipe("quick"), network=Dropping, batch_size=8, epochs=2,
                     log_every=1, checkpoint_every=2)
""")
RUN = SETTING + textwrap.dedent("""
    result = train(recipe, images, out=sys.argv[1], resume=True,
                   log=lambda line: print(line, flush=True))
    print("digest", result.weights_sha256, flush=True)
""")


# A restore that forgets something: the test must notice.
FORGET = textwrap.dedent("""
    from convcheck.training.learner import Learner
    import torch

    restore, lost = Learner.restore, {lost!r}

    def forgetful(self, tensors, step):
        own = torch.random.get_rng_state()
        kept = {{k: v for k, v in tensors.items() if not k.startswith(lost)}}
        restore(self, {{"generator": own, **kept}}, step)

    Learner.restore = forgetful
""")


def run_until(out: Path, steps: int | None, pause: float, lost: str = "") -> str | None:
    """Runs on in `out`; kills after `steps` printed losses, or returns the final digest."""
    code = (FORGET.format(lost=lost) if lost else "") + RUN
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        printed = 0
        for line in process.stdout:
            printed += "loss:" in line
            if line.startswith("digest"):
                return line.split()[1]
            if steps is not None and printed >= steps:
                try:
                    process.wait(pause)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                break
    return None


def killed_and_resumed(out: Path, kills: int, seed: int, lost: str = "") -> tuple[str, int]:
    """Returns the digest after so many kills, and how many of them hit a run under way."""
    draw = random.Random(seed)
    hits = 0
    for _ in range(kills):
        most = max(1, 60 // kills)
        digest = run_until(out, draw.randint(1, most), draw.random() * 0.01, lost)
        hits += digest is None
    digest = run_until(out, None, 0, lost)
    assert digest is not None
    return digest, hits


def undisturbed(out: Path) -> str:
    """Runs the same in this process."""
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(SETTING, "setting", "exec"), names)
    images, recipe = names["images"], names["recipe"]
    assert isinstance(images, ImageSet)
    return train(recipe, images, out=out).weights_sha256


def test_two_kills_leave_the_bits_of_an_undisturbed_run(tmp_path: Path) -> None:
    digest, hits = killed_and_resumed(tmp_path / "killed", 2, seed=random.randrange(10**6))
    assert hits > 0
    assert digest == undisturbed(tmp_path / "whole")
    assert not list((tmp_path / "killed").glob("*.tmp"))
    steps = [
        json.loads(line)["step"]
        for line in (tmp_path / "killed/metrics.jsonl").read_text().splitlines()
    ]
    assert steps == sorted(steps)
    assert set(steps) == set(range(1, 81))


@pytest.mark.slow
def test_twenty_kills_leave_the_bits_of_an_undisturbed_run(tmp_path: Path) -> None:
    digest, hits = killed_and_resumed(tmp_path / "killed", 20, seed=2026)
    assert hits >= 18
    assert digest == undisturbed(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["generator", "momentum."])
def test_what_a_resume_forgets_is_noticed(tmp_path: Path, lost: str) -> None:
    digest, hits = killed_and_resumed(tmp_path / "killed", 3, seed=1, lost=lost)
    assert hits > 0
    assert digest != undisturbed(tmp_path / "whole")
