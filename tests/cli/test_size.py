import json

import pytest

from convcheck.cli.main import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["size", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_the_formula_is_worked(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "conv", "--input", "32", "--kernel", "5")
    assert code == 0 and out.endswith("conv: 32 -> 28\n")
    assert "l3 = l1 - l2 = 32 - 5 = 27" in out


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("conv --input 32,48 --kernel 3 --padding same --dilation 2", "conv: 32 x 48 -> 32 x 48"),
        ("conv --input 10 --kernel 4 --padding 1:2", "conv: 10 -> 10"),
        ("max_pool --input 5 --kernel 2 --ceil-mode", "max_pool: 5 -> 3"),
        ("conv_transpose --input 5 --kernel 3 --stride 2 --output-padding 1", "-> 12"),
        ("unfold --input 4,5 --kernel 2", "unfold: 4 x 5 -> 12 columns (3 x 4)"),
        ("fold --input 4,5 --kernel 2", "fold: 4 x 5 <- 12 columns (3 x 4)"),
    ],
)
def test_every_op_answers(capsys: pytest.CaptureFixture[str], arguments: str, answer: str) -> None:
    code, out, _ = run(capsys, *arguments.split())
    assert code == 0 and answer in out


def test_unread_elements_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "conv", "--input", "10", "--kernel", "3", "--stride", "4")
    assert "the last 3 elements of the padded input: never read" in out


@pytest.mark.parametrize(
    "arguments",
    [
        "conv --input 4 --kernel 9",
        "conv --input x --kernel 2",
        "conv --input 0 --kernel 1",
        "conv --input 5 --kernel 2 --stride 0",
        "conv --input 5 --kernel 2 --padding most",
        "conv --input 5,5 --kernel 2,2,2",
        "conv --input 5 --kernel 2 --stride 2 --padding same",
        "max_pool --input 5 --kernel 2 --padding 2",
        "avg_pool --input 1,1,1 --kernel 1,1,3 --padding 0,0,1",
        "conv_transpose --input 5 --kernel 2 --output-padding 1",
        "cnov --input 5 --kernel 2",
        "conv --kernel 2",
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: str
) -> None:
    code, out, err = run(capsys, *arguments.split())
    assert code == 2 and err and "Traceback" not in err and "->" not in out


def test_json_alone_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "conv", "--input", "32", "--kernel", "5", "--json", "-")
    value = json.loads(out)
    assert code == 0 and value["output"] == [28]
    assert [step["value"] for step in value["axes"][0]["steps"]] == [32, 5, 27, 27, 28]
