"""Two processes under torchrun: the same global batch, the same losses to rounding."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from convcheck.core.errors import UsageError
from convcheck.training.processes import Processes, joined

RUN = textwrap.dedent("""
    import sys
    from dataclasses import replace
    import numpy as np
    from convcheck.training import ImageSet, find_recipe, train
    from convcheck.training.data import shapes10

    x, y = shapes10.draw(330)
    xt, yt = shapes10.draw(50, split=1)
    images = ImageSet(label="drawn", classes=shapes10.CLASSES, train_images=x, train_labels=y,
                      test_images=xt, test_labels=yt)
    recipe = replace(find_recipe("quick"), epochs=2, log_every=5)
    result = train(recipe, images, out=sys.argv[1], log=lambda line: print(line, flush=True))
    if result.pictures is not None:
        np.save(sys.argv[1] + "/losses.npy", result.losses)
""")


def test_the_shares_of_a_batch_make_it_whole() -> None:
    batch = torch.arange(11)
    shares = [Processes(rank=rank, size=3).share(batch) for rank in range(3)]
    assert sorted(torch.cat(shares).tolist()) == batch.tolist()
    assert [len(share) for share in shares] == [4, 4, 3]
    assert Processes().share(batch) is batch


def test_one_process_joins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(torch.device("cpu")) as processes:
        assert processes == Processes()
        assert processes.leads


def test_an_incomplete_environment_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(UsageError, match="without MASTER_ADDR"), joined(torch.device("cpu")):
        pass


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    outputs = []
    for name, start in (("one", []), ("two", torchrun)):
        done = subprocess.run(
            [sys.executable, *start, str(script), str(tmp_path / name)],
            capture_output=True, text=True, env=environment, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    one, two = (np.load(tmp_path / name / "losses.npy") for name in ("one", "two"))
    assert len(one) == len(two) == 42  # 330 pictures leave a last batch of 10.
    # Losses of about 2.3 in float32, sums in another order, before rounding has grown.
    assert np.abs(one - two).max() < 64 * np.finfo(np.float32).eps
    assert outputs[1].count("[1,     5] loss") == 1  # One process prints.
