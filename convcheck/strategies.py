"""Hypothesis strategies for calls of an operation: `cases` and `conv_specs`.

    from hypothesis import given
    from convcheck.strategies import cases

    @given(case=cases(op="conv2d"))
    def test_my_convolution(case): ...

Every case is a call that must be answered; `convcheck.conformance.invalid` has the others.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from convcheck.conformance.parameters import Level, Parameter, Row
from convcheck.conformance.rows import case_from_row
from convcheck.conformance.search import parameters_for, wide_levels, work
from convcheck.core.case import Case
from convcheck.core.ops import find_op
from convcheck.core.spec import ConvSpec

__all__ = ["cases", "conv_specs"]

_MOST_WORK = 200_000


def cases(op: str = "conv2d", *, numpy: bool = True) -> st.SearchStrategy[Case]:
    """Returns a strategy for possible calls of `op`, which shrinks towards the simplest.

    Args:
        op: The operation; see `convcheck.core.ops.OPS`.
        numpy: Whether the arrays are NumPy's, which have no bfloat16; else torch's, which have
            no negative strides.

    Raises:
        UsageError: The operation is unknown.
    """
    found = find_op(op)
    left_out: tuple[Level, ...] = ("bfloat16",) if numpy else ("reversed",)
    rows = _rows(parameters_for(found, left_out))
    made = st.builds(
        lambda row, seed: case_from_row(found, row, seed=seed), rows, st.integers(0, 2**16)
    )
    return made.filter(lambda case: work(case) <= _MOST_WORK)


def conv_specs(op: str = "conv2d") -> st.SearchStrategy[ConvSpec]:
    """Returns a strategy for the specs of a convolution.

    Raises:
        UsageError: The operation is unknown.
    """
    specs: st.SearchStrategy[Any] = cases(op).map(lambda case: case.spec)
    return specs.filter(lambda spec: isinstance(spec, ConvSpec))


def _rows(parameters: tuple[Parameter, ...]) -> st.SearchStrategy[Row]:
    return st.fixed_dictionaries(
        {
            p.name: st.sampled_from(list(dict.fromkeys(p.levels + wide_levels(p))))
            for p in parameters
        }
    )
