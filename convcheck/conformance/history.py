"""Brings about a fault that depends on earlier calls: caches, stale buffers, first calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from convcheck.conformance.bench import Bench, Observation
from convcheck.conformance.invalid import must_refuse
from convcheck.conformance.reproduce import Warm
from convcheck.conformance.siblings import PLAIN, with_another, with_one_window
from convcheck.core.case import Case
from convcheck.core.spec import ConvSpec, PoolSpec

# By how much sizes grow that no call has had, for each question of its own.
_REMEMBERS, _REMEMBERS_SUM, _KEEPS_PADDING = 11, 17, 13
_LEAVES_OUT = ((6, 7), (8, 9), (10, 12), (14, 15), (16, 18), (19, 20), (21, 22), (23, 24))
# Of 2, 3, 4, 6, 8; where sizes cost nothing, of 1 to 10.
_COMMON_MULTIPLE, _COMMON_MULTIPLE_OF_SIZES = 24, 2520
# Sizes that are asked for without arrays are far from all that are tried.
_SIZES_ABOVE = 10_000
# What such calls cost forbids looking into their past.
COSTLY = ("crashed", "timed_out", "out_of_memory")


class History:
    """Runs cases so that a fault that depends on earlier calls shows each time.

    Attributes:
        says: What is known of that dependence, in words; empty where there is none.
        warm: The earlier call that is needed to see the fault.
        lost: Whether the fault could not be brought about again.
    """

    def __init__(
        self, bench: Bench, seed: Observation, seen: Sequence[Observation], first: Observation
    ) -> None:
        self._bench = bench
        self._before: Callable[[Case], Case] | None = None
        self._refill = False
        self.warm: Warm = "none"
        self.says, self.lost = "", False
        self._earlier: Callable[[Case], Case] | None = None
        problem = seed.problem
        assert problem is not None
        # A misbehaviour may show only when a call is repeated.
        self._once = problem.kind != "misbehaved"
        if problem.kind in COSTLY:
            return
        if problem.is_like(bench.observe(seed.case).problem):
            if self._remembers(seed, first):
                self._before = lambda case: replace(case, seed=case.seed + 1)
                self.says = "the function remembers an earlier call (a stale buffer or cache)"
                self.warm = "others"
            elif self._remembers_sum(seed):
                self._refill, self.warm = True, "reversed"
                self.says = "the function remembers an array by its sum, not by what is in it"
            elif self._keeps_padding(seed):
                self._before = self._earlier = filler
                self.says = "the function does not clear a padding buffer between calls"
            elif name := self._leaves_out(seed):
                self._tell_left_out(name)
            return
        self._refill, self.warm = True, "reversed"
        # Twice in a row, which a fault of every so many calls is not.
        if all(problem.is_like(self.observe(seed.case).problem) for _ in range(2)):
            self.says = "the function remembers an array by its identity, not by what is in it"
            return
        self._refill, self.warm = False, "others"
        if name := self._leaves_out(seed):
            self._tell_left_out(name)
            return
        place = next((k for k, o in enumerate(seen) if o is seed), 0)
        earlier = [o.case for o in seen[max(0, place - 3) : place]][::-1]
        tries: list[Callable[[Case], Case]] = [lambda case: replace(case, seed=case.seed + 1)]
        tries += [_always(case) for case in earlier]
        for before in tries:
            self._before = before
            if problem.is_like(self.observe(seed.case).problem):
                self.says = "the result depends on the call before it (a stale buffer or cache)"
                return
        self._before = None
        self.lost = True
        self.says = "the function fails only sometimes: the same call passed when it was repeated"

    def _tell_left_out(self, name: str) -> None:
        self._before = self._earlier = partial(with_another, name=name)
        self.says = f"the function answers with what it kept of a call with another {name}"

    def _remembers(self, seed: Observation, first: Observation) -> bool:
        """Whether the first call of a kind is right and later ones, on other values, are wrong."""
        bench, problem = self._bench, seed.problem
        assert problem is not None
        if first.problem is None:
            now = bench.observe(first.case)
            others = [replace(first.case, seed=first.case.seed + more) for more in (7, 8)]
            if now.problem is not None or all(
                problem.is_like(bench.observe(c).problem) for c in others
            ):
                return True
        if seed.case.spatial and not must_refuse(seed.case):
            # A shape that no call had so far: is it right once?
            novel = _novel(seed.case, _REMEMBERS)
            if bench.observe(novel).problem is None:
                return problem.is_like(bench.observe(replace(novel, seed=novel.seed + 1)).problem)
        return False

    def _remembers_sum(self, seed: Observation) -> bool:
        """Whether a call is wrong only after one on the same values in another order."""
        problem = seed.problem
        assert problem is not None
        if not seed.case.spatial or must_refuse(seed.case):
            return False
        novel = _novel(seed.case, _REMEMBERS_SUM)
        if self._bench.observe(novel).problem is not None:
            return False
        other = replace(novel, seed=novel.seed + 1)
        return problem.is_like(self._bench.observe(other, refill=True).problem)

    def _keeps_padding(self, seed: Observation) -> bool:
        """Whether a call is wrong only after one that fills what it pads with zeros."""
        problem = seed.problem
        assert problem is not None
        novel = _novel(seed.case, _KEEPS_PADDING)
        if filler(novel) == novel or self._bench.observe(novel).problem is not None:
            return False
        self._bench.observe(filler(novel))
        return problem.is_like(self._bench.observe(novel).problem)

    def _leaves_out(self, seed: Observation) -> str:
        """Returns the parameter of an earlier call on the same shapes that makes a call wrong."""
        if seed.case.op.endswith("backward") or must_refuse(seed.case):
            return ""
        tries = [(name, plan) for plan in (lambda case: case, with_one_window) for name in PLAIN]
        for pair, (name, plan) in zip(_LEAVES_OUT, tries, strict=True):
            novel, other = (plan(_novel(seed.case, more)) for more in pair)
            earlier = with_another(other, name)
            if earlier == other or must_refuse(earlier):
                continue
            if self._bench.observe(novel).problem is not None:
                return ""
            self._bench.observe(earlier)
            if self._bench.observe(other).problem is not None:
                # Is one that leaves the same remainders right without a call before?
                alone = plan(_alike(_novel(seed.case, pair[1])))
                return name if self._bench.observe(alone).problem is None else ""
        return ""

    def warm_for(self, case: Case) -> Warm:
        """Returns the call that the script for `case` makes first."""
        return self._earlier(case) if self._earlier else self.warm

    def observe(self, case: Case) -> Observation:
        """Returns what the target makes of a case, after the call that must come before it."""
        if self._before is not None:
            self._bench.observe(self._before(case), once=self._once)
        return self._bench.observe(case, once=self._once, refill=self._refill)


def _novel(case: Case, more: int) -> Case:
    """Returns the case in sizes that no case has, and no other number makes of it."""
    filters = more - 4
    if case.op == "output_size":
        return replace(case, spatial=tuple(size + _SIZES_ABOVE + more for size in case.spatial))
    more = more if len(case.spatial) < 3 else more // 2
    novel = replace(case, spatial=tuple(size + more for size in case.spatial))
    if isinstance(novel.spec, ConvSpec) and novel.op != "output_size":
        spec = replace(novel.spec, out_channels=novel.spec.out_channels * filters)
        novel = replace(novel, spec=spec)
    return novel


def _alike(case: Case) -> Case:
    """Returns the case in larger sizes that leave the same remainders of strides and tiles."""
    more = _COMMON_MULTIPLE_OF_SIZES if case.op == "output_size" else _COMMON_MULTIPLE
    return replace(case, spatial=tuple(size + more for size in case.spatial))


def filler(case: Case) -> Case:
    """Returns the case with data where it has padding."""
    spec = case.spec
    if not isinstance(spec, (ConvSpec, PoolSpec)) or isinstance(spec.padding, str):
        return case
    spatial = tuple(size + sum(pair) for size, pair in zip(case.spatial, spec.padding, strict=True))
    return replace(
        case, spatial=spatial, spec=replace(spec, padding=((0, 0),) * spec.axes), seed=case.seed + 1
    )


def _always(fixed: Case) -> Callable[[Case], Case]:
    return lambda _: fixed
