"""Samples whose target is ignored add nothing: each combination against torch in float64."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from convcheck.core.case import parse_case
from convcheck.core.verdict import Verdict
from convcheck.oracle.compare import compare
from convcheck.oracle.expected import Refusal, expected
from convcheck.oracle.inputs import make_inputs

WAYS = list(
    itertools.product(
        ("mean", "sum", "none"), ("ignored", "all_ignored"), ("", "w3", "h2 w3"),
        ("", "weighted"), ("", "ls10", "ls100"),
        ("", "ignore-1", "ignore0", "ignore2", "ignore255"),
    )
)  # fmt: skip


def cases():
    for reduction, target, positions, *rest in WAYS:
        words = ["cross_entropy n3 c4", positions, reduction, target, *rest, "float64"]
        yield parse_case(" ".join(word for word in words if word))


def torch_loss(case, inputs, **changes):
    spec = case.spec
    options = {
        "weight": inputs.get("weight"), "reduction": spec.reduction,
        "label_smoothing": spec.label_smoothing / 100, "ignore_index": spec.ignored_index,
    } | changes  # fmt: skip
    if options["weight"] is not None:
        options["weight"] = torch.from_numpy(options["weight"])
    x, target = (torch.from_numpy(inputs[name]) for name in ("input", "target"))
    return F.cross_entropy(x, target, **options)


def verdict(case, inputs, found):
    return compare(expected(case, inputs).outputs[0], found.numpy(), "float64").verdict


def test_every_combination_is_what_torch_returns():
    for case in cases():
        inputs = make_inputs(case)
        assert verdict(case, inputs, torch_loss(case, inputs)) is Verdict.PASS, case


def counting_all(case, inputs):
    """As torch, but a mean divides by the number of all samples."""
    return torch_loss(case, inputs, reduction="sum") / inputs["target"].size


def smoothing_all(case, inputs):
    """As torch, but the smoothing of ignored samples is added to a sum."""
    plain = torch_loss(case, inputs)
    x, share = torch.from_numpy(inputs["input"]), case.spec.label_smoothing / 100
    weight = torch.from_numpy(inputs.get("weight", np.ones(case.spec.classes)))
    smooth = -(x.log_softmax(1).movedim(1, -1) * weight).sum(-1) * share / case.spec.classes
    ignored = torch.from_numpy(inputs["target"] == case.spec.ignored_index)
    return plain + smooth[ignored].sum()


def ignoring_no_class(case, inputs):
    return torch_loss(case, inputs, ignore_index=-100)


@pytest.mark.parametrize(
    ("wrong", "concerns"),
    [
        (counting_all, lambda spec: spec.reduction == "mean"),
        (smoothing_all, lambda spec: spec.reduction == "sum" and spec.label_smoothing),
        (ignoring_no_class, lambda spec: spec.ignore_index in (0, 2)),
    ],
)
def test_what_counts_an_ignored_sample_is_outside_the_bound(wrong, concerns):
    chosen = [case for case in cases() if concerns(case.spec)]
    assert len(chosen) > 50
    for case in chosen:
        inputs = make_inputs(case)
        assert verdict(case, inputs, wrong(case, inputs)) is Verdict.FAIL, case


def test_where_all_are_ignored_a_mean_is_nan_and_a_sum_zero():
    for case in cases():
        if case.spec.target == "all_ignored":
            values = expected(case, make_inputs(case)).outputs[0].values
            wanted = np.nan if case.spec.reduction == "mean" else 0.0
            assert np.array_equal(values, np.full(values.shape, wanted), equal_nan=True)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("index", ["", "ignore-1", "ignore0", "ignore2", "ignore255"])
def test_targets_ignore_what_the_case_says(index, seed):
    for target, shape in itertools.product(("index", "ignored", "all_ignored"), ("n2", "n1 w3")):
        case = parse_case(f"cross_entropy {shape} c3 mean {target} {index} seed{seed}")
        found = make_inputs(case)["target"]
        ignored = found == case.spec.ignored_index
        assert ignored.any() == (target != "index")
        assert ignored.all() == (target == "all_ignored")
        assert ((found[~ignored] >= 0) & (found[~ignored] < 3)).all()


def test_a_lone_sample_is_ignored_and_none_of_none():
    alone = make_inputs(parse_case("cross_entropy n1 c3 mean ignored"))["target"]
    assert alone.tolist() == [-100]
    assert make_inputs(parse_case("cross_entropy n0 c3 mean ignored"))["target"].size == 0


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("below", -1), ("below ignore-1", -2), ("below ignore2", -1),
        ("beyond", 4), ("beyond ignore4", 5),
    ],
)  # fmt: skip
def test_an_index_without_a_class_is_refused_as_in_torch(text, index):
    case = parse_case(f"cross_entropy n3 c4 mean {text} float64")
    inputs = make_inputs(case)
    assert inputs["target"][-1] == index
    refusal = expected(case, inputs)
    assert isinstance(refusal, Refusal) and f"class index {index} of 4" in refusal.reason.what
    with pytest.raises(IndexError, match=f"Target {index} is out of bounds"):
        torch_loss(case, inputs)


def test_probabilities_have_no_index_to_ignore():
    for index in (-100, -1, 0, 2):
        case = parse_case(f"cross_entropy n3 c4 mean probabilities float64 ignore{index}")
        inputs = make_inputs(case)
        if index < 0:
            assert verdict(case, inputs, torch_loss(case, inputs)) is Verdict.PASS
            continue
        assert isinstance(expected(case, inputs), Refusal)
        with pytest.raises(RuntimeError, match="not supported for floating point"):
            torch_loss(case, inputs)
