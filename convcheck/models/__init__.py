"""Validate a model: every layer's size against the formula, and why a broken one breaks.

May import: core, runtime. Importing this package loads neither torch nor onnx.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convcheck.models.check import check_model
    from convcheck.models.layers import LayerCall
    from convcheck.models.model_report import ModelReport

_HOMES = {
    "LayerCall": "convcheck.models.layers",
    "ModelReport": "convcheck.models.model_report",
    "check_model": "convcheck.models.check",
}

__all__ = ["LayerCall", "ModelReport", "check_model"]


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module 'convcheck.models' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
