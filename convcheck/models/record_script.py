"""Record what a scripted module does: the dispatcher sees its operators, not its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

Record = Callable[[str, tuple[Any, ...], dict[str, Any], tuple[torch.Tensor, ...]], None]


class ScriptRecorder(TorchDispatchMode):
    """Hands each operator call to `record` under its functional name.

    Args:
        record: Takes the name, positional and keyword arguments, and the tensors returned.
    """

    def __init__(self, record: Record) -> None:
        super().__init__()
        self._record = record

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Calls the operator and records it."""
        kwargs = kwargs or {}
        # Without torch functions, as the recorder of those would list the call a second time.
        with torch._C.DisableTorchFunction():
            out = func(*args, **kwargs)
        tensors = out if isinstance(out, (tuple, list)) else (out,)
        returned = tuple(o for o in tensors if isinstance(o, torch.Tensor))
        if returned:
            name = func._schema.name.partition("::")[2]
            self._record(f"aten.{name}", args, kwargs, returned)
        return out
