"""convcheck proves, tests, validates and shows convolution and the CNN layers built on it.

Importing this package is cheap: each name is imported from its room when it is first used, so
that neither torch nor sympy nor scipy is loaded for the arithmetic of a size.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcheck.conformance import (
        assert_implementation,
        check_implementation,
        check_laws,
        prove_shape,
    )
    from convcheck.core.case import Case, parse_case
    from convcheck.core.errors import ConvcheckError, GeometryError
    from convcheck.core.finding import Finding
    from convcheck.core.receptive_field import receptive_field
    from convcheck.core.sizes import (
        conv_output_size,
        conv_transpose_output_size,
        pool_output_size,
        unfold_output_size,
    )
    from convcheck.core.spec import ConvSpec, PoolSpec
    from convcheck.core.verdict import Verdict
    from convcheck.models import check_model
    from convcheck.proofs import claim, prove, theorems, verify_bilinear

__version__ = "0.1.0"

_HOMES = {
    "Case": "convcheck.core.case",
    "ConvSpec": "convcheck.core.spec",
    "ConvcheckError": "convcheck.core.errors",
    "Finding": "convcheck.core.finding",
    "GeometryError": "convcheck.core.errors",
    "PoolSpec": "convcheck.core.spec",
    "Verdict": "convcheck.core.verdict",
    "assert_implementation": "convcheck.conformance",
    "check_implementation": "convcheck.conformance",
    "check_laws": "convcheck.conformance",
    "check_model": "convcheck.models",
    "claim": "convcheck.proofs",
    "conv_output_size": "convcheck.core.sizes",
    "conv_transpose_output_size": "convcheck.core.sizes",
    "parse_case": "convcheck.core.case",
    "pool_output_size": "convcheck.core.sizes",
    "prove": "convcheck.proofs",
    "prove_shape": "convcheck.conformance",
    "receptive_field": "convcheck.core.receptive_field",
    "theorems": "convcheck.proofs",
    "unfold_output_size": "convcheck.core.sizes",
    "verify_bilinear": "convcheck.proofs",
}

__all__ = [
    "Case",
    "ConvSpec",
    "ConvcheckError",
    "Finding",
    "GeometryError",
    "PoolSpec",
    "Verdict",
    "assert_implementation",
    "check_implementation",
    "check_laws",
    "check_model",
    "claim",
    "conv_output_size",
    "conv_transpose_output_size",
    "parse_case",
    "pool_output_size",
    "prove",
    "prove_shape",
    "receptive_field",
    "theorems",
    "unfold_output_size",
    "verify_bilinear",
]


def __getattr__(name: str) -> Any:
    """Imports a public name from its room when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'convcheck' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Returns the public names."""
    return sorted(__all__)
