"""Softmax, log-softmax, entropy, cross-entropy and KL divergence as rigorous enclosures.

Every function takes exact numbers (ints, Fractions, or floats, which are dyadic rationals) and
returns Arb balls: a midpoint with a radius that provably contains the true value. Conventions:
0 log 0 = 0, and a divergence is +inf unless p << q (p is zero wherever q is).

References:
    Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", 2017.
    Cover and Thomas, "Elements of Information Theory", 2.1 to 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any

from flint import arb, ctx, fmpq

Number = int | float | Fraction
Ball = Any
PRECISION = 128


def exactly(value: Number) -> fmpq:
    """Returns a finite number as the rational that it is."""
    ratio = value if isinstance(value, Rational) else Fraction(value)
    return fmpq(int(ratio.numerator), int(ratio.denominator))


def logsumexp(logits: Sequence[Number]) -> Ball:
    """Returns log(sum of exp(x)), the largest x taken out first so that nothing overflows."""
    rationals = [exactly(value) for value in logits]
    largest = max(rationals)
    with ctx.workprec(PRECISION):
        return arb(largest) + sum((arb(x - largest).exp() for x in rationals), arb(0)).log()


def log_softmax(logits: Sequence[Number]) -> tuple[Ball, ...]:
    """Returns x - logsumexp(logits) for every x."""
    with ctx.workprec(PRECISION):
        total = logsumexp(logits)
        return tuple(arb(exactly(value)) - total for value in logits)


def softmax(logits: Sequence[Number]) -> tuple[Ball, ...]:
    """Returns exp(x) / sum of exp for every x."""
    with ctx.workprec(PRECISION):
        return tuple(value.exp() for value in log_softmax(logits))


def entropy(p: Sequence[Number]) -> Ball:
    """Returns H(p) = -sum p log p."""
    return cross_entropy(p, p)


def cross_entropy(p: Sequence[Number], q: Sequence[Number]) -> Ball:
    """Returns H(p, q) = -sum p log q; +inf unless p << q."""
    with ctx.workprec(PRECISION):
        return sum((-_x_log_y(exactly(a), exactly(b)) for a, b in zip(p, q, strict=True)), arb(0))


def kl_divergence(p: Sequence[Number], q: Sequence[Number]) -> Ball:
    """Returns KL(p || q) = sum p log(p / q); +inf unless p << q, and exactly 0 for p = q."""
    pairs = [(exactly(a), exactly(b)) for a, b in zip(p, q, strict=True)]
    with ctx.workprec(PRECISION):
        if any(a != 0 and b == 0 for a, b in pairs):
            return arb.pos_inf()
        return sum((_x_log_y(a, a / b) for a, b in pairs if a != 0), arb(0))


def _x_log_y(x: fmpq, y: fmpq) -> Ball:
    if x == 0:
        return arb(0)
    return arb(x) * arb(y).log() if y != 0 else arb.neg_inf() * arb(x)
