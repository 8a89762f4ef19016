"""Claims S51 to S64: the architecture, the data set, the code."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import Any

from convcheck.notes.claim import Claim, Reading
from convcheck.notes.evidence import by_claim, by_computation, by_theorem


@cache
def _layers(size: int = 32) -> dict[str, Any]:
    """Returns the notes' network's layer calls by path and number of the call."""
    from convcheck.models import check_model
    from convcheck.training.network import Net

    report = check_model(Net, (1, 3, size, size))
    assert report.passed, report.findings
    calls: dict[str, Any] = {}
    for layer in report.layers:
        number = sum(path.split("#")[0] == layer.path for path in calls) + 1
        calls[f"{layer.path}#{number}"] = layer
    return calls


def _order_of_layers() -> tuple[Reading, ...]:
    import torch
    from torch.nn.functional import avg_pool1d, relu

    x = torch.tensor([[[-3.0, 1.0]]])
    first, second = avg_pool1d(relu(x), 2), relu(avg_pool1d(x, 2))
    return (
        by_theorem(
            "relu_commutes_with_max_pooling",
            "pooling before ReLU is the same as after it, for max pooling",
        ),
        by_computation(
            torch.equal(first, second),
            "pooling before ReLU is the same as after it, for any pooling",
            f"average of (-3, 1): ReLU first gives {first.item():g}, pooling first "
            f"{second.item():g}",
        ),
    )


def _picture_size() -> tuple[Reading, ...]:
    from torchvision.datasets import CIFAR10

    source = inspect.getsource(CIFAR10)
    first = _layers()["conv1#1"]
    return (
        by_computation(
            "reshape(-1, 3, 32, 32)" in source and first.input_shape[1:] == (3, 32, 32),
            "a picture is 3x32x32",
            "torchvision's reader lays every record out as (3, 32, 32), and the first layer call "
            f"of the network receives {first.input_shape}",
        ),
    )


def _labels() -> tuple[Reading, ...]:
    import torch

    width = _layers()["fc3#1"].output_shape[-1]
    accepted = []
    for label in range(12):
        try:
            torch.nn.functional.cross_entropy(torch.zeros(1, width), torch.tensor([label]))
        except IndexError:
            continue
        accepted.append(label)
    return (
        by_computation(
            accepted == list(range(10)),
            "there are ten labels",
            f"the network has {width} outputs, and its loss takes the labels {accepted} and no "
            "other up to 11",
        ),
    )


def _channels(path: str, side: str, says: int) -> tuple[Reading, ...]:
    layer = _layers()[f"{path}#1"]
    shape = layer.input_shape if side == "in" else layer.output_shape
    return (
        by_computation(
            shape[1] == says,
            f"{path} has {says} {side}put channels",
            f"the traced call: {layer.input_shape} to {layer.output_shape}",
        ),
    )


def _kernel_comment() -> tuple[Reading, ...]:
    import torch

    from convcheck.models import check_model
    from convcheck.training.network import Net

    code = _layers()["conv1#1"]
    parameters, ends = {}, {}
    for kernel in range(1, 7):
        net = Net()
        net.conv1 = torch.nn.Conv2d(3, 6, kernel)
        report = check_model(net, torch.zeros(1, 3, 32, 32))
        traced = [layer for layer in report.layers if layer.op in ("conv2d", "max_pool2d")]
        parameters[kernel] = traced[0].parameters
        ends[kernel] = traced[-1].output_shape[1:]
    alike = [kernel for kernel in ends if ends[kernel] == ends[5]]
    return (
        by_computation(
            parameters[3] == code.parameters,
            "the comment `kernel size = 3` describes the first layer",
            f"the layer has {code.parameters} parameters, a kernel of 3 would have "
            f"{parameters[3]}; the final size cannot tell, as kernels {alike} all end at "
            f"{'x'.join(map(str, ends[5]))}",
        ),
    )


def _halves() -> tuple[Reading, ...]:
    return (
        by_claim(
            "2*floor((W-2)/2+1) == W given W >= 2", "a 2x2 pooling with stride 2 halves every size"
        ),
        by_claim(
            "floor((2*W-2)/2)+1 == W given W >= 1",
            "a 2x2 pooling with stride 2 halves the size",
            under="the size is even; otherwise rounded down",
        ),
    )


def _flat_features() -> tuple[Reading, ...]:
    import torch

    from convcheck.training.network import Net

    network, fits = Net().to("meta"), []
    for size in range(20, 45):
        try:
            network(torch.empty(1, 3, size, size, device="meta"))
        except RuntimeError:
            continue
        fits.append(size)
    pooled = _layers()["pool#2"].output_shape
    return (
        by_computation(
            fits == list(range(20, 45)),
            "16*5*5 features for every picture",
            f"of the squares from 20 to 44 the network runs on {fits}",
        ),
        by_computation(
            pooled[1:] == (16, 5, 5) and fits == [32, 33, 34, 35],
            "16*5*5 features",
            f"the last pooling gives {pooled}",
            under="pictures of 32 to 35 pixels a side",
        ),
    )


def _fully_connected() -> tuple[Reading, ...]:
    calls = _layers()
    widths = [calls["fc1#1"].input_shape[-1]]
    widths += [calls[f"fc{n}#1"].output_shape[-1] for n in (1, 2, 3)]
    total = sum(layer.parameters for layer in calls.values() if not layer.path.startswith("pool"))
    return (
        by_computation(
            widths == [400, 120, 84, 10],
            "the fully connected layers go 400, 120, 84, 10",
            f"traced: {widths}; {total:,} parameters in all",
        ),
    )


def _listing_runs() -> tuple[Reading, ...]:
    from convcheck.training import network

    source = textwrap.dedent(inspect.getsource(network.Net))
    printed = _as_printed(source)
    attempts = {
        "as printed, split after the first line of the constructor": (printed, "Net()"),
        "with the split repaired": (source, "Net()(torch.zeros(1, 3, 32, 32))"),
        "with torch imported too": (source, "net.parameters()"),
    }
    scope: dict[str, Any] = {}
    failures = []
    for name, (text, use) in attempts.items():
        scope = {"nn": __import__("torch").nn}
        if name.startswith("with torch"):
            scope |= {"torch": __import__("torch"), "F": __import__("torch").nn.functional}
        try:
            exec(compile(text, "<listing>", "exec"), scope)
            eval(use, scope)
        except (SyntaxError, NameError) as error:
            failures.append(f"{name}: {type(error).__name__}, {error.args[0]}")
    return (by_computation(not failures, "the listing runs as printed", "; ".join(failures)),)


def _as_printed(source: str) -> str:
    """Returns the class with the faults of the printed listing.

    Its constructor is cut after `super().__init__()`, and everything after the cut, the method
    `forward` included, starts at the left margin.
    """
    tree = ast.parse(source)
    cls = tree.body[0]
    assert isinstance(cls, ast.ClassDef)
    init, forward = (node for node in cls.body if isinstance(node, ast.FunctionDef))
    body = [node for node in init.body if not _is_docstring(node)]
    rest = [ast.unparse(node) for node in (*body[1:], forward)]
    init.args = ast.parse("def f(self): pass").body[0].args  # type: ignore[attr-defined]
    init.body, cls.body = body[:1], [init]
    return "\n".join([ast.unparse(ast.fix_missing_locations(tree)), *rest])


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _flatten_keeps_the_batch() -> tuple[Reading, ...]:
    import torch

    shape = tuple(torch.flatten(torch.zeros(4, 16, 5, 5), 1).shape)
    return (
        by_computation(
            shape == (4, 400), "flatten(x, 1) keeps the batch", f"(4, 16, 5, 5) to {shape}"
        ),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(id="S51", says="Typical: convolution, batch norm or pooling, ReLU, linear, loss.",
          check=_order_of_layers, correction="the code applies ReLU before pooling"),
    Claim(id="S52", says="CIFAR-10 pictures are 3x32x32.", check=_picture_size),
    Claim(id="S53", says="There are 10 labels.", check=_labels),
    Claim(id="S54", says="Comment: input channels = 3.", check=lambda: _channels("conv1", "in", 3)),
    Claim(id="S55", says="Comment: output channels = 6.",
          check=lambda: _channels("conv1", "out", 6)),
    Claim(id="S56", says="Comment: kernel size = 3, beside `nn.Conv2d(3, 6, 5)`.",
          check=_kernel_comment, correction="5"),
    Claim(id="S57", says="`MaxPool2d(2, 2)` halves.", check=_halves),
    Claim(id="S58", says="Comments of conv2: 6, 16, 5.",
          check=lambda: (*_channels("conv2", "in", 6), *_channels("conv2", "out", 16),
                         _kernel_of_second())),
    Claim(id="S59", says="The first linear layer takes 16*5*5.", check=_flat_features),
    Claim(id="S60", says="400, 120, 84, 10.", check=_fully_connected),
    Claim(id="S61", says="The code as listed runs.", check=_listing_runs,
          correction="torch and F must be imported, net created, the indentation restored"),
    Claim(id="S62", says="flatten keeps the batch.", check=_flatten_keeps_the_batch),
    Claim(id="S64", says="SGD with rate 0.001 and momentum 0.9.", check=tuple,
          correction="a setting; the recipe `notes` uses it"),
)  # fmt: skip


def _kernel_of_second() -> Reading:
    layer = _layers()["conv2#1"]
    kernel = layer.input_shape[2] - layer.output_shape[2] + 1
    return by_computation(
        kernel == 5, "conv2 has a kernel of 5", f"{layer.input_shape[2]} to {layer.output_shape[2]}"
    )
