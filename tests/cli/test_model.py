"""`convcheck model` and `convcheck explain`, as they are typed."""

import csv
import io
import json

import pytest

from convcheck.cli.main import main

SOURCE = """
import torch.nn as nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 10),
        )

NUMBER = 3
"""


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(SOURCE)
    return f"{path}:Net"


def test_the_table_shows_the_sizes_and_the_formula(target, capsys):
    assert main(["model", target, "--input", "1,3,32,32"]) == 0
    out = capsys.readouterr().out
    assert "1x6x28x28" in out
    assert "floor((32 + 2*0 - 1*(5-1) - 1)/1) + 1 = 28" in out
    assert "PASS" in out


def test_a_missing_input_is_guessed_and_said(target, capsys):
    assert main(["model", target]) == 0
    captured = capsys.readouterr()
    assert "guessed --input 1,3,32,32" in captured.err
    assert "guessed" not in captured.out


def test_a_break_is_explained_and_exits_1(target, capsys):
    assert main(["model", target, "--input", "1,3,40,40"]) == 1
    out = capsys.readouterr().out
    assert "CC201 5: the Linear wants 400 features and gets 784" in out
    assert "fix: 5 = nn.Linear(784, 10)" in out


def test_the_sizes_that_fit_are_found(target, capsys):
    assert main(["model", target, "--sizes", "-q"]) == 0
    assert "takes: 32 to 35" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["markdown", "csv", "latex"])
def test_each_form_has_a_row_per_layer(target, form, capsys):
    assert main(["model", target, "--format", form, "--input", "1,3,32,32"]) == 0
    out = capsys.readouterr().out
    if form == "csv":
        assert len(list(csv.reader(io.StringIO(out)))) == 7
    assert out.count("2d") >= 4


def test_json_goes_to_stdout_alone(target, capsys):
    assert main(["model", target, "--json", "-", "--input", "1,3,32,32"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["verdict"] == "PASS"
    assert report["layers"][0]["receptive_field"]["size"] == [5, 5]
    assert report["layers"][0]["steps"][0][-1] == "size = steps + 1 = 27 + 1 = 28"


def test_a_lock_holds_until_a_shape_changes(target, tmp_path, capsys):
    lock = str(tmp_path / "shapes.lock")
    assert main(["model", target, "--input", "1,3,32,32", "--lock", lock]) == 0
    assert main(["model", target, "--input", "1,3,32,32", "--check", lock]) == 0
    assert main(["model", target, "--input", "1,3,33,33", "--check", lock]) == 1
    assert "CC601 0: layer 0 was conv2d 1x3x32x32" in capsys.readouterr().out


def test_annotations_are_written_on_github_only(target, capsys, monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    main(["model", target, "--input", "1,3,40,40"])
    assert "::error" not in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    main(["model", target, "--input", "1,3,40,40"])
    assert "::error" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("torchvision:resnet1", "did you mean"),
        ("no_such_module:Net", "cannot be imported"),
        ("{file}:Nett", "did you mean Net"),
        ("{file}:NUMBER", "a model is a module or a factory"),
        ("missing.py:Net", "is not a file"),
        ("missing.onnx", "is not a file"),
        ("nothing", "has no ':'"),
    ],
)
def test_a_bad_target_is_one_message_and_exit_2(target, name, said, capsys):
    name = name.replace("{file}", target.rpartition(":")[0])
    assert main(["model", name, "--input", "1,3,32,32"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("shape", ["1,3,0,32", "1,3,-4,32", "one", "1,3,,", f"1,3,{10**30},8"])
def test_a_bad_input_is_one_message_and_exit_2(target, shape, capsys):
    assert main(["model", target, "--input", shape]) == 2
    assert capsys.readouterr().err.count("\n") <= 3


def test_an_input_of_a_billion_takes_no_memory(target, capsys):
    assert main(["model", target, "--input", "1,3,1000000000,1000000000"]) in (1, 2)
    assert "Traceback" not in capsys.readouterr().err


def test_explain_tells_one_code_and_lists_all(capsys):
    assert main(["explain", "CC201"]) == 0
    assert "in_features" in capsys.readouterr().out
    assert main(["explain"]) == 0
    assert "CC401" in capsys.readouterr().out
    assert main(["explain", "CC999"]) == 2
