"""Covering arrays: few rows in which every combination of t levels stands at least once.

Generated one row at a time, greedily (the AETG way): a row starts from a combination that is not
covered yet, and takes the remaining parameters in random order, each at the level that covers
most. The arrays of the default strengths are shipped, since a run must find its first fault in
milliseconds.

References:
    Cohen, Dalal, Fredman and Patton, "The AETG system: an approach to testing based on
    combinatorial design", IEEE TSE 23(7), 1997.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from convcheck.conformance.parameters import Parameter, Row, model
from convcheck.core.ops import Op, find_op

SHIPPED = "arrays.json"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class _Tuples:
    """Which combinations of `strength` levels are covered: one flag each, in one flat array."""

    def __init__(self, levels: Sequence[int], strength: int) -> None:
        self.columns = np.array(list(combinations(range(len(levels)), strength)), dtype=np.intp)
        counts = np.array(levels, dtype=np.intp)[self.columns]
        sizes = counts.prod(axis=1)
        self.weights = np.ones_like(counts)
        for column in range(strength - 2, -1, -1):
            self.weights[:, column] = self.weights[:, column + 1] * counts[:, column + 1]
        self.offsets = np.concatenate(([0], np.cumsum(sizes)[:-1]))
        self.covered = np.zeros(int(sizes.sum()), dtype=bool)

    def indices(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Returns the flag of each combination of each row, (rows, combinations)."""
        return (rows[:, self.columns] * self.weights).sum(axis=-1) + self.offsets


def coverage(levels: Sequence[int], rows: Iterable[Sequence[int]], strength: int) -> float:
    """Returns the share of the combinations of `strength` levels that stand in some row."""
    strength = min(strength, len(levels))
    tuples = _Tuples(levels, strength)
    for row in rows:
        tuples.covered[tuples.indices(np.array([row], dtype=np.intp))] = True
    return float(tuples.covered.mean())


def covering_array(
    levels: Sequence[int], strength: int, *, seed: int = 0, tries: int = 1
) -> list[tuple[int, ...]]:
    """Returns rows of level numbers that cover every combination of `strength` levels.

    Args:
        levels: How many levels each parameter has.
        strength: How many parameters are combined.
        seed: Seed of the order in which parameters are filled in.
        tries: Rows built for each row kept; more give a smaller array, slower.
    """
    strength = min(strength, len(levels))
    tuples = _Tuples(levels, strength)
    # For each parameter, the combinations that hold it: their other columns and weights.
    holding = []
    for factor in range(len(levels)):
        which, place = np.nonzero(tuples.columns == factor)
        others = np.ones_like(tuples.columns[which], dtype=bool)
        others[np.arange(len(which)), place] = False
        shape = (len(which), strength - 1)
        holding.append(
            (
                tuples.columns[which][others].reshape(shape),
                tuples.weights[which][others].reshape(shape),
                tuples.weights[which, place],
                tuples.offsets[which],
            )
        )
    random = np.random.default_rng(seed)
    rows: list[tuple[int, ...]] = []
    while not tuples.covered.all():
        best, best_gain = None, -1
        for _ in range(tries):
            row = _greedy_row(levels, tuples, holding, random)
            gain = int((~tuples.covered[tuples.indices(row[None])]).sum())
            if gain > best_gain:
                best, best_gain = row, gain
        assert best is not None
        tuples.covered[tuples.indices(best[None])] = True
        rows.append(tuple(map(int, best)))
    return rows


def _greedy_row(
    levels: Sequence[int], tuples: _Tuples, holding: list[tuple], random: np.random.Generator
) -> NDArray[np.intp]:
    row = np.zeros(len(levels), dtype=np.intp)
    fixed = np.zeros(len(levels), dtype=bool)
    uncovered = np.flatnonzero(~tuples.covered)
    flag = uncovered[random.integers(len(uncovered))]
    which = int(np.searchsorted(tuples.offsets, flag, side="right")) - 1
    rest = flag - tuples.offsets[which]
    for column, weight in zip(tuples.columns[which], tuples.weights[which], strict=True):
        row[column], rest = divmod(rest, weight)
        fixed[column] = True
    for factor in random.permutation(np.flatnonzero(~fixed)):
        columns, weights, weight, offsets = holding[factor]
        known = fixed[columns].all(axis=1)
        start = (row[columns[known]] * weights[known]).sum(axis=1) + offsets[known]
        flags = start[:, None] + weight[known][:, None] * np.arange(levels[factor])
        gains = (~tuples.covered[flags]).sum(axis=0)
        row[factor] = random.choice(np.flatnonzero(gains == gains.max()))
        fixed[factor] = True
    return row


def rows(op: Op, strength: int) -> list[Row]:
    """Returns rows that cover every combination of `strength` levels of an operation's model."""
    parameters = model(op)
    numbers = _shipped().get(_key(op), {}).get(str(strength))
    if numbers is not None:
        found = [[_DIGITS.index(digit) for digit in row] for row in numbers]
    else:
        found = [list(row) for row in _generated(op.name, strength)]
    return [
        {p.name: p.levels[number] for p, number in zip(parameters, row, strict=True)}
        for row in found
    ]


def reached(parameters: Sequence[Parameter], chosen: Sequence[Row], strength: int) -> float:
    """Returns the share of the combinations of `strength` levels that rows reach, 0 to 1."""
    numbers = [[p.levels.index(row[p.name]) for p in parameters] for row in chosen]
    return coverage([len(p.levels) for p in parameters], numbers, strength)


@cache
def _generated(name: str, strength: int) -> list[tuple[int, ...]]:
    return covering_array([len(p.levels) for p in model(find_op(name))], strength)


@cache
def _shipped() -> dict[str, dict[str, list[str]]]:
    return json.loads(files(__package__).joinpath(SHIPPED).read_text(encoding="ascii"))


def _key(op: Op) -> str:
    """Names a model by its level counts: an array fits every model that has the same."""
    return "x".join(str(len(p.levels)) for p in model(op))


def shipped_arrays(strengths: Sequence[int] = (2, 3), tries: int = 3) -> str:
    """Returns the text of the shipped file: the arrays of every operation's model."""
    from convcheck.core.ops import OPS

    found: dict[str, dict[str, list[str]]] = {}
    for op in OPS.values():
        counts = [len(p.levels) for p in model(op)]
        assert max(counts) <= len(_DIGITS) and prod(counts) > 0
        if _key(op) not in found:
            found[_key(op)] = {
                str(strength): [
                    "".join(_DIGITS[number] for number in row)
                    for row in covering_array(counts, strength, tries=tries)
                ]
                for strength in strengths
            }
    return json.dumps(found, indent=0, sort_keys=True) + "\n"
