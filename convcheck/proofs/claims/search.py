"""Enumeration of candidates in the order of their size, for smallest counterexamples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Candidates = Sequence[tuple[int, Any]]


def by_size(axes: Sequence[Candidates], most: int) -> Iterator[tuple[Any, ...]]:
    """Yields one candidate per axis, in the order of their total size, up to `most`.

    Args:
        axes: For each axis its candidates, each with a size >= 0.
        most: Largest total size.
    """
    tables = [_by_size(candidates) for candidates in axes]
    reach = [max(table, default=0) for table in tables]
    for total in range(min(most, sum(reach)) + 1):
        yield from _exactly(tables, reach, total)


def _by_size(candidates: Candidates) -> dict[int, list[Any]]:
    table: dict[int, list[Any]] = {}
    for size, value in candidates:
        table.setdefault(size, []).append(value)
    return table


def _exactly(
    tables: list[dict[int, list[Any]]], reach: list[int], total: int
) -> Iterator[tuple[Any, ...]]:
    if not tables:
        if not total:
            yield ()
        return
    rest = sum(reach[1:])
    for size in sorted(tables[0]):
        if total - rest <= size <= total:
            for tail in _exactly(tables[1:], reach[1:], total - size):
                for value in tables[0][size]:
                    yield (value, *tail)
