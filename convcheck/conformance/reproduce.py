"""The script that shows a fault without convcheck: numpy or torch, the target, literal numbers."""

from __future__ import annotations

from math import prod
from typing import Any, Literal

import numpy as np

from convcheck.conformance.arguments import (
    NAMED_ARRAYS,
    ArrayKind,
    array_names,
    call_arguments,
    is_index,
)
from convcheck.conformance.bench import Observation
from convcheck.conformance.layouts import expanded_axis
from convcheck.core.case import Case, Layout
from convcheck.oracle.expected import Expected, Refusal

# The call that must come before: none, one on other values in the same arrays, one on the same
# values in reverse (of the same sum, and with the same elements), or one of another case.
Warm = Literal["none", "others", "reversed"] | Case

# Starts the script again with new memory filled, which has to be said before the first allocation.
_POISON = (
    "import os, sys; os.environ.get('MALLOC_PERTURB_') or "
    "os.execve(sys.executable, sys.orig_argv, {**os.environ, 'MALLOC_PERTURB_': '1'})"
)
# Longer literals are packed: their bytes in hexadecimal.
_READABLE = 512


def reproduce(
    seen: Observation,
    *,
    target: str,
    arrays: ArrayKind,
    by_keyword: bool = True,
    warm: Warm = "none",
    poisoned: bool = False,
    autograd: bool = False,
) -> str:
    """Returns a script of at most 15 lines that exits with an AssertionError where the fault is.

    Args:
        seen: The failing observation.
        target: The function as text, `"package.module:function"` or `"file.py:function"`.
        arrays: Which arrays the function takes.
        by_keyword: Whether its parameters are passed by name.
        warm: The call to make before, if any; that of a case has ones for its input.
        poisoned: Whether new memory must hold something, which glibc sees to where it is asked.
        autograd: Whether `target` is a forward function that torch differentiates.
    """
    case, problem = seen.case, seen.problem
    assert problem is not None
    lines = [f"# {case}", *([_POISON] if poisoned else []), *import_lines(target, arrays)]
    lines += derivation(case.op) if autograd else []
    given = []
    for name in array_names(case, seen.inputs, by_keyword=by_keyword):
        if name in seen.inputs:
            first = name == next(iter(seen.inputs))
            lines.append(f"{name} = {_array(seen.inputs[name], case, arrays, first)}")
            given.append(f"{name}={name}" if by_keyword and name in NAMED_ARRAYS else name)
        else:
            given.append("None")
    settings = _settings(case, by_keyword)
    given += settings
    call = f"fn({', '.join(given)})"
    if isinstance(warm, Case) and "x" not in seen.inputs:
        arguments = _settings(warm, by_keyword)
        lines.append(f"fn({', '.join(arguments)})  # the fault shows after this call")
    elif isinstance(warm, Case):
        shape = (seen.inputs["x"].shape[0], seen.inputs["x"].shape[1], *warm.spatial)
        ones = f"x.new_ones({shape})" if arrays == "torch" else f"np.ones({shape}, x.dtype)"
        given[given.index("x")] = ones
        arguments = [*given[: len(given) - len(settings)], *_settings(warm, by_keyword)]
        lines.append(f"fn({', '.join(arguments)})  # the fault shows after this call")
    elif warm != "none":
        before = _on_others(call, seen, arrays, warm == "reversed")
        lines.append(f"{before}  # the fault shows after this call")
    if problem.kind == "misbehaved" and problem.detail.startswith("changed its input"):
        copies = ", ".join(f"{name} + 0" for name in seen.inputs)
        lines += [f"before = ({copies},)", call]
        names = ", ".join(seen.inputs)
        same = "(a == b).all()" if arrays == "torch" else "np.array_equal(a, b, equal_nan=True)"
        lines.append(f"assert all({same} for a, b in zip(before, ({names},))), 'input changed'")
    elif isinstance(seen.wanted, Refusal):
        lines += ["try:", f"    y = {call}", "except Exception:", "    raise SystemExit"]
        lines.append(
            f"raise AssertionError(f'must be refused: {_quoted(seen.wanted.reason.what)}')"
        )
    elif problem.kind in ("value", "shape", "dtype", "count", "type"):
        lines += [f"y = {call}", *_assertions(seen, arrays)]
    else:
        lines.append(f"y = {call}  # {_one_line(problem.reason)}")
    assert len(lines) <= 15
    return "\n".join(lines) + "\n"


def _on_others(call: str, seen: Observation, arrays: ArrayKind, is_reversed: bool) -> str:
    """Returns the call on other values, in the same arrays where they can be written to."""
    case = seen.case
    if case.layout == "expanded":
        for name in seen.inputs:
            call = call.replace(f"{name},", f"{name} + 1,", 1)
        return call
    # Class indices stay in range.
    axes = {name: v.ndim for name, v in seen.inputs.items() if not is_index(v, case)}
    names, changes = list(axes), []
    for place, name in enumerate(names):
        if not is_reversed or seen.inputs[name].size == 1:
            changes.append(f"{name} += 1")
        elif arrays == "torch":
            changes.append(f"{name}[...] = old[{place}].flip({tuple(range(axes[name]))})")
        else:
            changes.append(f"{name}[...] = np.flip(old[{place}])")
    more = "; ".join(changes)
    back = "; ".join(f"{name}[...] = old[{place}]" for place, name in enumerate(names))
    return f"old = [a + 0 for a in ({', '.join(names)},)]; {more}; {call}; {back}"


def _settings(case: Case, by_keyword: bool) -> list[str]:
    by_place, named = call_arguments(case, by_keyword=by_keyword)
    return [*map(repr, by_place), *(f"{name}={value!r}" for name, value in named.items())]


def import_lines(target: str, arrays: ArrayKind) -> list[str]:
    """Returns the lines that import the arrays' package and the function, as `fn`."""
    module, _, path = target.rpartition(":")
    lines = [f"import {'torch' if arrays == 'torch' else 'numpy as np'}"]
    if module.endswith(".py"):
        lines.append(f"import runpy; fn = runpy.run_path({module!r})[{path!r}]")
    elif "." in path:
        head, _, rest = path.partition(".")
        lines.append(f"from {module} import {head}; fn = {head}.{rest}")
    else:
        lines.append(f"from {module} import {path} as fn")
    return lines


def derivation(op: str) -> list[str]:
    """Returns the lines that make `fn` the derivative, first or second, of the forward `fn`."""
    channels = "w.shape[1] * k['groups']" if "transpose" in op else "len(w)"
    leaves = f"[t.requires_grad_() for t in (g, x, w, w.new_zeros({channels}))]"
    first = "torch.autograd.grad(forward(*t[1:], **k), t[1:], g"
    if op.endswith("_double_backward"):
        second = f"torch.autograd.grad({first}, create_graph=True), t[:3], (u, v, a), "
        body = f"def fn(u, v, a, g, x, w, **k): t = {leaves}; return {second}"
        return ["forward = fn", body + "allow_unused=True, materialize_grads=True)"]
    return ["forward = fn", f"def fn(g, x, w, **k): t = {leaves}; return {first})"]


def _array(values: np.ndarray, case: Case, arrays: ArrayKind, first: bool) -> str:
    dtype = values.dtype.name if is_index(values, case) else case.dtype
    plain = _literal(values)
    if arrays == "torch":
        text = f"torch.tensor({plain}, dtype=torch.{dtype})"
    else:
        text = f"np.array({plain}, dtype={dtype!r})"
    if 0 in values.shape or len(plain) > _READABLE:
        text = _packed(values, dtype, arrays)
    return _laid_out(text, values.shape, case.layout, arrays, first)


def _literal(values: np.ndarray) -> str:
    def number(value: Any) -> Any:
        if isinstance(value, float) and not np.isfinite(value):
            return _Bare(f"float('{value}')")
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            return value if value == 0 and np.signbit(value) else int(value)
        return value

    def walk(item: Any) -> Any:
        return [walk(part) for part in item] if isinstance(item, list) else number(item)

    return repr(walk(values.tolist())).replace(", ", ",")


class _Bare(str):
    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _packed(values: np.ndarray, dtype: str, arrays: ArrayKind) -> str:
    small = values.astype(np.int8)
    whole = bool(np.isfinite(values).all()) and np.array_equal(small, values)
    kept = small if whole and not np.signbit(values[values == 0]).any() else values
    text = f"np.frombuffer(bytes.fromhex('{kept.tobytes().hex()}'), '{kept.dtype.name}')"
    text += f".reshape({values.shape})"
    if arrays == "torch":
        text = text.replace("np.", "__import__('numpy').", 1)
        return f"torch.tensor({text}.copy()).to(torch.{dtype})"
    return f"{text}.astype({dtype!r})"


def _laid_out(
    text: str, shape: tuple[int, ...], layout: Layout, arrays: ArrayKind, first: bool
) -> str:
    """Returns an expression with the same elements in that layout, as `layouts.place` has it."""
    torch = arrays == "torch"
    axes = len(shape)
    if layout == "channels_last" and axes >= 3:
        there, back = (0, *range(2, axes), 1), (0, axes - 1, *range(1, axes - 1))
        if torch:
            return f"{text}.permute({there}).contiguous().permute({back})"
        return f"np.ascontiguousarray({text}.transpose({there})).transpose({back})"
    if layout == "transposed" and axes >= 2:
        if torch:
            return f"{text}.transpose(-1, -2).contiguous().transpose(-1, -2)"
        return f"np.ascontiguousarray({text}.swapaxes(-1, -2)).swapaxes(-1, -2)"
    if layout == "fortran" and axes >= 2:
        order = tuple(range(axes))[::-1]
        if torch:
            return f"{text}.permute({order}).contiguous().permute({order})"
        return f"np.asfortranarray({text})"
    if layout == "pitched" and axes:
        if torch:
            return f"torch.nn.functional.pad({text}, (0, 1))[..., :-1]"
        return f"np.pad({text}, {[(0, 0)] * (axes - 1) + [(0, 1)]})[..., :-1]"
    if layout == "sliced" and axes:
        if torch:
            return f"{text}.repeat_interleave(2, -1)[..., ::2]"
        return f"np.repeat({text}, 2, -1)[..., ::2]"
    if layout == "offset" and axes and 0 not in shape:
        # The elements three times over, read from the middle.
        size = prod(shape)
        if torch:
            return f"{text}.flatten().repeat(3)[{size}:{2 * size}].reshape({shape})"
        return f"np.tile({text}.ravel(), 3)[{size}:{2 * size}].reshape({shape})"
    if layout == "reversed" and axes and not torch:
        return f"np.ascontiguousarray(np.flip({text}))[{', '.join(['::-1'] * axes)}]"
    axis = expanded_axis(shape)
    if layout == "expanded" and first and axis is not None:
        part = ", ".join([*[":"] * axis, ":1"])
        if torch:
            return f"{text}[{part}].expand({shape})"
        return f"np.broadcast_to({text}[{part}], {shape})"
    return text


def _assertions(seen: Observation, arrays: ArrayKind) -> list[str]:
    problem = seen.problem
    assert problem is not None and isinstance(seen.wanted, Expected)
    place = min(problem.output, len(seen.wanted.outputs) - 1)
    wanted = seen.wanted.outputs[place]
    one = "y"
    lines = []
    if len(seen.wanted.outputs) > 1:
        lines.append(f"y = y[{place}]  # {wanted.name}")
    if problem.kind in ("shape", "count", "type"):
        return [*lines, f"assert {one}.shape == {wanted.shape}, {one}.shape"]
    if problem.kind == "dtype":
        return [*lines, f"assert str({one}.dtype).endswith({wanted.dtype!r}), {one}.dtype"]
    found = problem.comparison
    if found is None or found.first_index is None:
        return [*lines, f"assert {one}.shape == {wanted.shape}, {one}.shape"]
    index, value = found.first_index, found.expected
    literal = (
        f"float('{value}')" if isinstance(value, float) and not np.isfinite(value) else f"{value!r}"
    )
    at = f"{one}[{index}]" if index else one
    lines.append(f"actual, expected = float({at}), {literal}")
    if isinstance(value, float) and np.isnan(value):
        lines.append("assert actual != actual, f'{actual} where nan was expected'")
    elif found.bound:
        lines.append(
            f"assert abs(actual - expected) <= {found.bound!r}, "
            "f'{actual} where {expected} was expected'"
        )
    else:
        lines.append("assert actual == expected, f'{actual} where {expected} was expected'")
    return lines


def _quoted(text: str) -> str:
    return _one_line(text).replace("{", "{{").replace("}", "}}").replace("'", "\\'")


def _one_line(text: str) -> str:
    return " ".join(text.replace("\\", "/").split())[:150]
