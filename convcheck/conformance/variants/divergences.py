"""Explanations of `kl_div`: a fault in its terms, or in how they are taken together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from convcheck.conformance.variants.changes import log_softmax
from convcheck.conformance.variants.variant import (
    Arrays,
    Results,
    Variant,
    correct,
    on_inputs,
    on_result,
)
from convcheck.core.case import Case
from convcheck.core.spec import LossSpec

# What is added to a probability, or below which one is left out, so that its logarithm exists.
TINY = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)


def divergence_variants() -> Iterator[Variant]:
    """Yields the faults of `kl_div` alone."""
    plain: tuple[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]], ...] = (
        ("gives NaN for 0 log 0", lambda x, t: t * np.log(t) - t * x),
        ("leaves out the target's entropy (a cross-entropy)", lambda x, t: -t * x),
        (
            "leaves out the cross-entropy (the target's negative entropy)",
            lambda x, t: t * _safe_log(t),
        ),
        (
            "takes the input for probabilities, not their logarithms",
            lambda x, t: t * (_safe_log(t) - np.log(x)),
        ),
        (
            "takes the logarithm of the input's magnitude",
            lambda x, t: t * (_safe_log(t) - np.log(np.abs(x))),
        ),
        (
            "exchanges the two distributions, KL(input || target)",
            lambda x, t: np.exp(x) * (x - np.log(t)),
        ),
        ("does not weigh by the target", lambda x, t: _safe_log(t) - x),
        *(
            (f"adds {tiny:g} to the target", lambda x, t, tiny=tiny: t * np.log(t + tiny) - t * x)
            for tiny in TINY
        ),
        *(
            (
                f"skips shares below {tiny:g}",
                lambda x, t, tiny=tiny: np.where(t > tiny, t * (_safe_log(t) - x), 0),
            )
            for tiny in TINY
        ),
    )
    logs: tuple[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray]], ...] = (
        ("takes log_target to base 2", lambda x, t: np.exp2(t) * (t - x)),
        ("weighs by the logarithm of the target, not by the target", lambda x, t: t * (t - x)),
        ("exchanges the two distributions, KL(input || target)", lambda x, t: np.exp(x) * (x - t)),
        ("leaves out the target's entropy (a cross-entropy)", lambda x, t: -np.exp(t) * x),
    )
    both = {says for says, _ in plain} & {says for says, _ in logs}
    of_logs = dict(logs)
    for says, terms in plain:
        yield Variant(says=says, results=_pointwise(terms, of_logs[says] if says in both else None))
    for says, terms in logs:
        if says not in both:
            yield Variant(says=says, results=_pointwise(None, terms))
    yield Variant(
        says="bounds each term below at 0", results=_reduced_terms(lambda y: np.maximum(y, 0))
    )
    yield Variant(says="takes the magnitude of each term", results=_reduced_terms(np.abs))
    for axis, name in ((1, "the classes"), (-1, "the last axis")):
        yield on_result(
            f'sums over {name} where reduction is "none"',
            lambda y, case, _, a=axis: y.sum(axis=a) if y.ndim > 1 else None,
        )
        yield on_inputs(
            f"normalises the target over {name}",
            target=lambda t, case, a=axis: (
                t / t.sum(axis=a, keepdims=True) if _is_plain(case) else t
            ),
        )
        yield on_inputs(
            f"normalises the input by log_softmax over {name}",
            input=lambda x, case, a=axis: (
                np.moveaxis(log_softmax(np.moveaxis(x, a, -1)), -1, a) if case.op == "kl_div" else x
            ),
        )
    for least in (-10.0, -20.0, -50.0, -100.0):
        yield on_inputs(
            f"bounds the input below at {least:g}",
            input=lambda x, case, b=least: np.maximum(x, b) if case.op == "kl_div" else x,
        )


def _is_plain(case: Case) -> bool:
    return case.op == "kl_div" and isinstance(case.spec, LossSpec) and not case.spec.log_target


def _safe_log(t: np.ndarray) -> np.ndarray:
    return np.log(np.where(t == 0, 1, t))


def _reduce(case: Case, terms: np.ndarray) -> Results:
    assert isinstance(case.spec, LossSpec)
    if case.spec.reduction == "none":
        return (terms,)
    divisor = {"sum": 1, "mean": terms.size, "batchmean": case.batch}[case.spec.reduction]
    return (np.asarray(terms.sum() / np.float64(divisor)),)


def _pointwise(
    plain: Callable[[np.ndarray, np.ndarray], np.ndarray] | None,
    logs: Callable[[np.ndarray, np.ndarray], np.ndarray] | None,
) -> Callable[[Case, Arrays], Results | None]:
    """What a fault in the terms returns; a kind of target that it does not touch is right."""

    def results(case: Case, inputs: Arrays) -> Results | None:
        if case.op != "kl_div":
            return None
        assert isinstance(case.spec, LossSpec)
        terms = logs if case.spec.log_target else plain
        if terms is None:
            return correct(case, inputs)
        return _reduce(case, terms(*(inputs[n].astype(np.float64) for n in ("input", "target"))))

    return results


def _reduced_terms(
    change: Callable[[np.ndarray], np.ndarray],
) -> Callable[[Case, Arrays], Results | None]:
    def results(case: Case, inputs: Arrays) -> Results | None:
        assert isinstance(case.spec, LossSpec)
        if case.op != "kl_div":
            return None
        terms = correct(replace(case, spec=replace(case.spec, reduction="none")), inputs)
        return None if terms is None else _reduce(case, change(terms[0]))

    return results
