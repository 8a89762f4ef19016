"""Scores of -inf mask a class, and 0 log 0 = 0: neither a product by zero nor a leak passes."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from torch.nn.functional import cross_entropy

from convcheck.conformance.check import check_implementation

right = runpy.run_path(str(Path(__file__).with_name("ignored_suspects.py")))["loss"]


def of(scores):
    def function(input, target, weight=None, reduction="mean", label_smoothing=0.0):
        return right(scores(input), target, weight, -100, reduction, label_smoothing)

    return function


def one_hot_product(input, target, weight=None, reduction="mean", label_smoothing=0.0):
    y = right(input, target, weight, -100, reduction, label_smoothing)
    masked = np.isneginf(input).any(axis=1)
    return np.asarray(np.where(masked if y.ndim else masked.any(), np.nan, y), input.dtype)


def check(function):
    return check_implementation(
        function, "cross_entropy", isolated=False, keep=False, seconds=60, max_cases=150
    )


@pytest.mark.parametrize("function", [cross_entropy, of(np.asarray)], ids=["torch", "numpy"])
def test_right_functions_pass(function):
    report = check(function)
    assert report.passed, report


@pytest.mark.parametrize(
    "scores",
    [
        lambda x: np.where(np.isneginf(x), x.dtype.type(0), x),
        lambda x: np.where(np.isnan(x), x.dtype.type(0), x),
        lambda x: np.where(np.isneginf(x), x.dtype.type(-9), x),
    ],
    ids=["no mask", "no NaN", "a mask that leaks"],
)
def test_wrong_ones_do_not(scores):
    report = check(of(scores))
    assert any("nonfinite" in finding.where for finding in report.findings), report


def test_a_product_with_a_one_hot_target_is_named_by_its_case():
    report = check(one_hot_product)
    assert any("nonfinite" in finding.where for finding in report.findings), report
