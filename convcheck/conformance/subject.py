"""The function under test, as it is named in findings and scripts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from convcheck.conformance.arguments import ArrayKind
from convcheck.conformance.targets import check_signature, load_target, name_target
from convcheck.core.errors import TargetError
from convcheck.core.ops import forward_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """How the function under test is named and called.

    Attributes:
        name: `"package.module:function"`, or its bare name where no interpreter can import it.
        op: The operation that it claims to be.
        arrays: Which arrays it takes.
        importable: Whether a new interpreter can import it by that name.
        by_keyword: Whether its parameters are passed by name.
        autograd: Whether it is a forward function, differentiated by torch.
    """

    name: str
    op: str
    arrays: ArrayKind
    importable: bool = True
    by_keyword: bool = True
    autograd: bool = False


def subject_of(
    fn: str | Callable[..., Any], op: str, arrays: ArrayKind, *, autograd: bool = False
) -> Subject:
    """Returns how a function is named; a text that names it is taken as it is."""
    if isinstance(fn, str):
        function, name, importable = load_target(fn) if ".py:" in fn else None, fn, True
    else:
        function, importable = fn, True
        try:
            name = name_target(fn)
        except TargetError:
            name, importable = getattr(fn, "__name__", type(fn).__name__), False
    by_keyword = True
    if function is not None:
        with suppress(TargetError):
            by_keyword = check_signature(function, forward_of(op) if autograd else op)
    return Subject(
        name=name,
        op=op,
        arrays=arrays,
        importable=importable,
        by_keyword=by_keyword or autograd,
        autograd=autograd,
    )
