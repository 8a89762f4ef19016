"""Memory that is never accidentally zero: what a call allocates or frees is filled with garbage.

Code that forgets to write part of its output, or to clear an accumulator, is right as long as the
allocator happens to hand out zeros. glibc can be told to fill each block with a byte as it is
handed out and with another as it is taken back, at the price of one `memset`; where there is no
glibc, only the small blocks that NumPy keeps are filled.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_M_PERTURB = -6
# Handed-out blocks hold the complement of this byte: 0xFE, in every float dtype huge or NaN.
_PERTURB_BYTE = 1
# NumPy keeps freed blocks below this size for itself, where the allocator does not see them.
_NUMPY_KEEPS = 1024
_KEPT_BLOCKS = 3


def _find_mallopt() -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc.mallopt if hasattr(libc, "gnu_get_libc_version") else None


_MALLOPT = _find_mallopt()


@contextmanager
def poisoned_memory(expected_bytes: int = 0) -> Iterator[None]:
    """Fills what is allocated and freed inside; `expected_bytes` is the size of the output."""
    poison_kept_blocks(expected_bytes)
    if _MALLOPT is None:
        yield
        return
    _MALLOPT(_M_PERTURB, _PERTURB_BYTE)
    try:
        yield
    finally:
        _MALLOPT(_M_PERTURB, 0)


def poison_kept_blocks(size: int) -> None:
    """Fills the freed blocks of that size that NumPy keeps for its next arrays."""
    if 0 < size < _NUMPY_KEEPS:
        blocks = [np.full(size, 0xFF, np.uint8) for _ in range(_KEPT_BLOCKS)]
        del blocks


def fillings() -> np.ndarray:
    """Returns the finite numbers that filled memory holds, read as any float dtype."""
    read = []
    for byte in (_PERTURB_BYTE, 0xFF ^ _PERTURB_BYTE):
        block = np.full(8, byte, np.uint8)
        read += [float(block.view(dtype)[0]) for dtype in (np.float16, np.float32, np.float64)]
        # bfloat16 is the upper half of a float32.
        read.append(float((block.view(np.uint32) & 0xFFFF0000).view(np.float32)[0]))
    return np.array(read)
