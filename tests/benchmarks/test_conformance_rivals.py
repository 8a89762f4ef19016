"""convcheck beside what else tests a convolution, on the wrong and right ones of tests/mutants.

Each hunts each function alone, in this process, for the same CPU time at most; the modules of the
mutants are imported anew for each hunt, so that none begins with another's state. Hypothesis runs
without a database, without a deadline, from a fixed seed and without shrinking: its time is that of
its first counterexample. convcheck's first time is that of its first failing case; what it goes on
to do (shrink, diagnose, write a script) is told beside it.

    python tests/benchmarks/test_conformance_rivals.py [--only NAME ...] [--seconds S] [--right N]
        [--processes P]
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from convcheck.conformance import check

HERE = Path(__file__).parent
WRONG, RIGHT = ("wrong_conv", "wrong_state"), ("right_ones",)
Function = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunt:
    """What one rival makes of one function: CPU seconds to the first failure, and in all."""

    found: bool
    first_s: float
    whole_s: float
    cases: int


class Clock:
    """Counts cases, and CPU time to the first failure; ends the hunt when the time is over."""

    def __init__(self, limit_s: float) -> None:
        self._start, self._limit_s = time.process_time(), limit_s
        self.first_s: float | None = None
        self.cases = 0

    def passed_s(self) -> float:
        return time.process_time() - self._start

    def case(self, test: Function, *arguments: Any) -> bool:
        """Runs one case, and returns whether it failed."""
        if self.first_s is not None or self.passed_s() > self._limit_s:
            raise TimeoutError
        self.cases += 1
        try:
            failed = test(*arguments)
        except Exception:
            failed = True
        if failed:
            self.first_s = self.passed_s()
        return bool(failed)

    def hunt(self) -> Hunt:
        found = self.first_s is not None
        return Hunt(
            found=found, first_s=self.first_s or 0.0, whole_s=self.passed_s(), cases=self.cases
        )


def convcheck(function: Function, limit_s: float) -> Hunt:
    """`check_implementation` as it is called; its seconds are CPU time, its first failure noted."""
    clock, first = Clock(limit_s), []
    try_one = check._try

    def watched(run, item):
        failed = try_one(run, item)
        if failed and not first:
            first.append(clock.passed_s())
        return failed

    cpu = SimpleNamespace(monotonic=time.process_time)
    with mock.patch.multiple(check, _try=watched, time=cpu):
        report = check.check_implementation(
            function, "conv2d", seconds=limit_s, isolated=False, keep=False
        )
    return Hunt(
        found=not report.passed, first_s=first[0] if first else 0.0,
        whole_s=clock.passed_s(), cases=report.cases,
    )  # fmt: skip


def reference(x, w, b, **options):
    wide = [None if a is None else torch.from_numpy(a) for a in (x, w, b)]
    return torch.nn.functional.conv2d(*wide, **options).numpy()


def compare(function, shapes, seed, bias, options):
    chance = np.random.default_rng(seed)
    x, w, b = (chance.standard_normal(shape).astype("f4") for shape in shapes)
    b = b if bias else None
    wanted = reference(x, w, b, **options)
    np.testing.assert_allclose(function(x, w, b, **options), wanted, rtol=1e-4, atol=1e-4)


def one_shape(function: Function, limit_s: float) -> Hunt:
    """`allclose` on a batch of pictures, as benchmarks of kernels do."""
    clock = Clock(limit_s)
    options = {"stride": 1, "padding": 1, "dilation": 1, "groups": 1}
    clock.case(compare, function, ((2, 3, 16, 16), (8, 3, 3, 3), (8,)), 0, True, options)
    return clock.hunt()


SMALL = st.integers(1, 3)


@st.composite
def plain_calls(draw):
    """Ordinary calls, every parameter per axis, of normal float32."""
    groups, c, f = draw(SMALL), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    kernel, stride, dilation = (draw(st.tuples(SMALL, SMALL)) for _ in range(3))
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    least = [max(1, d * (k - 1) + 1 - 2 * p)
             for d, k, p in zip(dilation, kernel, padding, strict=True)]  # fmt: skip
    size = [low + draw(st.integers(0, 10)) for low in least]
    shapes = (draw(SMALL), c * groups, *size), (f * groups, c, *kernel), (f * groups,)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return shapes, draw(st.integers(0, 2**32)), draw(st.booleans()), options


def by_hypothesis(strategy: Any, test: Function, examples: int) -> Callable[..., Hunt]:
    def hunt(function: Function, limit_s: float) -> Hunt:
        clock = Clock(limit_s)

        @settings(
            max_examples=examples, phases=[Phase.generate], database=None, deadline=None,
            derandomize=True, suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy)
        def property_holds(call: Any) -> None:
            assert not clock.case(test, function, call)

        # A counterexample, a flaky one, or the end of the time: the clock knows which.
        with suppress(Exception):
            property_holds()
        return clock.hunt()

    return hunt


def rivals() -> dict[str, Callable[[Function, float], Hunt]]:
    """Returns who is compared, by name."""
    strongest = importlib.import_module("strong_property")
    plain = lambda function, call: compare(function, *call)  # noqa: E731
    return {
        "convcheck": convcheck,
        "Hypothesis, strongest, 1000": by_hypothesis(strongest.calls(), strongest.check, 1000),
        "Hypothesis, plain, 1000": by_hypothesis(plain_calls(), plain, 1000),
        "Hypothesis, plain, 100": by_hypothesis(plain_calls(), plain, 100),
        "allclose on one shape": one_shape,
    }


def names_of(modules: Sequence[str]) -> list[tuple[str, str]]:
    """Returns (module, name) of each function."""
    return [(module, name) for module in modules for name in fresh(module).FUNCTIONS]


def fresh(module: str) -> Any:
    """Returns a module of tests/mutants without the state of an earlier hunt."""
    for place in (HERE, HERE.parent / "mutants"):
        if str(place) not in sys.path:
            sys.path.insert(0, str(place))
    sys.modules.pop(module, None)
    return importlib.import_module(module)


def hunt_one(hunt: Callable[[Function, float], Hunt], key: tuple[str, str], limit_s: float) -> Hunt:
    """Lets one rival hunt one function, the process's state put back after it."""
    module, name = key
    function = fresh(module).FUNCTIONS[name][0]
    if name.startswith("torch") and hunt is not convcheck:
        function = on_numpy(function)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return hunt(function, limit_s)


def on_numpy(function: Function) -> Function:
    """Returns a function of tensors as one of arrays."""

    def conv(x, w, b=None, **options):
        tensors = (None if a is None else torch.from_numpy(a.copy()) for a in (x, w, b))
        return function(*tensors, **options).numpy()

    return conv


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one rival did: its hunts by the function's name, on wrong ones and on right ones."""

    wrong: dict[str, Hunt]
    right: dict[str, Hunt]

    def rate(self) -> float:
        return sum(hunt.found for hunt in self.wrong.values()) / len(self.wrong)

    def missed(self) -> list[str]:
        return [name for name, hunt in self.wrong.items() if not hunt.found]

    def alarms(self) -> list[str]:
        return [name for name, hunt in self.right.items() if hunt.found]

    def row(self) -> tuple[str, ...]:
        first = [hunt.first_s for hunt in self.wrong.values() if hunt.found] or [0.0]
        cases = sum(hunt.cases for hunt in self.right.values())
        spent = sum(hunt.whole_s for hunt in self.right.values())
        return (
            f"{100 * self.rate():.1f} %", f"{len(self.wrong) - len(self.missed())}",
            f"{median(first):.3f}", f"{max(first):.3f}",
            f"{median(hunt.whole_s for hunt in self.wrong.values()):.3f}",
            f"{sum(hunt.whole_s for hunt in self.wrong.values()):.1f}",
            f"{cases / spent:.0f}" if spent else "",
            f"{len(self.alarms())} of {len(self.right)}",
        )  # fmt: skip


HEADER = ("", "kill rate", "killed", "first failure: median s", "max s", "whole hunt: median s",
          "all hunts s", "cases per s", "false alarms")  # fmt: skip


def warm() -> None:
    """Lets every rival hunt once: what a first call imports and compiles is nobody's search."""
    hunt_all(("wrong_conv", "flipped"), 60.0)


def hunt_all(key: tuple[str, str], limit_s: float) -> dict[str, Hunt]:
    """Lets every rival hunt one function."""
    return {name: hunt_one(hunt, key, limit_s) for name, hunt in rivals().items()}


def compete(
    wrong: Sequence[tuple[str, str]],
    right: Sequence[tuple[str, str]],
    limit_s: float,
    hunt_each: Callable[..., Iterator[dict[str, Hunt]]] = map,
) -> dict[str, Standing]:
    """Returns the standing of every rival; `hunt_each` is `map`, or that of several processes."""
    keys = [*wrong, *right]
    told = dict(zip(keys, hunt_each(partial(hunt_all, limit_s=limit_s), keys), strict=True))
    return {
        rival: Standing(
            wrong={key[1]: told[key][rival] for key in wrong},
            right={key[1]: told[key][rival] for key in right},
        )
        for rival in rivals()
    }


def lines(standings: dict[str, Standing]) -> Iterator[str]:
    """Yields the table, and what each rival missed and raised a false alarm on."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("hypothesis", "numpy", "torch"))
    first = next(iter(standings.values()))
    yield (
        f"{len(first.wrong)} wrong and {len(first.right)} right implementations of conv2d; times "
        f"in CPU seconds; {date.today()}, {platform.machine()}, "
        f"Python {platform.python_version()}, {packages}"
    )
    rows = [HEADER, *((name, *standing.row()) for name, standing in standings.items())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((row[0].ljust(widths[0]), *cells))
    for name, standing in standings.items():
        yield f"{name}: missed {', '.join(standing.missed()) or 'none'}"
        if standing.alarms():
            yield f"{name}: false alarms on {', '.join(standing.alarms())}"


def check_standings(standings: dict[str, Standing]) -> None:
    """Holds convcheck to the best of the rivals, and the rivals to being no straw men."""
    ours, strongest, plain, few, one = standings.values()
    assert all(ours.rate() >= other.rate() for other in (strongest, plain, few, one))
    assert not ours.alarms()
    # The fair rival is a fair one: better than the plain test, and right about right ones.
    assert strongest.rate() > plain.rate() >= few.rate() > one.rate()
    assert len(strongest.alarms()) <= 1


QUICK_WRONG = ("flipped_w", "strides_swapped", "nan_cleared", "single_for_double", "mutates_input")


def test_on_a_few_functions_the_standings_are_as_on_all():
    wrong = [key for key in names_of(WRONG) if key[1] in QUICK_WRONG]
    warm()
    standings = compete(wrong, [("right_ones", "taps")], limit_s=0.5)
    check_standings(standings)
    assert not standings["convcheck"].missed()
    assert "nan_cleared" in standings["Hypothesis, plain, 1000"].missed()
    source = (HERE / "strong_property.py").read_text().splitlines()
    assert len([line for line in source if line.strip()]) <= 100


@pytest.mark.slow
def test_convcheck_finds_at_least_what_any_rival_finds():
    warm()
    check_standings(compete(names_of(WRONG), names_of(RIGHT), limit_s=8.0))


def main() -> None:
    parser = argparse.ArgumentParser(description="Compares convcheck with other tests of conv2d.")
    parser.add_argument("--only", nargs="+", default=[], help="names of the wrong ones to hunt")
    parser.add_argument("--seconds", type=float, default=8.0, help="CPU time of a hunt")
    parser.add_argument("--right", type=int, default=99, help="how many right ones")
    parser.add_argument("--processes", type=int, default=1, help="how many functions at once")
    asked = parser.parse_args()
    wrong = [key for key in names_of(WRONG) if not asked.only or key[1] in asked.only]
    if not wrong:
        parser.error(f"no mutant has one of the names {', '.join(asked.only)}")
    right = names_of(RIGHT)[: asked.right]
    context = get_context("spawn")
    with ProcessPoolExecutor(asked.processes, mp_context=context, initializer=warm) as pool:
        for line in lines(compete(wrong, right, asked.seconds, pool.map)):
            print(line)


if __name__ == "__main__":
    main()
