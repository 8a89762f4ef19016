"""Claims S40 to S50: cross-entropy, log-likelihood, KL divergence."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import inf, log, prod

from convcheck.notes.claim import Claim, Reading
from convcheck.notes.evidence import by_claim, by_computation, by_theorem

_SUPPORT = "finite support, p << q, 0 log 0 = 0"


def _cross_entropy_defined() -> tuple[Reading, ...]:
    import torch

    scores, target = torch.tensor([[0.0, 0.0]], dtype=torch.float64), torch.tensor([0])
    found = float(torch.nn.functional.cross_entropy(scores, target))
    return (
        by_claim("H(p,q) == -sum(p*log(q))", "the expectation under p, written as a sum"),
        by_computation(
            abs(found - log(2)) < abs(found - 1),
            "the base of the logarithm is e in the code",
            f"torch gives {found:.6f} for one of two equal scores: ln 2, not log2 2",
        ),
    )


def _cross_entropy_sum() -> tuple[Reading, ...]:
    p, q = (Fraction(1, 2), Fraction(1, 2)), (Fraction(1), Fraction(0))
    return (
        by_computation(
            _cross_entropy(p, q) < inf,
            "the sum is finite for all p and q",
            f"p = (1/2, 1/2), q = (1, 0) gives {_cross_entropy(p, q)}",
        ),
        by_claim("H(p,q) == -sum(p*log(q))", "H(p, q) = -sum p log q", under=_SUPPORT),
    )


def _cross_entropy(p: tuple[Fraction, ...], q: tuple[Fraction, ...]) -> float:
    terms = (
        0.0 if not weight else inf if not chance else -float(weight) * log(chance)
        for weight, chance in zip(p, q, strict=True)
    )
    return sum(terms)


def _likelihood() -> tuple[Reading, ...]:
    dependent = {(0, 0): Fraction(1, 2), (0, 1): 0, (1, 0): 0, (1, 1): Fraction(1, 2)}
    fair = Fraction(1, 2)
    chances = (Fraction(1, 3), Fraction(2, 5))
    joint = {
        ys: prod(c if y else 1 - c for y, c in zip(ys, chances, strict=True))
        for ys in product((0, 1), repeat=2)
    }
    return (
        by_computation(
            dependent[0, 0] == fair * fair,
            "the likelihood is the product for any samples",
            "two labels that always agree: joint 1/2, product of the marginals 1/4",
        ),
        by_computation(
            sum(joint.values()) == 1
            and all(
                sum(value for ys, value in joint.items() if ys[i]) == chances[i] for i in (0, 1)
            ),
            "the likelihood is the product",
            "the product is the joint distribution that has these marginals (exact fractions)",
            under="samples independent given the inputs",
        ),
    )


def _product_form() -> tuple[Reading, ...]:
    chances = (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2))
    label = 1
    as_factor = prod(c * (index == label) for index, c in enumerate(chances))
    as_exponent = prod(c ** (index == label) for index, c in enumerate(chances))
    return (
        by_computation(
            as_factor == chances[label],
            "the product with the indicator as a factor is p(y | x)",
            f"p = (1/5, 3/10, 1/2), y = 1: the printed product is {as_factor}, so its logarithm "
            f"is -oo; with the indicator as an exponent it is {as_exponent} = p(y | x)",
        ),
    )


def _sum_form() -> tuple[Reading, ...]:
    chances = (Fraction(1, 5), Fraction(3, 10), Fraction(1, 2))
    same = all(
        prod(c ** (index == label) for index, c in enumerate(chances))
        == prod(c for index, c in enumerate(chances) if index == label)
        for label in range(3)
    )
    return (
        by_computation(
            same,
            "the exponent form is the product of the chosen factors",
            "exact for every label of a three-class distribution",
        ),
        by_theorem(
            "likelihood_with_the_indicator_as_exponent",
            "the exponential of the sum over the classes of indicator times log p is p(y | x)",
        ),
    )


def _softmax_inserted() -> tuple[Reading, ...]:
    return (
        by_claim("log(softmax(z)) == z - logsumexp(z)", "the softmax model's log-probability"),
        by_claim("sum(softmax(z)) == 1", "the softmax is a distribution"),
    )


def _likelihood_is_cross_entropy() -> tuple[Reading, ...]:
    import torch
    from torch.nn.functional import cross_entropy, log_softmax

    scores = torch.tensor([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], dtype=torch.float64)
    labels, weights = torch.tensor([0, 1, 1]), torch.tensor([1.0, 3.0], dtype=torch.float64)
    log_likelihood = float(log_softmax(scores, 1)[range(3), labels].sum())
    weighted = float(cross_entropy(scores, labels, weight=weights))
    return (
        by_computation(
            abs(weighted + log_likelihood / 3) < 1 / 1000,
            "the same with class weights",
            f"weights 1 and 3: the loss is {weighted:.4f}, -l/m is {-log_likelihood / 3:.4f}",
        ),
        by_theorem(
            "log_likelihood_is_minus_m_cross_entropy",
            "the log-likelihood is -m times the mean cross-entropy, so the optima agree",
            under="mean over the samples, no class weights, no label smoothing, one base",
        ),
    )


def _kl_defined() -> tuple[Reading, ...]:
    return (
        by_claim("KL(p,q) == sum(p*log(p/q))", "the sum of p log(p/q)"),
        by_claim("KL(p,p) == 0", "nothing is lost against itself"),
        by_claim("KL(p,q) >= 0", "never negative (Gibbs)"),
    )


def _kl_split() -> tuple[Reading, ...]:
    p, q = (Fraction(1, 2), Fraction(1, 2)), (Fraction(1), Fraction(0))
    return (
        by_computation(
            _cross_entropy(p, q) < inf,
            "the difference of the two sums exists for all p and q",
            f"p = (1/2, 1/2), q = (1, 0): the second sum is -{_cross_entropy(p, q)}",
        ),
        by_theorem("kl_is_cross_entropy_minus_entropy", "the split into two sums", under=_SUPPORT),
    )


def _same_minimiser() -> tuple[Reading, ...]:
    q = (Fraction(3, 4), Fraction(1, 4))
    grid = [(Fraction(n, 100), 1 - Fraction(n, 100)) for n in range(101)]
    least_cross = min(grid, key=lambda p: _cross_entropy(p, q))
    least_kl = min(grid, key=lambda p: _cross_entropy(p, q) - _cross_entropy(p, p))
    shown = ", ".join(map(str, least_cross)), ", ".join(map(str, least_kl))
    return (
        by_theorem(
            "cross_entropy_and_kl_have_the_same_minimiser",
            "over q, with p fixed, both have the same minimisers",
        ),
        by_computation(
            least_cross == least_kl,
            "also over p, as the reason given (p is the truth) would have it",
            f"q = (3/4, 1/4): over p the cross-entropy is least at ({shown[0]}), KL at "
            f"({shown[1]})",
        ),
    )


def _softmax_is_needed() -> tuple[Reading, ...]:
    import torch
    from torch.nn.functional import cross_entropy, log_softmax, nll_loss

    scores, label = torch.tensor([[0.0, 1000.0]], dtype=torch.float64), torch.tensor([0])
    loss = float(cross_entropy(scores, label))
    in_two_steps = float(-torch.softmax(scores, 1).log()[0, 0])
    small = torch.tensor([[1.0, 2.0, 0.5]], dtype=torch.float64)
    one = torch.tensor([2])
    same = bool(torch.equal(cross_entropy(small, one), nll_loss(log_softmax(small, 1), one)))
    twice = float(cross_entropy(torch.softmax(small, 1), one))
    once = float(cross_entropy(small, one))
    return (
        by_computation(
            same, "it is log-softmax followed by the negative log-likelihood", "equal bits"
        ),
        by_computation(
            loss == in_two_steps,
            "it contains a softmax layer whose output is then put into the cross-entropy",
            f"scores (0, 1000), label 0: the loss is {loss:g}, softmax and then log give "
            f"{in_two_steps:g}; and a network that ends in a softmax of its own is penalised "
            f"{twice:.4f} instead of {once:.4f}",
        ),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(id="S40", says="H(p, q) = -E_p[log q].", check=_cross_entropy_defined,
          correction="the base is not stated; torch uses e"),
    Claim(id="S41", says="For discrete distributions H(p, q) = -sum p log q.",
          check=_cross_entropy_sum),
    Claim(id="S42", says="l(theta) is the sum of log p(y | x).", check=_likelihood),
    Claim(id="S43", says="It equals the sum of the log of a product over classes, indicator as "
          "factor.", check=_product_form, correction="the indicator must be an exponent"),
    Claim(id="S44", says="It equals the double sum of indicator times log p.", check=_sum_form),
    Claim(id="S45", says="The softmax is inserted for p.", check=_softmax_inserted),
    Claim(id="S46", says="Maximising the log-likelihood is minimising the cross-entropy.",
          check=_likelihood_is_cross_entropy),
    Claim(id="S47", says="KL(p, q) = sum p log(p / q).", check=_kl_defined,
          correction="with 0 log 0 = 0, and +oo unless p << q"),
    Claim(id="S48", says="KL = sum p log p - sum p log q.", check=_kl_split),
    Claim(id="S49", says="KL = -H(p) + H(p, q).", check=_kl_split),
    Claim(id="S50", says="As p is the truth, minimising KL is minimising cross-entropy.",
          check=_same_minimiser,
          correction="the reason is that p does not depend on the parameters"),
    Claim(id="S63", says="The loss of the code contains a softmax layer and cross-entropy.",
          check=_softmax_is_needed, correction="log-softmax and NLL; the network outputs scores"),
)  # fmt: skip
