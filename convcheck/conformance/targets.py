"""Finding the function that a person names, and refusing what cannot be tested, in one message."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from convcheck.conformance.arguments import ARRAYS, PARAMETERS
from convcheck.core.errors import TargetError, nearest
from convcheck.core.ops import find_op

Function = Callable[..., Any]


def load_target(text: str) -> Function:
    """Returns the function that `text` names.

    Args:
        text: `"package.module:function"` or `"path/to/file.py:function"`; the function may be an
            attribute of an attribute, such as `Kernels.conv`.

    Raises:
        TargetError: It cannot be imported, is not there, or is not callable.
    """
    module_name, separator, path = text.rpartition(":")
    if not separator or not module_name or not path:
        raise TargetError(
            f"target {text!r} names no function",
            fix='write "package.module:function" or "path/to/file.py:function"',
        )
    found: Any = _import_file(module_name) if _is_file(module_name) else _import(module_name, text)
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except Exception:
            known = [key for key in dir(found) if not key.startswith("_")]
            raise TargetError(
                f"no {name!r} in {module_name}", where=text, fix=nearest(name, known)
            ) from None
    if not callable(found):
        raise TargetError(
            f"{path} is not callable", why=f"it is of type {type(found).__name__}", where=text
        )
    return found


def name_target(function: Function) -> str:
    """Returns a text that a new interpreter can load `function` from.

    Raises:
        TargetError: There is none: it is local to a function, a lambda, or of an interactive
            session.
    """
    module = getattr(function, "__module__", None) or type(function).__module__
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", "")
    place = sys.modules.get(module)
    path = getattr(place, "__file__", None)
    if name and "<" not in name and place is not None and _reaches(place, name, function):
        if module != "__main__" and _is_importable(module):
            return f"{module}:{name}"
        if path:
            return f"{Path(path).resolve()}:{name}"
    raise TargetError(
        f"{name or function!r} cannot be imported by a new interpreter",
        why="an isolated test runs in a process of its own, which must find the function by name",
        where=str(module),
        fix="define it at the top level of a file, or pass isolated=False",
    )


def check_signature(function: Function, op_name: str) -> bool:
    """Returns whether `function` takes the parameters of the op by keyword; else by position.

    A function whose signature Python cannot see is called by keyword.

    Raises:
        TargetError: It can be called in neither way.
    """
    op = find_op(op_name)
    arrays, names = [None] * len(ARRAYS[op.family]), PARAMETERS[op.family]
    if isinstance(function, type):
        raise TargetError(
            f"{function.__name__} is a class, not a function",
            why="a call of it makes an object, and no array",
            fix=f"name a function that is called as {op.signature}",
        )
    try:
        # A module of torch takes anything, and hands it to `forward`.
        is_module = any(kind.__module__.startswith("torch.nn.") for kind in type(function).__mro__)
        signature = inspect.signature(
            getattr(function, "forward", function) if is_module else function
        )
    except (ValueError, TypeError):
        return True
    refusal = ""
    # A loss need not take a weight per class.
    for some in (arrays, arrays[:2]) if op.family == "cross_entropy" else (arrays,):
        try:
            signature.bind(*some, **dict.fromkeys(names))
            return True
        except TypeError as error:
            refusal = refusal or str(error)
    try:
        signature.bind(*arrays, *([None] * len(names)))
        return False
    except TypeError:
        raise TargetError(
            f"{getattr(function, '__name__', function)}{signature} cannot be called as {op_name}",
            why=refusal,
            fix=f"the signature is {op.signature}",
        ) from None


def _is_importable(module: str) -> bool:
    """Whether a new interpreter with this import path finds the module's package by name.

    A test runner may have loaded a file under a name that nothing on the path leads to.
    """
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or PathFinder.find_spec(top) is not None


def _reaches(place: ModuleType, name: str, function: Function) -> bool:
    found: Any = place
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is function


def _is_file(name: str) -> bool:
    return name.endswith(".py") or os.sep in name


def _import_file(name: str) -> ModuleType:
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        siblings = (
            [entry.name for entry in path.parent.glob("*.py")] if path.parent.is_dir() else []
        )
        raise TargetError(f"no file {name}", fix=nearest(path.name, siblings))
    # The file's neighbours are importable, as if it had been run as a script.
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    module_name = f"convcheck_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        del sys.modules[module_name]
        raise _unimportable(name, error) from error
    return module


def _import(name: str, text: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise _unimportable(name, error) from error
        raise TargetError(
            f"no module {error.name!r}", where=text, fix=_nearest_module(error.name)
        ) from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise _unimportable(name, error) from error


def _nearest_module(name: str) -> str:
    parent, _, last = name.rpartition(".")
    known: set[str] = set()
    if parent:
        known = {
            path.stem
            for entry in getattr(sys.modules[parent], "__path__", ())
            for path in Path(entry).iterdir()
        }
    else:
        known = {
            path.stem for path in Path.cwd().glob("*") if path.suffix == ".py" or path.is_dir()
        }
        known |= set(sys.modules)
    known = {item for item in known if item.isidentifier() and not item.startswith("_")}
    close = nearest(last, known)
    return close if close.startswith("did") else "check the name, or run where it can be imported"


def _unimportable(name: str, error: BaseException) -> TargetError:
    try:
        said = f": {error}"
    except BaseException as second:
        said = f", whose message cannot be printed ({type(second).__name__})"
    return TargetError(
        f"{name} cannot be imported", why=f"{type(error).__name__}{said}",
        fix="import it in a Python session to see the whole traceback",
    )  # fmt: skip
