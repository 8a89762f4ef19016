"""Time of the whole catalogue, of re-checking its certificates, and of finding combinations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from convcheck.proofs import theorems
from convcheck.proofs.certificate import write_certificates
from convcheck.proofs.checking import check
from convcheck.proofs.conclude import prove_theorem
from convcheck.proofs.kernel import read
from convcheck.proofs.search import find_combinations
from convcheck.proofs.terms import parse


def test_kernel_on_every_theorem(benchmark) -> None:
    certificates = [theorem.certificate() for theorem in theorems()]
    benchmark(lambda: [check(certificate) for certificate in certificates])


def test_every_check_beside_every_theorem(benchmark) -> None:
    chosen = theorems()
    benchmark.pedantic(lambda: [prove_theorem(theorem) for theorem in chosen], rounds=2)


def test_prove_everything_cold(benchmark) -> None:
    command = [sys.executable, "-m", "convcheck", "prove", "-q"]
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True), rounds=2)


def test_verify_everything_cold(benchmark, tmp_path: Path) -> None:
    path = tmp_path / "all.json"
    write_certificates(str(path), [theorem.certificate() for theorem in theorems()])
    command = [sys.executable, "-m", "convcheck", "verify", "-q", str(path)]
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True), rounds=3)


def test_finding_the_combination_of_the_size_formula(benchmark) -> None:
    [theorem] = [theorem for theorem in theorems() if theorem.name == "conv_output_size"]
    context = read(theorem.certificate())
    statement = parse(theorem.statement)
    found = benchmark(lambda: find_combinations(statement, context))
    assert found is not None
