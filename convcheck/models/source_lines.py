"""Which line of the user's code made a call, or raised: the framework's own frames are skipped."""

from __future__ import annotations

import linecache
import os
import re
from types import FrameType, TracebackType

import torch

_FRAMEWORK = (
    os.path.dirname(torch.__file__) + os.sep,  # noqa: PTH120
    os.path.dirname(os.path.dirname(__file__)) + os.sep,  # noqa: PTH120
)


def source_of(frame: FrameType | None) -> str:
    """Returns "file:line" of the nearest frame that is not the framework's, or ""."""
    while frame is not None and frame.f_code.co_filename.startswith(_FRAMEWORK):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""


def where_raised(trace: TracebackType | None) -> tuple[str, str]:
    """Returns "file:line" and the text of the innermost line that is not the framework's."""
    inner = _innermost(trace)
    if inner is None:
        return "", ""
    name = inner.tb_frame.f_code.co_filename
    return f"{name}:{inner.tb_lineno}", linecache.getline(name, inner.tb_lineno).strip()


def assigned_by(trace: TracebackType | None) -> str:
    """Returns the attribute that the raising statement assigns, as in self.conv1 = nn.Conv2d(...).

    It stands before the call on its line, or begins one of the lines just above.
    """
    inner = _innermost(trace)
    if inner is None:
        return ""
    code = inner.tb_frame.f_code
    line, _, column, _ = list(code.co_positions())[inner.tb_lasti // 2]
    line = line or inner.tb_lineno
    text = linecache.getline(code.co_filename, line)[: column or 0]
    found = re.findall(r"\b\w+\.(\w+)\s*(?::[^=;]+)?=(?!=)", text)
    for above in range(line - 1, max(0, line - 12), -1):
        if found or inner.tb_frame.f_code.co_firstlineno >= above:
            break
        found = re.findall(
            r"^\s*\w+\.(\w+)\s*(?::[^=]+)?=(?!=)", linecache.getline(code.co_filename, above)
        )
    return found[-1] if found else ""


def _innermost(trace: TracebackType | None) -> TracebackType | None:
    inner = None
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_FRAMEWORK):
            inner = trace
        trace = trace.tb_next
    return inner
