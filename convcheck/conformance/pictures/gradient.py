"""A wrong element of a gradient, drawn: the products that sum to it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from convcheck.conformance.bench import Observation
from convcheck.core.ops import find_op
from convcheck.core.spec import ConvSpec
from convcheck.oracle.direct import terms

_MOST_TERMS = 4096
_SHOWN = 12


def gradient_picture(seen: Observation) -> str:
    """Returns a wrong element of grad_x, grad_w or grad_b in plain text; empty elsewhere.

    The sum is that of the trilinear form T(y, w, x): the products in which the element's own
    argument has its index, that argument left out.
    """
    problem, spec = seen.problem, seen.case.spec
    family = find_op(seen.case.op).family
    if (
        problem is None
        or problem.comparison is None
        or problem.comparison.first_index is None
        or not isinstance(spec, ConvSpec)
        or not family.endswith("backward")
        or "double" in family
        or seen.case.batch * np.prod(seen.inputs["w"].shape) > _MOST_TERMS
    ):
        return ""
    found = problem.comparison
    index = tuple(found.first_index or ())
    name = ("grad_x", "grad_w", "grad_b")[problem.output]
    at = ", ".join(map(str, index))
    lines = [f"{name}[{at}]: expected {_number(found.expected)}, got {_number(found.actual)}"]
    if name == "grad_b":
        lines.append(f"it is the sum of grad_output[:, {at}] over images and positions")
        return "\n".join(lines)
    products = list(_products(seen, spec, name, index))
    g = seen.inputs["grad_output"]
    other = seen.inputs["w" if name == "grad_x" else "x"]
    what = "w" if name == "grad_x" else "x"
    lines.append(f"it is the sum of {len(products)} products grad_output * {what}:")
    for y, o in products[:_SHOWN]:
        lines.append(
            f"  grad_output[{', '.join(map(str, y))}] * {what}[{', '.join(map(str, o))}]"
            f" = {_number(g[y])} * {_number(other[o])}"
        )
    if len(products) > _SHOWN:
        lines.append(f"  ... and {len(products) - _SHOWN} more")
    return "\n".join(lines)


def _products(
    seen: Observation, spec: ConvSpec, name: str, index: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yields the index into grad_output and into the other argument of every product."""
    width = seen.inputs["w"].shape[1]
    for f, c, o, k, i in terms(spec, seen.case.spatial):
        w = (c, f % width, *k) if spec.transposed else (f, c % width, *k)
        for n in range(seen.case.batch):
            y, x = (n, f, *o), (n, c, *i)
            if (x if name == "grad_x" else w) == index:
                yield y, (w if name == "grad_x" else x)


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
