"""Asking an engine about theorems in a process of its own, which is killed when it takes long."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from convcheck.proofs.theorem import Theorem

FOLLOWS = "follows"


def ask(module: str, theorems: Sequence[Theorem], *, seconds: float) -> dict[str, str]:
    """Returns what the module answered per theorem name, in the time it had.

    Args:
        module: A module that ends in `answer(...)` when it is run.
        theorems: What to ask about; their certificates are passed as JSON.
        seconds: When the process is killed. What it had answered by then counts.
    """
    if not theorems:
        return {}
    text = "\n".join(json.dumps(theorem.certificate()) for theorem in theorems)
    command = [sys.executable, "-m", module]
    try:
        output = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=seconds, check=False
        ).stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    lines = output.decode(errors="replace").splitlines()
    return dict(line.split("\t", 1) for line in lines if "\t" in line)


def ask_sympy(theorems: Sequence[Theorem], *, seconds: float = 60) -> dict[str, str]:
    """Returns, per theorem, `FOLLOWS` or why SymPy cannot follow; in a process of its own."""
    said = ask("convcheck.proofs.sympy_engine", theorems, seconds=seconds)
    return {t.name: said.get(t.name, "no answer in the time it had") for t in theorems}


def answer(decide: Callable[[dict[str, Any]], str]) -> None:
    """Answers every certificate on stdin with a line `name, tab, answer` on stdout."""
    for line in sys.stdin:
        fields = json.loads(line)
        print(fields["name"], decide(fields), sep="\t", flush=True)
