"""The sections of the report, in reading order."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from convcheck.cli.sections.context import Context
from convcheck.report.document import Section

SECTIONS: tuple[tuple[str, str], ...] = (
    ("notes", "Every claim of the notes"),
    ("proofs", "Proofs"),
    ("sizes", "Output sizes"),
    ("implementations", "Implementations against the oracle"),
    ("pooling_and_loss", "Pooling and loss"),
    ("network", "The network's layer sizes"),
    ("training", "The training run"),
)


def builder(key: str) -> Callable[[Context], Section]:
    """Returns the function that builds the section, its module imported now."""
    found = import_module(f"convcheck.cli.sections.{key}").build
    assert callable(found)
    return found
