"""`convcheck explore` writes the page, tells bad input, and compares a function with a case."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from convcheck.cli.main import main

CASE = "conv2d n1 c2 h5 w5 f2 k3x3 s2 p1 d1 g1 b1"

RIGHT = """
import numpy as np

def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    pads = padding if isinstance(padding, (tuple, list)) else (padding, padding)
    s = stride if isinstance(stride, (tuple, list)) else (stride, stride)
    x = np.pad(x, ((0, 0), (0, 0), (pads[0],) * 2, (pads[1],) * 2))
    h, k = (x.shape[2] - w.shape[2]) // s[0] + 1, (x.shape[3] - w.shape[3]) // s[1] + 1
    y = np.zeros((x.shape[0], w.shape[0], h, k), x.dtype)
    for i in range(h):
        for j in range(k):
            window = x[:, :, i * s[0]:i * s[0] + w.shape[2], j * s[1]:j * s[1] + w.shape[3]]
            y[:, :, i, j] = np.tensordot(window, w, ((1, 2, 3), (1, 2, 3)))
    return y if b is None else y + b[None, :, None, None]

def off_by_one(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    y = conv(x, w, b, stride, padding, dilation, groups)
    y[0, 1, 2, 1] += 1
    return y

def smaller(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    return conv(x, w, b, stride, padding, dilation, groups)[:, :, :1]
"""


def data_of(page: Path) -> dict:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert found
    return json.loads(found[1])


def test_page_is_written_and_named(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["explore", "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().out
    assert data_of(out) == {"stack": None, "case": None, "message": ""}


def test_json_names_the_page(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["explore", "--out", str(out), "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["page"] == str(out) and told["bytes"] == out.stat().st_size


def test_case_has_its_expected_values(tmp_path):
    out = tmp_path / "page.html"
    assert main(["explore", "--out", str(out), "--case", CASE, "-q"]) == 0
    case = data_of(out)["case"]
    assert case["descriptor"] == CASE and case["actual"] is None
    assert len(case["expected"][0]) == 2 and len(case["bias"]) == 2


@pytest.mark.parametrize(("name", "differing"), [("conv", 0), ("off_by_one", 1)])
def test_target_is_run_on_the_case(tmp_path, name, differing):
    source = tmp_path / "kernels.py"
    source.write_text(RIGHT)
    out = tmp_path / "page.html"
    arguments = ["--case", CASE, "--target", f"{source}:{name}"]
    assert main(["explore", "--out", str(out), *arguments]) == 0
    case = data_of(out)["case"]
    pairs = [
        (wanted, found)
        for a, b in zip(case["expected"][0], case["actual"][0], strict=True)
        for row, other in zip(a, b, strict=True)
        for wanted, found in zip(row, other, strict=True)
    ]
    assert len(pairs) == 18
    assert sum(wanted != found for wanted, found in pairs) == differing


def test_wrong_shape_is_told_on_the_page(tmp_path):
    source = tmp_path / "kernels.py"
    source.write_text(RIGHT)
    out = tmp_path / "page.html"
    arguments = ["--case", CASE, "--target", f"{source}:smaller"]
    assert main(["explore", "--out", str(out), *arguments]) == 0
    case = data_of(out)["case"]
    assert case["actual"] is None and "The shape must be (1, 2, 3, 3)" in case["message"]


def test_impossible_case_is_explained_on_the_page(tmp_path):
    out = tmp_path / "page.html"
    case = "conv2d n1 c1 h4 w4 f1 k3x3 s1 p0 d3 g1"
    assert main(["explore", "--out", str(out), "--case", case]) == 0
    told = data_of(out)["case"]
    assert told["expected"] is None and "kernel does not fit" in told["message"]


def test_finding_of_a_test_is_shown(tmp_path):
    source, found, out = tmp_path / "kernels.py", tmp_path / "found.json", tmp_path / "page.html"
    source.write_text(RIGHT)
    target = f"{source}:off_by_one"
    options = ["--op", "conv2d", "--max-cases", "5", "--strength", "2", "--no-keep", "-q"]
    assert main(["test", target, *options, "--in-process", "--json", str(found)]) == 1
    assert main(["explore", "--out", str(out), "--finding", str(found), "--target", target]) == 0
    case = data_of(out)["case"]
    assert case["descriptor"] == json.loads(found.read_text())["findings"][0]["case"]
    assert case["message"].startswith("FAIL.")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"findings": [{"case": 3}]}', "\xff"])
def test_report_without_a_case_is_told(tmp_path, capsys, content):
    found = tmp_path / "found.json"
    found.write_bytes(content.encode("latin-1"))
    assert main(["explore", "--out", str(tmp_path / "p.html"), "--finding", str(found)]) == 2
    assert "found.json" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--case", "conv2d nonsense"], "is unknown"),
        (["--case", "cross_entropy n2 c3 mean index"], "no picture"),
        (["--case", CASE, "--target", "nowhere:fn"], "nowhere"),
        (["--target", "x:y"], "--target without a case"),
        (["--finding", "nowhere.json"], "cannot read nowhere.json"),
        (["--finding", "x.json", "--case", CASE], "one case"),
    ],
)
def test_bad_input_is_told_and_leaves_no_page(tmp_path, capsys, arguments, says):
    out = tmp_path / "page.html"
    assert main(["explore", "--out", str(out), *arguments]) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_page_that_cannot_be_written_is_told(tmp_path, capsys):
    assert main(["explore", "--out", str(tmp_path)]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_model_that_cannot_be_traced_is_told_on_the_page_too(tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["explore", "--out", str(out), "--model", "nowhere.at:all"]) == 2
    assert "nowhere.at" in capsys.readouterr().err
    data = data_of(out)
    assert data["stack"] is None and "could not be traced" in data["message"]


def test_model_is_shown_layer_by_layer(tmp_path):
    pytest.importorskip("torch")
    source = tmp_path / "network.py"
    source.write_text(
        "from torch import nn\n"
        "def net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2),\n"
        "        nn.Conv2d(6, 16, (3, 5), padding='same'), nn.ConvTranspose2d(16, 2, 2, 2),\n"
        "        nn.Flatten(), nn.Linear(1568, 10))\n"
    )
    out = tmp_path / "page.html"
    arguments = ["--model", f"{source}:net", "--input", "1,3,32,32"]
    assert main(["explore", "--out", str(out), *arguments]) == 0
    stack = data_of(out)["stack"]
    assert stack["input"] == [32, 32] and stack["left"] == []
    assert [layer["op"] for layer in stack["layers"]] == [
        "cross_correlation", "max_pool", "cross_correlation", "conv_transpose", "whole",
    ]  # fmt: skip
    height, width = stack["layers"][2]["axes"]
    assert height["p"] == [1, 1] and width["p"] == [2, 2]
    assert stack["layers"][1]["axes"][0]["stride"] == 2


def test_broken_model_is_shown_as_far_as_it_goes(tmp_path):
    pytest.importorskip("torch")
    source = tmp_path / "network.py"
    source.write_text(
        "from torch import nn\n"
        "def net():\n"
        "    return nn.Sequential(nn.Conv2d(3, 6, 5), nn.Flatten(), nn.Linear(10, 10))\n"
    )
    out = tmp_path / "page.html"
    arguments = ["--model", f"{source}:net", "--input", "1,3,32,32"]
    assert main(["explore", "--out", str(out), *arguments]) == 1
    data = data_of(out)
    assert data["message"] and data["stack"]["layers"][0]["op"] == "cross_correlation"
