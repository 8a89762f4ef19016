"""Random numbers that are the same on every machine and in every release.

Only the raw words of a counter-based generator are used (Philox, whose stream NumPy guarantees),
keyed by a hash of what the numbers are for.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from math import prod

import numpy as np

# Arrays of up to this many words are kept: one fault is looked at on the same values many times.
_SMALL = 2048
_KEPT = 512


def words(key: tuple[object, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Returns uniform uint64 words of that shape, a function of `key` and `shape` alone.

    The array is read-only.
    """
    count = prod(shape)
    draw = _kept_draw if count <= _SMALL else _draw
    return draw(repr((key, shape)), count).reshape(shape)


def _draw(text: str, count: int) -> np.ndarray:
    digest = blake2b(text.encode(), digest_size=16).digest()
    generator = np.random.Philox(key=int.from_bytes(digest, "little"))
    drawn = np.asarray(generator.random_raw(count), dtype=np.uint64)
    drawn.flags.writeable = False
    return drawn


_kept_draw = lru_cache(maxsize=_KEPT)(_draw)


def below(key: tuple[object, ...], shape: tuple[int, ...], limit: int) -> np.ndarray:
    """Returns integers 0 to limit - 1, int64; `limit` is at most 2**62."""
    return (words(key, shape) % np.uint64(limit)).astype(np.int64)


def chance(key: tuple[object, ...], shape: tuple[int, ...], power: int) -> np.ndarray:
    """Returns booleans that are True with probability 1 / 2**power, for a power of 0 to 63."""
    if not power:
        return np.ones(shape, dtype=bool)
    return words(key, shape) >> np.uint64(64 - power) == 0
