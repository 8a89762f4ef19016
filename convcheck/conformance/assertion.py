"""`assert_implementation`: the check of a function, as an assertion of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convcheck.conformance.check import check_implementation


def assert_implementation(fn: str | Callable[..., Any], op: str = "conv2d", **options: Any) -> None:
    """Raises an AssertionError that carries the findings if a function is not what it claims.

    Args:
        fn: The function.
        op: The operation that it claims to be.
        options: Those of `check_implementation`.

    Raises:
        AssertionError: A fault was found, or nothing could be compared; `report` is its attribute.
    """
    report = check_implementation(fn, op, **options)
    if not report.passed:
        error = AssertionError(str(report))
        error.report = report  # type: ignore[attr-defined]
        raise error
