"""`prove_shape`: for one shape, every pair of basis arguments, and a test of the hypothesis.

A function that is bilinear in (x, w), and adds its bias, is known everywhere once it is known on
every pair of basis vectors. The pairs are finite, and all are tried: that part is shown. That the
function is bilinear is a hypothesis about infinitely many arguments; it is tested on random ones.

How much the test says: let D = f - (B + b), with B the convolution, be what the function is off.
Arguments are drawn uniformly from a set S of integers. If D is a polynomial of degree d in the
elements of its arguments, and not zero, then it vanishes at a random argument with probability at
most d / |S| (Schwartz and Zippel: for one variable, at most d roots; for more, fix all but the
last and add the chance that the leading coefficient vanishes). t independent trials miss it with
probability at most (d / |S|)**t. If D is anything else, and not zero on a share e of the
arguments, t trials miss it with probability (1 - e)**t: with 95 % confidence, e is at most
1 - 0.05**(1/t).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isqrt, prod
from typing import Any, Literal

import numpy as np

from convcheck.conformance.bench import Bench, Observation
from convcheck.conformance.execute import Runner, Target, open_runner
from convcheck.conformance.findings import finding_of
from convcheck.conformance.judge import Contract
from convcheck.conformance.outcome import Returned
from convcheck.conformance.report import describe
from convcheck.conformance.subject import Subject, subject_of
from convcheck.core.case import Case, parse_case
from convcheck.core.errors import GeometryError, UsageError
from convcheck.core.finding import Finding
from convcheck.core.shapes import output_shape
from convcheck.core.verdict import Verdict
from convcheck.oracle.basis import Bilinear, bilinear_parts
from convcheck.oracle.formats import find_format
from convcheck.oracle.forms import argument_shapes, forms_of

_MOST_PAIRS = 2_000_000
_SINGLY = 20_000
_TRIALS = 32
# |a x + u| <= 4 M for |a| <= 3: what a trial may do to a magnitude.
_GROWTH = 4
_CONFIDENCE = 0.95

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeProof:
    """What was shown, and what was tested, of a function on one shape.

    Attributes:
        target: Name of the function.
        case: The shape.
        verdict: PASS where every pair is right and no trial deviates; FAIL; UNKNOWN where the
            function refuses the call.
        pairs: Pairs of basis arguments tried.
        singly: How many of them in a call of their own.
        wrong: How many of them are wrong.
        trials: Random trials of the hypothesis over the whole range; as many go over parts of it.
        largest: The largest magnitude drawn in them.
        findings: The first wrong pair or trial.
    """

    target: str
    case: Case
    verdict: Verdict
    pairs: int = 0
    singly: int = 0
    wrong: int = 0
    trials: int = 0
    largest: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every pair is right and no trial deviates."""
        return self.verdict is Verdict.PASS

    def __str__(self) -> str:
        """Returns what is claimed, what of it was shown, and what is a tested hypothesis."""
        lines = [f"{self.verdict} {self.target}, for the one shape {self.case}"]
        how = "each in a call of its own"
        if self.singly < self.pairs:
            how = f"many to a batch, and {self.singly} of them in calls of their own"
        lines.append(
            f"  shown: {self.pairs - self.wrong} of {self.pairs} pairs of basis arguments give "
            f"their one product and zeros elsewhere, bit for bit; {how}"
        )
        if self.trials:
            size = 2 * self.largest + 1
            share = 1 - (1 - _CONFIDENCE) ** (1 / self.trials)
            lines += [
                "  follows: if the function is linear in each of its arguments, it is right for "
                f"every argument of this shape whose sums are exact in {self.case.dtype}",
                f"  tested, not shown: that it is linear; {self.trials} random trials of five "
                f"calls on integers up to {self.largest}, and as many at smaller scales: none "
                "deviates",
                "  which misses a deviation that is a polynomial of degree d with probability at "
                f"most (d/{size})^{self.trials}, and leaves, at 95 % confidence, any other on at "
                f"most {100 * share:.2g} % of such arguments",
            ]
        return "\n\n".join(["\n".join(lines), *map(describe, self.findings)])

    def to_json(self) -> dict[str, Any]:
        """Returns the proof as JSON values."""
        return {
            "target": self.target, "case": str(self.case), "verdict": str(self.verdict),
            "pairs": self.pairs, "singly": self.singly, "wrong": self.wrong,
            "trials": self.trials, "largest": self.largest,
            "findings": [finding.to_json() for finding in self.findings],
        }  # fmt: skip


def prove_shape(
    fn: Target,
    case: Case | str,
    *,
    trials: int = _TRIALS,
    seed: int = 0,
    isolated: bool = True,
    arrays: Literal["auto", "numpy", "torch"] = "auto",
    autograd: bool = False,
    singly: int = _SINGLY,
) -> ShapeProof:
    """Returns what can be said of a function for every argument of one shape.

    Args:
        fn: The function.
        case: The shape, of a convolution, its transpose, their gradients or `convolve`.
        trials: Random trials of the hypothesis that the function is linear in each argument.
        seed: Seed of the trials.
        isolated: Whether it runs in a process of its own.
        arrays: What it takes.
        autograd: Whether `fn` is a forward function to be differentiated.
        singly: Most pairs that have a call of their own; beyond, images are put into one batch.

    Raises:
        UsageError: The case has no such proof, or too many pairs.
        TargetError: The function cannot be loaded.
    """
    case = parse_case(case) if isinstance(case, str) else case
    case = replace(case, values="integers", layout="contiguous", seed=0)
    try:
        count = _pair_count(case)
        parts = bilinear_parts(case) if count <= _MOST_PAIRS else ()
    except GeometryError as error:
        raise UsageError(error.what, why=error.why, where=str(case), fix=error.fix) from None
    if count > _MOST_PAIRS:
        raise UsageError(
            f"{count} pairs of basis arguments", why=f"at most {_MOST_PAIRS} are tried",
            where=str(case), fix="use a smaller shape",
        )  # fmt: skip
    if not parts:
        raise UsageError(f"{case.op} is not bilinear", fix="use a convolution", where=str(case))
    with open_runner(fn, case.op, isolated=isolated, arrays=arrays, autograd=autograd) as runner:
        reason = runner.unsupported(case)
        if reason:
            raise UsageError("the call cannot be made", why=reason, where=str(case))
        subject = subject_of(fn, case.op, runner.arrays, autograd=autograd)
        return _Prover(case, parts, runner, subject, seed).prove(trials, singly)


def _pair_count(case: Case) -> int:
    output_shape(case)
    sizes = {name: prod(shape) for name, shape in argument_shapes(case).items() if name != "b"}
    if "grad_output" in sizes:
        return sizes["grad_output"] * (sizes["x"] + sizes["w"])
    return prod(sizes.values())


class _Prover:
    def __init__(
        self, case: Case, parts: tuple[Bilinear, ...], runner: Runner, subject: Subject, seed: int
    ) -> None:
        self._case, self._parts, self._runner = case, parts, runner
        self._subject = subject
        self._bench = Bench(runner, Contract())
        self._chance = np.random.default_rng(seed)
        self._carrier = find_format(case.dtype).carrier
        self._shapes = argument_shapes(case)

    def prove(self, trials: int, singly: int) -> ShapeProof:
        pairs, alone, wrong = 0, 0, 0
        first: tuple[str, Arrays] | None = None
        for part in self._parts:
            left, right = (prod(self._shapes[name]) for name in (part.left, part.right))
            pairs += left * right
            if left * right <= singly or "x" not in self._shapes or len(self._parts) > 1:
                chosen: Iterator[tuple[int, int]] = ((i, j) for i in range(left)
                                                     for j in range(right))  # fmt: skip
                alone += left * right
            else:
                bad = self._in_batches(part)
                wrong += len(bad)
                picks = self._chance.choice(left * right, singly, replace=False)
                chosen = iter([*bad[:1], *(divmod(int(pick), right) for pick in picks)])
                alone += singly
            for i, j in chosen:
                inputs = self._one_hot({part.left: i, part.right: j})
                if not self._is_right(part, i, j, inputs):
                    wrong += 1
                    first = first or (f"the pair {self._names(part, i, j)}", inputs)
        if first is None:
            first = self._offsets()
        done, largest = 0, 0
        if first is None:
            first, done, largest = self._linear(trials)
        findings = () if first is None else self._finding(*first)
        return ShapeProof(
            target=self._subject.name, case=self._case, pairs=pairs, singly=alone, wrong=wrong,
            verdict=Verdict.FAIL if findings else Verdict.PASS, trials=done, largest=largest,
            findings=findings,
        )  # fmt: skip

    def _one_hot(self, ones: Mapping[str, int], case: Case | None = None) -> dict[str, np.ndarray]:
        shapes = self._shapes if case is None else argument_shapes(case)
        inputs = {name: np.zeros(shape, self._carrier) for name, shape in shapes.items()}
        for name, place in ones.items():
            inputs[name].flat[place] = 1
        return inputs

    def _is_right(self, part: Bilinear, i: int, j: int, inputs: Arrays) -> bool:
        outcome = self._runner.run(self._case, inputs)
        if not isinstance(outcome, Returned) or len(outcome.arrays) <= part.output:
            return False
        values = outcome.arrays[part.output].values
        one = part.ones.get((i, j))
        if values.shape != part.shape or np.count_nonzero(values) != (one is not None):
            return False
        if one is not None and values.flat[one] != 1:
            return False
        # Of a gradient, the part that its other argument does not reach is zero.
        others = (a.values for k, a in enumerate(outcome.arrays[:2]) if k != part.output)
        return not any(map(np.any, others)) if len(self._parts) > 1 else True

    def _in_batches(self, part: Bilinear) -> list[tuple[int, int]]:
        """Tries every pair with each basis image of x as one image of a batch; returns the bad."""
        image = self._shapes["x"][1:]
        size, filters = prod(image), prod(self._shapes["w"])
        wide = replace(self._case, batch=size)
        whole = {p.output: p for p in bilinear_parts(replace(self._case, batch=1))}[part.output]
        bad = []
        for j in range(filters):
            inputs = self._one_hot({"w": j}, wide)
            inputs["x"].reshape(size, size)[np.arange(size), np.arange(size)] = 1
            wanted = np.zeros((size, prod(whole.shape)))
            for i in range(size):
                if (i, j) in whole.ones:
                    wanted[i, whole.ones[i, j]] = 1
            outcome = self._runner.run(wide, inputs)
            if not isinstance(outcome, Returned) or outcome.arrays[0].values.size != wanted.size:
                bad.append((0, j))
                continue
            differs = outcome.arrays[0].values.reshape(wanted.shape) != wanted
            bad += [(int(i), j) for i in np.flatnonzero(differs.any(axis=1))]
        return bad

    def _offsets(self) -> tuple[str, Arrays] | None:
        """Returns what is wrong at zero or in the bias: f(0, 0, b) = b."""
        trials = [("zero arguments", self._one_hot({}))]
        for f in range(self._shapes["b"][0] if "b" in self._shapes else 0):
            trials.append((f"the bias b[{f}] alone", self._one_hot({"b": f})))
        return next((trial for trial in trials if self._seen(trial[1]).problem), None)

    def _linear(self, trials: int) -> tuple[tuple[str, Arrays] | None, int, int]:
        """Returns the first random argument that is wrong, how many were not, and their size.

        Of each trial x, u, w, v and a, the five results f(x, w), f(u, w), f(a x + u, w), f(x, v)
        and f(x, a w + v) are compared with the exact sums; equal to them, they satisfy
        f(a x + u, w) = a f(x, w) + f(u, w) and f(x, a w + v) = a f(x, w) + f(x, v).
        """
        terms = max(form.terms for form in forms_of(self._case))
        budget = find_format(self._case.dtype).budget
        largest = isqrt(budget // (_GROWTH * terms + 1))
        left, right = self._parts[0].left, self._parts[0].right
        for done in range(2 * trials):
            # Every other trial is uniform over the whole range, the rest at every scale below it.
            most = largest if done % 2 == 0 else max(1, int(largest ** self._chance.random()))
            base, other = self._random(most), self._random(most)
            a = int(self._chance.integers(1, 4)) * (1 if self._chance.random() < 0.5 else -1)
            calls = [base]
            for name in (left, right):
                calls.append({**base, name: other[name]})
                calls.append({**base, name: a * base[name] + other[name]})
            for inputs in calls:
                if self._seen(inputs).problem is not None:
                    return ("random arguments, which the basis does not explain", inputs), 0, 0
        return None, trials, largest

    def _random(self, most: int) -> dict[str, np.ndarray]:
        return {
            name: self._chance.integers(-most, most + 1, shape).astype(self._carrier)
            for name, shape in self._shapes.items()
        }

    def _seen(self, inputs: Arrays) -> Observation:
        return self._bench.observe(self._case, inputs)

    def _finding(self, what: str, inputs: Arrays) -> tuple[Finding, ...]:
        seen = self._seen(inputs)
        if seen.problem is None:
            return (
                Finding(verdict=Verdict.FAIL, where=str(self._case), case=self._case,
                        code="IMPL-SHAPE", what=f"{what}: wrong once, right when it was repeated"),
            )  # fmt: skip
        found = finding_of(seen, self._subject)
        again = (
            f"convcheck test {self._subject.name} --op {self._case.op} "
            f'--prove-shape "{self._case}"' + (" --autograd" if self._subject.autograd else "")
        )
        details = {**found.details, "replay": again}
        return (
            replace(found, what=f"{what}: {found.what}", code="IMPL-SHAPE", details=details),
        )  # fmt: skip

    def _names(self, part: Bilinear, i: int, j: int) -> str:
        places = (np.unravel_index(at, self._shapes[name]) for name, at in
                  ((part.left, i), (part.right, j)))  # fmt: skip
        texts = (", ".join(str(int(at)) for at in place) for place in places)
        return " and ".join(f"{name}[{text}]" for name, text in
                            zip((part.left, part.right), texts, strict=True))  # fmt: skip
