"""Two processes under torchrun: the same global batch, the same losses to rounding."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from convcheck.core.errors import UsageError
from convcheck.training.processes import Processes, joined
from convcheck.training.shared_norm import SharedBatchNorm2d, share_norms

RUN = textwrap.dedent("""
    import sys
    from dataclasses import replace
    import numpy as np
    from convcheck.training import ImageSet, find_recipe, train, training_run
    from convcheck.training.data import shapes10

    x, y = shapes10.draw(129)
    xt, yt = shapes10.draw(50, split=1)
    images = ImageSet(label="drawn", classes=shapes10.CLASSES, train_images=x, train_labels=y,
                      test_images=xt, test_labels=yt)
    common = dict(batch_size=16, epochs=2, log_every=5, threads=1, drop_last=False)
    if "apart" in sys.argv:
        training_run.share_norms = lambda network: None
    for name in ("quick", "typical"):
        recipe = replace(find_recipe(name), **common)
        result = train(recipe, images, out=f"{sys.argv[1]}/{name}",
                       log=lambda line: print(line, flush=True))
        if result.pictures is not None:
            np.save(f"{sys.argv[1]}/{name}.npy", result.losses)
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


def test_a_shared_norm_of_one_process_is_a_batch_norm() -> None:
    torch.manual_seed(0)
    norms = [nn.Sequential(nn.BatchNorm2d(3, momentum=0.4, eps=1e-12)) for _ in range(2)]
    share_norms(norms[1])
    assert type(norms[1][0]) is SharedBatchNorm2d
    torch.distributed.init_process_group(
        "gloo", store=torch.distributed.HashStore(), rank=0, world_size=1
    )
    try:
        x, upstream = torch.randn(2, 5, 3, 4, 4)
        gradients = []
        for norm in norms:
            source = (7 + x).requires_grad_()
            norm(source).backward(upstream)
            gradients.append(source.grad)
    finally:
        torch.distributed.destroy_process_group()
    torch.testing.assert_close(gradients[0], gradients[1])
    for one, other in zip(
        norms[0].state_dict().items(), norms[1].state_dict().items(), strict=True
    ):
        assert one[0] == other[0]
        torch.testing.assert_close(one[1], other[1])
    for norm in norms:
        norm.eval()
    torch.testing.assert_close(norms[0](x), norms[1](x))


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(RUN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    outputs = []
    for name, start in (("one", []), ("two", torchrun), ("apart", torchrun)):
        done = subprocess.run(
            [sys.executable, *start, str(script), str(tmp_path / name), name],
            capture_output=True, text=True, env=environment, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        outputs.append(done.stdout)
    # Losses of about 2.3 in float32, sums in another order, before rounding has grown.
    allowed = 64 * np.finfo(np.float32).eps
    for recipe in ("quick", "typical"):
        one, two, apart = (
            np.load(tmp_path / name / f"{recipe}.npy") for name in ("one", "two", "apart")
        )
        # 129 pictures leave a last batch of one: the second process has no part in it.
        assert len(one) == len(two) == 18
        assert np.abs(one - two).max() < allowed
        # Only the network with batch norm notices that each process has its own statistics.
        assert (np.abs(one - apart).max() > 100 * allowed) == (recipe == "typical")
    assert outputs[1].count("[1,     5] loss") == 2  # One process prints.
