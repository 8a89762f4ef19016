"""Whether a function is compiled when it is called, which takes far longer than the call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

# Packages whose compiled functions are objects of their own types.
_COMPILERS = ("numba", "jax", "jaxlib", "triton")
_TORCH_MARK = "_torchdynamo_orig_callable"


def is_compiled(function: Callable[..., Any]) -> bool:
    """Returns whether `function`, or a function that it names, was handed to a compiler."""
    return any(map(_is_marked, _reach(function)))


def _is_marked(value: Any) -> bool:
    if hasattr(value, _TORCH_MARK) or hasattr(type(value), _TORCH_MARK):
        return True
    return type(value).__module__.partition(".")[0] in _COMPILERS


def _reach(function: Callable[..., Any]) -> Iterator[Any]:
    """Yields the function, what it holds, and the globals that its code names."""
    yield function
    # An optimised torch module keeps the compiled call here.
    yield getattr(function, "dynamo_ctx", None)
    inner = getattr(function, "__func__", function)
    code = getattr(inner, "__code__", None)
    if code is None:
        return
    for cell in inner.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue
    scope = inner.__globals__
    for name in code.co_names:
        if name in scope and not inspect.ismodule(scope[name]):
            yield scope[name]
