"""A target is found, or refused in one message that says what to do."""

import functools

import numpy as np
import pytest

from convcheck.conformance.array_kind import detect_arrays
from convcheck.conformance.execute import open_runner
from convcheck.conformance.outcome import Crashed
from convcheck.conformance.targets import check_signature, load_target, name_target
from convcheck.core.case import parse_case
from convcheck.core.errors import TargetError, UsageError
from convcheck.oracle.inputs import make_inputs

SOURCE = """
import numpy as np
number = 3

def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.asarray(x)

def renamed(x, w, b=None, s=1, p=0, d=1, g=1):
    return x

def short(x, w):
    return x

class Kernels:
    @staticmethod
    def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        return x
"""
TORCH_SOURCE = """
import torch

def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return torch.conv2d(x, w, b, stride, padding, dilation, groups)

class Layer(torch.nn.Module):
    def forward(self, x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        return x

layer = Layer()

def annotated(x: torch.Tensor, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return x
"""
MIXED_SOURCE = """
import numpy as np
import torch

def of_numpy(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return np.einsum("nchw,fchw->nf", x, w[:, :, :1, :1] + 0 * x[:, :, :1, :1])[..., None, None]

def of_torch(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return torch.conv2d(x, w)

def of_nothing(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    raise ValueError
"""

ENDING_SOURCE = """
import os, types
import numpy as np
torch = types.ModuleType("torch")

def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    os._exit(3)
"""
ODD_IMPORTS = {
    "class Odd(BaseException):\n    def __str__(self):\n        raise ValueError\nraise Odd":
        "cannot be printed",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise SystemExit(0)": "SystemExit",
    "import os\nos._exit(5)": "status 5",
}  # fmt: skip


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "kernels.py"

    def write(name, source=SOURCE):
        path.write_text(source)
        return f"{path}:{name}"

    return write


def test_functions_are_found_in_files_and_modules(target):
    assert load_target(target("conv")).__name__ == "conv"
    assert load_target(target("Kernels.conv")).__name__ == "conv"
    assert load_target("math:floor") is __import__("math").floor


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("conv", "names no function"),
        (":conv", "names no function"),
        ("math:", "names no function"),
        ("math:flor", "did you mean floor"),
        ("math:pi", "is not callable: it is of type float"),
        ("no_such_package:conv", "no module 'no_such_package'"),
        ("numpy.linagl:norm", "did you mean linalg"),
        ("/no/such/file.py:conv", "no file /no/such/file.py"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest(text, told):
    with pytest.raises(TargetError, match="(?s).*") as caught:
        load_target(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def broken(:", "SyntaxError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import no_such_thing", "no_such_thing"),
    ],
)
@pytest.mark.parametrize("isolated", [True, False])
def test_a_module_that_fails_is_refused_with_its_error(target, source, told, isolated):
    with pytest.raises(TargetError, match="cannot be imported") as caught:
        open_runner(target("conv", source), "conv2d", isolated=isolated)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("source", "told"),
    [("import os; os._exit(5)", "status 5"), ("import os; os.abort()", "signal 6")],
)
def test_a_module_that_ends_the_process_is_refused(target, source, told):
    with pytest.raises(TargetError, match=told):
        open_runner(target("conv", source), "conv2d")


def test_signatures_are_accepted_by_name_or_by_place(target):
    assert check_signature(load_target(target("conv")), "conv2d")
    assert not check_signature(load_target(target("renamed")), "conv2d")
    with pytest.raises(TargetError, match=r"short\(x, w\) cannot be called as conv2d"):
        check_signature(load_target(target("short")), "conv2d")
    with pytest.raises(TargetError, match="cannot be called as max_pool2d"):
        open_runner(target("short"), "max_pool2d")


def test_an_unknown_op_is_refused_with_the_nearest(target):
    with pytest.raises(UsageError, match="did you mean conv2d"):
        open_runner(target("conv"), "conv2")


def at_the_top(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return x


def test_a_function_of_a_file_that_no_path_leads_to_is_named_by_its_file(target, tmp_path):
    assert name_target(load_target(target("conv"))) == f"{tmp_path}/kernels.py:conv"
    # This very module was loaded by the test runner, under whatever name.
    with open_runner(at_the_top, "conv2d") as runner:
        assert runner.arrays == "numpy"


def test_names_of_functions_lead_back_to_them():
    assert name_target(functools.reduce) == "_functools:reduce"
    assert load_target(name_target(np.convolve)) is np.convolve
    for local in (lambda x: x, test_names_of_functions_lead_back_to_them.__get__(1)):
        with pytest.raises(TargetError, match="isolated=False"):
            name_target(local)


@pytest.mark.parametrize(
    ("name", "source", "kind"),
    [
        ("conv", SOURCE, "numpy"),
        ("conv", TORCH_SOURCE, "torch"),
        ("layer", TORCH_SOURCE, "torch"),
        ("annotated", TORCH_SOURCE, "torch"),
        ("of_numpy", MIXED_SOURCE, "numpy"),
        ("of_torch", MIXED_SOURCE, "torch"),
        ("of_nothing", MIXED_SOURCE, "numpy"),
    ],
)
def test_the_arrays_of_a_function_are_found_out(target, name, source, kind):
    assert detect_arrays(load_target(target(name, source)), "conv2d", by_keyword=True) == kind


@pytest.mark.parametrize(
    ("text", "op", "kind"),
    [
        ("torch.nn.functional:conv2d", "conv2d", "torch"),
        ("torch.nn.functional:max_pool2d", "max_pool2d", "torch"),
        ("torch.nn.functional:avg_pool1d", "avg_pool1d", "torch"),
        ("torch.nn.functional:conv_transpose3d", "conv_transpose3d", "torch"),
        ("torch.nn.functional:cross_entropy", "cross_entropy", "torch"),
        ("torch.nn.functional:kl_div", "kl_div", "torch"),
        ("scipy.signal:convolve", "convolve", "numpy"),
    ],
)
def test_library_functions_are_called_as_they_are(text, op, kind):
    function = load_target(text)
    assert detect_arrays(function, op, by_keyword=check_signature(function, op)) == kind


def test_a_function_that_ends_its_process_at_once_is_still_a_target(target):
    case = parse_case("conv2d n1 c1 h3 w3 f1 k2x2 s1 p0 d1 g1")
    with open_runner(target("conv", ENDING_SOURCE), "conv2d", deadline_s=30) as runner:
        assert runner.run(case, make_inputs(case)) == Crashed(signal_or_status="exit 3")


@pytest.mark.parametrize("source", ODD_IMPORTS)
def test_an_import_that_ends_oddly_is_refused_in_one_message(target, source):
    with pytest.raises(TargetError) as refused:
        open_runner(target("conv", source), "conv2d")
    assert ODD_IMPORTS[source] in str(refused.value)
    assert "Traceback" not in str(refused.value)


def test_a_class_is_no_function():
    class Layer:
        def __init__(self, x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
            pass

    with pytest.raises(TargetError, match="is a class, not a function"):
        check_signature(Layer, "conv2d")


def test_a_module_of_torch_is_held_to_its_forward():
    import torch

    with pytest.raises(TargetError, match="cannot be called as conv2d"):
        check_signature(torch.nn.Conv2d(1, 1, 3), "conv2d")


def test_a_loss_need_not_take_class_weights():
    def loss(input, target, reduction="mean", label_smoothing=0.0):
        return input

    assert check_signature(loss, "cross_entropy")
