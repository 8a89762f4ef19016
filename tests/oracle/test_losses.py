"""The losses are enclosed; torch lies within the derived bound, and wrong softmaxes do not."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from convcheck.core.case import Case, parse_case
from convcheck.core.errors import UsageError
from convcheck.core.spec import LossSpec
from convcheck.core.verdict import Verdict
from convcheck.oracle import losses
from convcheck.oracle.compare import compare
from convcheck.oracle.expected import expected
from convcheck.oracle.inputs import make_inputs

LOGITS = st.lists(st.integers(-60, 60).map(lambda n: n / 8), min_size=1, max_size=8)


@st.composite
def distributions(draw, size):
    parts = draw(st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any))
    return [Fraction(part, sum(parts)) for part in parts]


PAIRS = st.integers(1, 6).flatmap(lambda n: st.tuples(distributions(n), distributions(n)))


def near(ball, number):
    """Whether a float computed elsewhere is the ball's value up to its own rounding."""
    return float(ball) == pytest.approx(number, rel=1e-12, abs=1e-12)


@given(LOGITS)
def test_softmax_family_agrees_with_scipy(logits):
    assert near(losses.logsumexp(logits), special.logsumexp(logits))
    for ours, theirs in (
        (losses.softmax(logits), special.softmax(logits)),
        (losses.log_softmax(logits), special.log_softmax(logits)),
    ):
        assert all(near(a, b) for a, b in zip(ours, theirs, strict=True))


@given(LOGITS)
def test_enclosures_are_tight_and_contain_the_value_at_a_higher_precision(logits):
    ball = losses.logsumexp(logits)
    with ctx.workprec(400):
        exact = sum((arb(x).exp() for x in logits), arb(0)).log()
        assert ball.overlaps(exact)
    assert float(ball.rad()) <= 2.0**-100 * max(1.0, abs(float(ball.mid())))
    assert sum(losses.softmax(logits), arb(0)).contains(1)


def test_softmax_does_not_overflow():
    values = losses.log_softmax([10**6, 0])
    assert float(values[0]) == 0.0 and near(values[1], -(10**6))


@given(PAIRS)
def test_divergence_is_cross_entropy_less_entropy(pair):
    p, q = pair
    divergence = losses.kl_divergence(p, q)
    if any(a and not b for a, b in zip(p, q, strict=True)):
        assert divergence == arb.pos_inf() == losses.cross_entropy(p, q)
        return
    assert (divergence - (losses.cross_entropy(p, q) - losses.entropy(p))).contains(0)
    assert not divergence < 0  # Gibbs
    floats = [[float(value) for value in values] for values in pair]
    assert near(divergence, stats.entropy(*floats))


@given(st.integers(1, 6).flatmap(distributions))
def test_divergence_of_a_distribution_from_itself_is_exactly_zero(p):
    assert losses.kl_divergence(p, p) == 0
    assert losses.kl_divergence(p, p).is_exact()


def test_conventions_of_zero():
    assert losses.entropy([0, 1]) == 0
    assert near(losses.entropy([Fraction(1, 2), Fraction(1, 2)]), math.log(2))
    assert losses.kl_divergence([1, 0], [0, 1]) == arb.pos_inf()
    assert near(losses.kl_divergence([0, 1], [Fraction(1, 2)] * 2), math.log(2))


FLOATS = ["float64", "float32", "float16", "bfloat16"]


@st.composite
def loss_cases(draw):
    kl = draw(st.booleans())
    classes = draw(st.integers(1, 9))
    spec = LossSpec(
        classes=classes,
        reduction=draw(st.sampled_from(["mean", "sum", "none", *["batchmean"] * kl])),
        target="index" if kl else draw(st.sampled_from(["index", "probabilities"])),
        log_target=kl and draw(st.booleans()),
        label_smoothing=0 if kl else draw(st.sampled_from([0, 10, 100])),
    )
    return Case(
        op="kl_div" if kl else "cross_entropy",
        spec=spec,
        spatial=draw(st.sampled_from([(), (3,), (2, 2)])),
        batch=draw(st.integers(1, 3)),
        dtype=draw(st.sampled_from(FLOATS)),
        values=draw(st.sampled_from(["integers", "large"])),
        seed=draw(st.integers(0, 99)),
    )


def torch_loss(case, inputs, log_softmax=None):
    spec, dtype = case.spec, getattr(torch, case.dtype)
    x, target = (torch.from_numpy(inputs[name]) for name in ("input", "target"))
    x = x.to(dtype)
    target = target if target.dtype == torch.int64 else target.to(dtype)
    if case.op == "kl_div":
        loss = F.kl_div(x, target, reduction=spec.reduction, log_target=spec.log_target)
    elif log_softmax:
        loss = F.nll_loss(log_softmax(x), target, reduction=spec.reduction)
    else:
        smoothing = spec.label_smoothing / 100
        loss = F.cross_entropy(x, target, reduction=spec.reduction, label_smoothing=smoothing)
    return loss.float().numpy() if case.dtype == "bfloat16" else loss.numpy()


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@given(loss_cases())
def test_torch_is_within_the_bound(case):
    inputs = make_inputs(case)
    wanted = expected(case, inputs).outputs[0]
    result = compare(wanted, torch_loss(case, inputs), case.dtype)
    assert result.verdict is Verdict.PASS, result
    assert result.largest_ratio < 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("integers", lambda x: x),
        ("integers", lambda x: x.softmax(1)),
        ("integers", lambda x: x.log_softmax(0)),
        ("integers", lambda x: torch.log(x.softmax(1) + 1e-3)),
        ("integers", lambda x: x - x.amax(1, keepdim=True)),
        ("large", lambda x: x - x.exp().sum(1, keepdim=True).log()),
    ],
)
def test_wrong_softmaxes_are_outside_the_bound(text, wrong, dtype):
    case = parse_case(f"cross_entropy n3 c5 mean index {dtype} {text}")
    inputs = make_inputs(case)
    found = torch_loss(case, inputs, wrong)
    assert compare(expected(case, inputs).outputs[0], found, dtype).verdict is Verdict.FAIL
    right = torch_loss(case, inputs, lambda x: x.log_softmax(1))
    assert compare(expected(case, inputs).outputs[0], right, dtype).verdict is Verdict.PASS


@pytest.mark.parametrize("op", ["cross_entropy", "kl_div"])
def test_mean_of_nothing_is_nan_and_sum_of_nothing_zero(op):
    for reduction, value in (("mean", np.nan), ("sum", 0.0)):
        case = parse_case(f"{op} n0 c3 {reduction}")
        wanted = expected(case, make_inputs(case)).outputs[0]
        assert np.array_equal(wanted.values, value, equal_nan=True)


def test_targets_are_distributions_with_zeros_among_them():
    target = make_inputs(parse_case("cross_entropy n8 c17 w3 mean probabilities"))["target"]
    assert (target.sum(axis=1) == 1).all() and (target >= 0).all() and (target == 0).any()
    index = make_inputs(parse_case("cross_entropy n50 c3 mean index"))["target"]
    assert index.dtype == np.int64 and set(index.tolist()) == {0, 1, 2}


def test_a_loss_of_integers_is_a_usage_error():
    case = parse_case("cross_entropy n2 c3 mean index int32")
    with pytest.raises(UsageError, match="int32"):
        expected(case, make_inputs(case))
