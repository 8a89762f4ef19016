"""A fault that shows only with other threads or instructions is found, and said to be so."""

import subprocess
import sys
from pathlib import Path

from convcheck.conformance.check import check_implementation

SOURCE = """
import os
import numpy as np
from math import prod

def output_size(input_size, kernel_size, stride, padding, dilation):
    if min(kernel_size, stride, dilation) < 1 or padding < 0:
        raise ValueError("out of range")
    free = input_size + 2 * padding - dilation * (kernel_size - 1) - 1
    if free < 0 or input_size < 1:
        raise ValueError("does not fit")
    return free // stride + 1

def on_many_threads(input_size, kernel_size, stride, padding, dilation):
    found = output_size(input_size, kernel_size, stride, padding, dilation)
    return found + (os.environ.get("OMP_NUM_THREADS") == "3" and stride > 1)
"""


def check(tmp_path, name, **options):
    path = tmp_path / "sizes.py"
    path.write_text(SOURCE)
    return check_implementation(
        f"{path}:{name}",
        "output_size",
        seconds=3,
        max_cases=150,
        keep=False,
        machines=True,
        **options,
    )


def test_a_fault_on_another_machine_is_found_and_reproduced(tmp_path):
    report = check(tmp_path, "on_many_threads")
    (finding,) = report.findings
    assert finding.diagnosis.startswith("only with three threads")
    assert "OMP_NUM_THREADS=3" in finding.why
    assert finding.case.spec.stride == (2,)
    script = Path(tmp_path / "script.py")
    script.write_text(finding.script)
    assert len(finding.script.splitlines()) <= 15
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert "AssertionError" in done.stderr


def test_a_right_function_is_right_on_every_machine(tmp_path):
    report = check(tmp_path, "output_size")
    assert report.passed
    assert any("three threads" in note for note in report.notes)


def test_machines_need_isolation(tmp_path):
    report = check(tmp_path, "output_size", isolated=False)
    assert report.passed
    assert any("other machines" in note for note in report.notes)
