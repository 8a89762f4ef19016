"""Scores of -inf and NaN: each combination against torch in float64, and wrong siblings refused."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from convcheck.core.case import parse_case
from convcheck.core.verdict import Verdict
from convcheck.oracle.compare import compare
from convcheck.oracle.expected import expected
from convcheck.oracle.inputs import make_inputs

CASES = [
    parse_case(f"cross_entropy n{batch} c{classes} {where} {reduction} {weighted} "
               f"nonfinite float64 seed{seed}".replace("  ", " "))
    for batch, classes, where, reduction, weighted, seed in itertools.product(
        (1, 2, 4), (2, 5), ("", "w3"), ("mean", "sum", "none"), ("", "weighted"), (1, 2)
    )
]  # fmt: skip


def torch_loss(case, inputs):
    given = {name: torch.from_numpy(array) for name, array in inputs.items()}
    return F.cross_entropy(
        given["input"], given["target"].long(), weight=given.get("weight"),
        reduction=case.spec.reduction,
    )  # fmt: skip


def multiplied_out(case, inputs):
    """A one-hot target times the log-probabilities: 0 times -inf is NaN."""
    given = {name: torch.from_numpy(array) for name, array in inputs.items()}
    log_p = given["input"].log_softmax(1)
    hot = F.one_hot(given["target"].long(), case.spec.classes).movedim(-1, 1).to(log_p.dtype)
    weight = given.get("weight", torch.ones(case.spec.classes, dtype=log_p.dtype))
    loss = -(hot * log_p * weight.reshape(1, -1, *[1] * len(case.spatial))).sum(1)
    return loss.sum() if case.spec.reduction == "sum" else loss


def judged(case, loss):
    inputs = make_inputs(case)
    wanted = expected(case, inputs).outputs[0]
    return compare(wanted, np.asarray(loss(case, inputs)), "float64")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch_agrees(case):
    assert judged(case, torch_loss).verdict is Verdict.PASS


def test_the_inputs_hold_what_they_are_named_for():
    masked, spoilt = (make_inputs(case)["input"] for case in (CASES[-1], CASES[-2]))
    assert np.isneginf(masked).sum() == 1 and not np.isnan(masked).any()
    assert np.isneginf(spoilt).sum() == 1 and np.isnan(spoilt).sum() == 1


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.spec.reduction != "mean" and c.seed == 2], ids=str
)
def test_a_product_with_one_hot_targets_is_refused(case):
    assert judged(case, multiplied_out).verdict is Verdict.FAIL


def test_a_mask_that_is_no_mask_is_refused():
    case = parse_case("cross_entropy n4 c5 none nonfinite float64 seed2")
    inputs = make_inputs(case)
    finite = {**inputs, "input": np.maximum(inputs["input"], -4.0)}
    assert judged(case, torch_loss).verdict is Verdict.PASS
    assert judged(case, lambda c, _: torch_loss(c, finite)).verdict is Verdict.FAIL
