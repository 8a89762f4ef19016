"""Find the model that a text names: torchvision:NAME, package.module:factory, file.py:Name."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from convcheck.core.errors import InputError, TargetError, nearest

_FORMS = "torchvision:NAME, package.module:factory, path/to/file.py:Name, or file.onnx"


def find_model(target: str) -> Callable[..., Any] | Path:
    """Returns the factory, class or module instance that a target names, or an ONNX file's path.

    Args:
        target: torchvision:NAME, package.module:factory, path/to/file.py:Name, or file.onnx.

    Raises:
        TargetError: There is no such model; the message names the nearest.
    """
    if target.endswith(".onnx"):
        path = Path(target)
        if not path.is_file():
            raise InputError(f"{target} is not a file", fix="give the path of an .onnx file")
        return path
    place, separator, name = target.rpartition(":")
    if not separator or not place or not name:
        raise TargetError(f"{target!r} names no model", why="it has no ':'", fix=f"use {_FORMS}")
    if place == "torchvision":
        return _from_torchvision(name)
    module = _from_file(Path(place)) if place.endswith(".py") else _imported(place)
    return _attribute(module, name, target)


def parse_shape(text: str) -> tuple[int, ...]:
    """Returns a shape from a text such as "1,3,32,32" or "1x3x32x32".

    Raises:
        InputError: It is not a list of positive ints.
    """
    words = text.replace("x", ",").split(",")
    try:
        shape = tuple(int(word) for word in words)
    except ValueError:
        raise InputError(
            f"input {text!r} is not a shape", why="it must be ints", fix="e.g. 1,3,32,32"
        ) from None
    if min(shape) < 1:
        raise InputError(
            f"input {text!r}", why="every extent must be at least 1", fix="e.g. 1,3,32,32"
        )
    return shape


def _from_torchvision(name: str) -> Callable[[], Any]:
    try:
        from torchvision import models
    except ImportError as error:
        raise TargetError("torchvision cannot be imported", why=str(error)) from None
    known = models.list_models()
    if name not in known:
        raise TargetError(f"torchvision has no model {name!r}", fix=nearest(name, known))
    builder = models.get_model_builder(name)
    takes_backbone = "weights_backbone" in inspect.signature(builder).parameters
    options = {"weights": None, "weights_backbone": None} if takes_backbone else {"weights": None}

    def factory() -> Any:
        return builder(**options)

    factory.__name__ = name
    return factory


def _from_file(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path} is not a file", fix="give the path of a Python file")
    name = f"_convcheck_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"{path} cannot be imported", why=f"{type(error).__name__}: {error}"
        ) from None
    finally:
        sys.path.remove(str(path.parent.resolve()))
    return module


def _imported(name: str) -> Any:
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise TargetError(
            f"module {name!r} cannot be imported",
            why=f"{type(error).__name__}: {error}",
            fix=f"use {_FORMS}",
        ) from None


def _attribute(module: Any, name: str, target: str) -> Callable[..., Any]:
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [key for key, value in vars(found).items() if callable(value)]
            raise TargetError(f"{target!r} has no {part!r}", fix=nearest(part, known))
        found = getattr(found, part)
    if not callable(found):
        raise TargetError(
            f"{target!r} is {type(found).__name__}", why="a model is a module or a factory"
        )
    return found
