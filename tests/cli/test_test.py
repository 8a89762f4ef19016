"""`convcheck test` and `convcheck replay`: exit codes, and where things are printed."""

import json

import pytest

from convcheck.cli.main import main

SOURCE = """
def size(input_size, kernel_size, stride, padding, dilation):
    return (input_size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1

def wrong(input_size, kernel_size, stride, padding, dilation):
    return (input_size + padding - dilation * (kernel_size - 1) - 1) // stride + 1

number = 3
"""
QUICK = ["--op", "output_size", "--in-process", "--no-keep", "--max-cases", "90"]


@pytest.fixture
def sizes(tmp_path):
    path = tmp_path / "sizes.py"
    path.write_text(SOURCE)
    return path


def test_a_right_function_exits_0(sizes, capsys):
    assert main(["test", f"{sizes}:size", *QUICK]) == 0
    out = capsys.readouterr().out
    assert out.startswith("PASS output_size") and "combinations" in out


def test_a_wrong_function_exits_1_with_a_replay_line_that_fails_too(sizes, capsys):
    assert main(["test", f"{sizes}:wrong", *QUICK, "--json", "-", "-q"]) == 1
    told = json.loads(capsys.readouterr().out)
    (finding,) = told["findings"]
    assert "counts the padding once" in finding["diagnosis"]
    replayed = ["replay", finding["case"], "--op", "output_size", "--in-process"]
    assert main([*replayed, "--target", f"{sizes}:wrong"]) == 1
    assert main([*replayed, "--target", f"{sizes}:size"]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["test", "{}:siz", *QUICK], "did you mean size"),
        (["test", "{}:number", *QUICK], "not callable"),
        (["test", "no_such_module:size", *QUICK], "no module"),
        (["test", "{}:size", "--op", "conv2dd"], "did you mean conv2d"),
        (["test", "{}:size", "--op", "conv2d", "--in-process"], "the signature is"),
        (["replay", "output_size w3 zz", "--target", "{}:size"], "unknown"),
    ],
)
def test_bad_input_is_one_message_and_exits_2(sizes, capsys, arguments, says):
    assert main([argument.replace("{}", str(sizes)) for argument in arguments]) == 2
    taken = capsys.readouterr()
    assert says in taken.err and "Traceback" not in taken.err and not taken.out
