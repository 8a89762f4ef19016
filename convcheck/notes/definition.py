"""Claims S01 to S10: the definition of convolution, its commutativity, and what CNNs compute."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from convcheck.notes.claim import Claim, Reading
from convcheck.notes.evidence import by_computation, by_theorem

_VALUES = "the values commute and the integral exists at t"


def _definition() -> tuple[Reading, ...]:
    truncated = [_integral_of_one(half) for half in (1, 10, 100)]
    quarters = [Fraction(n, 4) for n in range(-20, 21)]
    bounded = max(abs(_integral_with_signs(t)) for t in quarters)
    return (
        by_computation(
            truncated[-1] - truncated[-2] < truncated[-2] - truncated[-3],
            "the integral exists for all functions f and g",
            f"f = g = 1: over [-T, T] it is {truncated} for T = 1, 10, 100, without bound",
        ),
        by_computation(
            bounded <= 1,
            "the integral exists at every t",
            "f = 1 on [0, 1], |g| = 1 everywhere: at most the integral of |f| at 41 places t",
            under="f integrable and g bounded (or both integrable, for almost every t)",
        ),
    )


def _integral_of_one(half: int) -> int:
    """Integral of 1 * 1 over [-half, half], summed over unit cells."""
    return sum(1 for _ in range(-half, half))


def _integral_with_signs(t: Fraction) -> Fraction:
    """Integral of f(tau) g(t - tau), f = 1 on [0, 1], g = (-1)^n on [n, n + 1)."""
    cell = floor(t)
    part = t - cell
    sign = 1 if cell % 2 == 0 else -1
    return part * sign - (1 - part) * sign


def _reversed_and_shifted() -> tuple[Reading, ...]:
    f, g = np.array([1, 2, 5]), np.array([3, -1, 4, 7])
    want = np.convolve(f, g)
    places = range(want.size)
    turned = [_moved_product(f, g[::-1], t - (g.size - 1)) for t in places]
    straight = [_moved_product(f, g, t - (g.size - 1)) for t in places]
    return (
        by_computation(
            list(want) == turned and list(want) != straight,
            "the product of f with g reversed and shifted by t, summed",
            f"two integer sequences at every shift: {turned}; without the reversal {straight}",
        ),
    )


def _moved_product(f: np.ndarray, g: np.ndarray, shift: int) -> int:
    return sum(
        int(f[shift + i]) * int(value) for i, value in enumerate(g) if 0 <= shift + i < f.size
    )


def _commutes() -> tuple[Reading, ...]:
    a, b = np.array([[1, 1], [0, 1]]), np.array([[1, 0], [1, 1]])
    return (
        by_computation(
            np.array_equal(a @ b, b @ a),
            "f*g = g*f for all f and g that can be multiplied",
            f"matrix values at 0: f g = {(a @ b).tolist()}, g f = {(b @ a).tolist()}",
        ),
        by_theorem("convolution_commutes", "f*g = g*f", under=_VALUES),
    )


def _substitution() -> tuple[Reading, ...]:
    step = {"rule": "ring", "line": "= u"}
    return (_by_kernel("t-(t-u) = u", step, {"u": "R"}, "t - (t - u) = u, so tau = t - u"),)


def _line(number: int, says: str, *, under: str = "") -> tuple[Reading, ...]:
    """Returns the readings of one line of the notes' derivation, checked by itself."""
    from convcheck.proofs import theorems

    theorem = next(t for t in theorems() if t.name == "convolution_commutes_as_in_the_notes")
    steps = theorem.proof["chain"]
    lines = [theorem.statement.split(" = ")[0], *(step["line"][2:] for step in steps)]
    before, after = lines[number : number + 2]
    functions = {"f": "R->K", "g": "R->K"}
    reading = _by_kernel(f"{before} = {after}", steps[number], functions, says, under=under)
    if before != after:
        return (reading,)
    says_nothing = "both lines are the same text"
    return (reading, by_computation(False, "the line says something new", says_nothing))


def _by_kernel(
    statement: str,
    step: Mapping[str, Any],
    variables: Mapping[str, str],
    says: str,
    *,
    under: str = "",
) -> Reading:
    from convcheck.proofs import Proved, check

    certificate = {
        "name": "line",
        "vars": {**variables, "t": "R"},
        "hyps": [],
        "statement": statement,
        "proof": {"chain": [step]},
    }
    decision = check(certificate)
    accepted = isinstance(decision, Proved)
    evidence = f"the kernel accepts the step: {statement}" if accepted else str(decision)
    return by_computation(accepted, says, evidence, under=under)


def _end_of_the_derivation() -> tuple[Reading, ...]:
    return (*_commutes()[:1], *_line(3, "the last line is (g*f)(t)", under=_VALUES))


def _layer_is_convolution() -> tuple[Reading, ...]:
    import torch
    from torch.nn.functional import conv2d

    x, w = np.arange(16).reshape(4, 4), np.array([[1, 2], [3, 5]])
    layer = conv2d(torch.tensor(x[None, None]), torch.tensor(w[None, None]))[0, 0].numpy()
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape)
    correlation = np.einsum("ijkl,kl->ij", windows, w)
    convolution = np.einsum("ijkl,kl->ij", windows, w[::-1, ::-1])
    return (
        by_computation(
            np.array_equal(layer, convolution),
            "the layer `nn.Conv2d` computes the convolution that was defined",
            f"first output {layer[0, 0]}: cross-correlation gives {correlation[0, 0]}, "
            f"convolution {convolution[0, 0]}; and it equals the cross-correlation everywhere: "
            f"{np.array_equal(layer, correlation)}",
        ),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(id="S01", says="(f*g)(t) is the integral of f(tau) g(t - tau).", check=_definition,
          correction="a definition; the integral must exist"),
    Claim(id="S02", says="The product after one function is reversed and shifted.",
          check=_reversed_and_shifted),
    Claim(id="S03", says="f*g = g*f.", check=_commutes),
    Claim(id="S04", says="u = t - tau gives tau = t - u.",
          check=_substitution),
    Claim(id="S05", says="Line 2: limits from +oo to -oo, d(t - u).",
          check=lambda: _line(0, "the line follows by substitution")),
    Claim(id="S06", says="Line 3 of the derivation.",
          check=lambda: _line(1, "the line follows"), correction="a verbatim repeat of line 2"),
    Claim(id="S07", says="Line 4: limits exchanged, du.",
          check=lambda: _line(2, "d(t - u) = -du and the exchange of the limits cancel"),
          correction="two silent steps"),
    Claim(id="S08", says="= (g*f)(t).", check=_end_of_the_derivation),
    Claim(id="S09", says="CNNs are most commonly applied to images.", check=tuple,
          correction="empirical"),
    Claim(id="S10", says="The section on the CNN layer calls it this convolution.",
          check=_layer_is_convolution,
          correction="cross-correlation, summed over channels, plus bias; it does not commute: "
          "corr(f, g)(t) = corr(g, f)(-t)"),
)  # fmt: skip
