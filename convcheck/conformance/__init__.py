"""Does a function compute a convolution? Cases, execution, judgement, shrinking, diagnosis.

May import: oracle, runtime, core. Heavy parts are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcheck.conformance.assertion import assert_implementation
    from convcheck.conformance.check import check_implementation
    from convcheck.conformance.laws.check import check_laws
    from convcheck.conformance.report import Coverage, ImplementationReport, describe
    from convcheck.conformance.shape_proof import prove_shape

_HOMES = {
    "Coverage": "convcheck.conformance.report",
    "ImplementationReport": "convcheck.conformance.report",
    "assert_implementation": "convcheck.conformance.assertion",
    "check_implementation": "convcheck.conformance.check",
    "check_laws": "convcheck.conformance.laws.check",
    "describe": "convcheck.conformance.report",
    "prove_shape": "convcheck.conformance.shape_proof",
}

__all__ = [
    "Coverage",
    "ImplementationReport",
    "assert_implementation",
    "check_implementation",
    "check_laws",
    "describe",
    "prove_shape",
]


def __getattr__(name: str) -> Any:
    """Imports a public name from its module when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
