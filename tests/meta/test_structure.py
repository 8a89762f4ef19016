"""The house's rules that no linter knows: public names, file sizes, what an import costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import convcheck

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "convcheck").rglob("*.py"))
HEAVY = {
    "torch",
    "torchvision",
    "sympy",
    "scipy",
    "z3",
    "hypothesis",
    "matplotlib",
    "rich",
    "numpy",
}


def loaded_by(statement: str) -> set[str]:
    report = "import sys; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    program = [sys.executable, "-c", f"{statement}\n{report}"]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_public_names_are_pinned() -> None:
    assert convcheck.__all__ == [
        "Case", "ConvSpec", "ConvcheckError", "Finding", "GeometryError", "PoolSpec", "Verdict",
        "assert_implementation", "check_implementation", "check_laws", "check_model", "claim",
        "conv_output_size", "conv_transpose_output_size", "parse_case", "pool_output_size",
        "prove", "prove_shape", "receptive_field", "theorems", "unfold_output_size",
        "verify_bilinear",
    ]  # fmt: skip


def test_every_public_name_is_found_and_documented() -> None:
    for name in convcheck.__all__:
        assert (getattr(convcheck, name).__doc__ or "").strip(), name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = convcheck.no_such_name


@pytest.mark.parametrize(
    "statement",
    [
        "import convcheck; convcheck.conv_output_size(32, 5)",
        "import convcheck.cli.main",
        "from convcheck.core.case import parse_case; parse_case('conv1d n1 c1 w5 f1 k3')",
        "import convcheck.pytest_plugin",
    ],
)
def test_the_fast_path_loads_nothing_heavy(statement: str) -> None:
    assert not loaded_by(statement) & HEAVY


def test_what_the_fast_path_test_measures_can_fail() -> None:
    assert "numpy" in loaded_by("import convcheck.oracle.fast")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_no_file_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager"}
    assert not [path for path in SOURCES if path.stem in empty]


def test_assert_is_never_a_check_of_input() -> None:
    """Under `python -O` asserts vanish: none may hold a call with a side effect."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assert):
                walrus = [n for n in ast.walk(node) if isinstance(n, (ast.NamedExpr, ast.Await))]
                assert not walrus, f"{path}:{node.lineno}"
