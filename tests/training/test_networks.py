"""The networks: sizes, parameters, and a stem that whitens."""

import torch

from convcheck.models import check_model
from convcheck.training.network import Net
from convcheck.training.recipes.gpu import wide_net
from convcheck.training.typical_network import TypicalNet, whiten


def test_the_notes_network_has_the_sizes_of_the_notes() -> None:
    report = check_model(Net(), (4, 3, 32, 32))
    assert report.passed
    sizes = [c.output_shape[2] for c in report.layers if c.op in ("conv2d", "max_pool2d")]
    assert sizes == [28, 14, 10, 5]
    assert sum(p.numel() for p in Net().parameters()) == 62_006


def test_a_first_kernel_of_3_ends_at_the_same_size_by_other_layers() -> None:
    network = Net()
    network.conv1 = torch.nn.Conv2d(3, 6, 3)
    report = check_model(network, (4, 3, 32, 32))
    sizes = [c.output_shape[2] for c in report.layers if c.op in ("conv2d", "max_pool2d")]
    assert sizes == [30, 15, 11, 5]


def test_the_typical_network_has_the_order_of_the_notes() -> None:
    report = check_model(TypicalNet(), (4, 3, 32, 32))
    assert report.passed
    ops = [call.op for call in report.layers]
    at = ops.index("batch_norm")
    assert ops[at - 2 : at] == ["conv2d", "max_pool2d"]
    assert ops[-1] == "linear"


def test_the_wide_network_differs_in_widths_only() -> None:
    wide = wide_net(10)
    assert isinstance(wide, TypicalNet)
    assert [group.conv2.out_channels for group in wide.groups] == [64, 256, 256]


def test_the_stem_whitens_the_patches() -> None:
    generator = torch.Generator().manual_seed(0)
    smooth = torch.rand(50, 3, 8, 8, generator=generator).repeat_interleave(4, 2)
    pictures = smooth.repeat_interleave(4, 3) + 0.5 * torch.rand(50, 3, 32, 32, generator=generator)
    network = TypicalNet()
    whiten(network, pictures)
    out = network.whiten(pictures).detach()[:, :12].double()
    flat = out.permute(1, 0, 2, 3).reshape(12, -1)
    moments = flat @ flat.T / flat.shape[1]
    off = moments - moments.diag().diag()
    assert off.abs().max() < 1e-3
    assert moments.diag().min() > 0.9
    assert moments.diag().max() <= 1.001
    assert torch.equal(network.whiten.weight[12:], -network.whiten.weight[:12])
