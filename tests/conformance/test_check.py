"""`check_implementation` from end to end, on a few functions of each sort."""

import textwrap

import numpy as np
import pytest
import torch

import convcheck
from convcheck.conformance.kept import keep_cases, kept_cases
from convcheck.conformance.replay import replay
from convcheck.core.case import parse_case
from convcheck.core.errors import TargetError, UsageError
from convcheck.core.verdict import Verdict

SOURCE = textwrap.dedent(
    """
    import os, time
    import numpy as np

    def right(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        two = lambda v: (v, v) if isinstance(v, int) else tuple(v)
        if isinstance(padding, str):
            raise NotImplementedError("padding by name")
        (s, t), (p, q), (d, e) = two(stride), two(padding), two(dilation)
        if min(s, t, d, e, groups) < 1 or min(p, q) < 0:
            raise ValueError("out of range")
        if x.shape[1] != groups * w.shape[1] or len(w) % groups:
            raise ValueError("groups")
        x = np.pad(x, ((0, 0), (0, 0), (p, p), (q, q)))
        rows = (x.shape[2] - d * (w.shape[2] - 1) - 1) // s + 1
        columns = (x.shape[3] - e * (w.shape[3] - 1) - 1) // t + 1
        if rows < 1 or columns < 1:
            raise ValueError("the kernel does not fit")
        y = np.zeros((len(x), len(w), rows, columns), x.dtype)
        f, c = len(w) // groups, w.shape[1]
        for g in range(groups):
            for i, j in np.ndindex(*w.shape[2:]):
                part = x[:, g * c : (g + 1) * c, i * d :, j * e :][:, :, ::s, ::t]
                part = part[:, :, :rows, :columns]
                y[:, g * f : (g + 1) * f] += np.einsum(
                    "nchw,fc->nfhw", part, w[g * f : (g + 1) * f, :, i, j]
                ).astype(x.dtype)
        return y if b is None else y + b.reshape(1, -1, 1, 1)

    def flipped(x, w, *rest, **named):
        return right(x, w[..., ::-1, ::-1], *rest, **named)

    def crashes(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        if len(x) == 2:
            os.kill(os.getpid(), 11)
        return right(x, w, b, stride, padding, dilation, groups)

    def hangs(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        while len(x) == 3:
            time.sleep(0.01)
        return right(x, w, b, stride, padding, dilation, groups)

    def refuses_all(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        raise RuntimeError("not today")
    """
)


@pytest.fixture
def kernels(tmp_path):
    path = tmp_path / "kernels.py"
    path.write_text(SOURCE)
    return path


def test_a_right_function_passes_and_the_reach_is_told(kernels):
    report = convcheck.check_implementation(
        f"{kernels}:right", isolated=False, keep=False, seconds=60, strength=2, max_cases=380
    )
    assert report.passed, report
    assert report.coverage.unsupported == ('padding="same"', 'padding="valid"')
    assert report.coverage.share == 1.0 and report.coverage.strength == 2
    assert report.coverage.compared > 10_000


def test_a_fault_is_shrunk_named_drawn_and_scripted(kernels, tmp_path, shows):
    report = convcheck.check_implementation(f"{kernels}:flipped", isolated=False, keep=False)
    (finding,) = report.findings
    assert report.verdict is Verdict.FAIL
    assert str(finding.case) == "conv2d n1 c1 h1 w2 f1 k1x2 s1 p0 d1 g1 one_hot int_arguments"
    assert "flips the kernel along every axis" in finding.diagnosis
    assert finding.details["minimal"]
    assert "[0][1]" in finding.picture and "expected 2, got 1" in finding.picture
    script = finding.reproduce()
    assert "convcheck" not in script
    shows(script, "flipped", "right")


def test_a_crash_is_one_finding_and_shrinks(kernels):
    report = convcheck.check_implementation(f"{kernels}:crashes", keep=False, max_cases=30)
    (finding,) = report.findings
    assert str(finding.case).startswith("conv2d n2 c1 h1 w1 f1 k1x1 s1 p0 d1 g1")
    assert "SIGSEGV" in finding.diagnosis and "batch size" in finding.diagnosis
    assert report.cases > 5


@pytest.mark.slow
def test_a_hang_is_one_finding_and_shrinks(kernels):
    report = convcheck.check_implementation(
        f"{kernels}:hangs", keep=False, max_cases=10, deadline_s=0.5
    )
    (finding,) = report.findings
    assert str(finding.case).startswith("conv2d n3 c1 h1 w1 f1 k1x1 s1 p0 d1 g1")
    assert "hangs" in finding.diagnosis


def test_refusing_everything_is_no_pass(kernels):
    report = convcheck.check_implementation(
        f"{kernels}:refuses_all", isolated=False, keep=False, max_cases=30
    )
    assert report.verdict is Verdict.FAIL


def test_nothing_run_is_unknown(kernels):
    report = convcheck.check_implementation(
        f"{kernels}:right", isolated=False, keep=False, seconds=1e-9
    )
    assert report.verdict is Verdict.UNKNOWN and not report.findings


def test_the_assertion_carries_the_finding(kernels):
    with pytest.raises(AssertionError, match="flips the kernel") as caught:
        convcheck.assert_implementation(f"{kernels}:flipped", isolated=False, keep=False)
    assert caught.value.report.findings


def test_a_local_function_needs_the_process():
    def local(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        return np.zeros(1)

    with pytest.raises(TargetError, match="isolated=False"):
        convcheck.check_implementation(local)


def test_wrong_options_are_refused(kernels):
    for options in ({"strength": 5}, {"algorithm": "magic"}, {"max_cases": 0}, {"seconds": 0}):
        with pytest.raises(UsageError):
            convcheck.check_implementation(f"{kernels}:right", **options)


def test_a_case_is_replayed(kernels):
    text = "conv2d n1 c1 h3 w3 f1 k2x2 s1 p0 d1 g1"
    assert replay(text, f"{kernels}:right", isolated=False).passed
    assert replay(text, f"{kernels}:flipped", isolated=False).verdict is Verdict.FAIL
    with pytest.raises(UsageError, match="not of conv1d"):
        replay(text, f"{kernels}:right", "conv1d")


def test_failing_cases_are_kept_and_tried_first(kernels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = f"{kernels}:flipped"
    found = convcheck.check_implementation(target, isolated=False).findings[0].case
    assert kept_cases(target, "conv2d") == [found]
    assert kept_cases(target, "conv1d") == [] == kept_cases(f"{kernels}:right", "conv2d")
    again = convcheck.check_implementation(target, isolated=False)
    assert again.coverage.phases["kept"] == 1


def test_a_damaged_file_of_kept_cases_costs_nothing(tmp_path):
    case = parse_case("conv2d n1 c1 h3 w3 f1 k2x2 s1 p0 d1 g1")
    assert keep_cases("a:b", [case], tmp_path) == ""
    path = tmp_path / ".convcheck" / "cases.txt"
    path.write_text(path.read_text() + "a:b\tconv2d broken\n\x00\n")
    assert kept_cases("a:b", "conv2d", tmp_path) == [case]


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ("max_pool2d n1 c1 h2 w2 k1x1 s1 p0 d1", Verdict.PASS),
        ("conv2d n1 c1 h2 w2 f1 k1x1 s1 p0 d1 g1 one_hot", Verdict.FAIL),
    ],
)
def test_a_view_of_the_input_is_a_fault_of_a_layer_alone(case, verdict):
    """A maximum that is taken window by window starts with a view, and may end there."""

    def view(x, *_, **__):
        return x[:]

    assert replay(case, view, isolated=False).verdict is verdict


def test_a_wrong_gradient_that_takes_no_text_for_its_padding_is_a_finding():
    """Worked out, "same" may be uneven, and there is no call for that to compare with."""

    def refuses_text(grad_output, x, w, stride, padding, dilation, groups):
        if isinstance(padding, str):
            raise TypeError("padding must be numbers")
        x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
        y = torch.nn.functional.conv2d(x, w, None, stride, padding, dilation, groups)
        grad_output += 1
        return (*torch.autograd.grad(y, (x, w), grad_output), grad_output.sum((0, 2, 3)))

    report = convcheck.check_implementation(
        refuses_text, "conv2d_backward", isolated=False, arrays="torch", seconds=30, keep=False
    )
    assert any("changed its input" in finding.diagnosis for finding in report.findings), report
