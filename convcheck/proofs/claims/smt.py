"""Integer formulas for Z3: divisions become Euclid pairs, and Z3 runs in a process of its own.

A solver may hang, swallow an interrupt or give any value to a division by zero. So every divisor
is asserted to be positive, each quotient q of n by m is a variable with 0 <= n - m*q < m, and the
process is killed when its time is over.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from fractions import Fraction

from convcheck.core.errors import UsageError
from convcheck.proofs.claims.budget import Undecided
from convcheck.proofs.claims.integer_values import constant
from convcheck.proofs.claims.language import Node, show

_CHILD = """
import json, sys, z3
scripts = json.load(sys.stdin)
for seconds, script in scripts:
    solver = z3.Solver()
    solver.set("timeout", int(1000 * seconds))
    solver.from_string(script)
    result = str(solver.check())
    values = {}
    if result == "sat":
        model = solver.model()
        values = {str(d): model[d].as_long() for d in model.decls() if d.arity() == 0
                  and z3.is_int_value(model[d])}
    reason = solver.reason_unknown() if result == "unknown" else ""
    if result != "unknown":
        break
json.dump([result, values, reason], sys.stdout)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver said: `unsat`, `sat` with values, or `unknown` with a reason."""

    result: str
    values: dict[str, int] = field(default_factory=dict)
    reason: str = ""


def ask(scripts: list[tuple[float, str]], seconds: float) -> Answer:
    """Returns the answer of Z3 to the first script that it decides.

    Args:
        scripts: SMT-LIB scripts, each with the seconds that it may take.
        seconds: When the process is killed.

    Raises:
        Undecided: The process was killed, or died.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD],
            input=json.dumps(scripts), capture_output=True, text=True, timeout=seconds,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Undecided(f"Z3 did not answer within {seconds:.1f} s") from None
    try:
        result, values, reason = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Undecided(f"Z3 ended with code {done.returncode}: {last[:200]}") from None
    return Answer(result, values, reason)


@dataclass(slots=True)
class Script:
    """An SMT-LIB script in the making; it collects the quotients that its terms need.

    Attributes:
        euclid: Whether a quotient is a variable with its two inequalities, rather than `div`.
        positive: Terms that are asserted to be at least 1: divisors and the sizes of windows.
        conditions: The definitions of the quotients.
        whole: What must be shown beside the goal: that arguments of `count` are integers.
    """

    euclid: bool
    positive: dict[str, str] = field(default_factory=dict)
    conditions: list[str] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    quotients: dict[tuple[str, str], str] = field(default_factory=dict)

    def text(self, names: list[str], assumed: list[Node], goal: Node) -> str:
        """Returns the script that asks for values at which all assumptions hold, the goal not."""
        facts = [self.formula(node) for node in assumed]
        wanted = self.formula(goal)
        facts.append(f"(not (and {wanted} {' '.join(dict.fromkeys(self.whole))}))")
        variables = [*map(_quoted, names), *self.quotients.values()]
        lines = [f"(declare-const {name} Int)" for name in variables]
        lines += [f"(assert (>= {term} 1))" for term in self.positive.values()]
        lines += [f"(assert {fact})" for fact in (*self.conditions, *facts)]
        return "\n".join(lines)

    def formula(self, node: Node) -> str:
        """Returns a formula."""
        op, args = node.op, node.args
        if op in ("and", "or", "not", "implies", "iff"):
            sign = {"implies": "=>", "iff": "="}.get(op, op)
            return f"({sign} {' '.join(map(self.formula, args))})"
        (a, b), (c, d) = map(self.ratio, args)
        left, right = _times(a, d), _times(c, b)
        if op == "!=":
            return f"(not (= {left} {right}))"
        return f"({'=' if op == '==' else op} {left} {right})"

    def ratio(self, node: Node) -> tuple[str, str]:
        """Returns numerator and denominator of a term; the denominator is positive."""
        op, args = node.op, node.args
        if op == "number":
            value = Fraction(node.value)
            return str(value.numerator), str(value.denominator)
        if op == "name":
            return _quoted(str(node.value)), "1"
        if op == "^":
            top, bottom = self.ratio(args[0])
            power = int(Fraction(args[1].value))
            return _power(top, power), _power(bottom, power)
        parts = [self.ratio(arg) for arg in args]
        if op in ("floor", "ceil"):
            (top, bottom) = parts[0]
            if op == "floor":
                return self.quotient(top, bottom), "1"
            return f"(- {self.quotient(f'(- {top})', bottom)})", "1"
        if op == "count":
            return self.count(args, parts), "1"
        (a, b) = parts[0]
        if op == "neg":
            return f"(- {a})", b
        if op == "abs":
            return f"(ite (>= {a} 0) {a} (- {a}))", b
        if op in ("min", "max"):
            sign = "<=" if op == "min" else ">="
            for c, d in parts[1:]:
                x, y = _times(a, d), _times(c, b)
                a, b = f"(ite ({sign} {x} {y}) {x} {y})", _times(b, d)
            return a, b
        (c, d) = parts[1]
        if op in ("+", "-"):
            return f"({op} {_times(a, d)} {_times(c, b)})", _times(b, d)
        if op == "*":
            return _times(a, c), _times(b, d)
        if op not in ("/", "//", "%"):
            raise UsageError(f"{op} does not apply to integers", where=show(node))
        sign_known = constant(args[1])
        if sign_known is None:
            self.positive[show(args[1])] = c
        elif sign_known < 0:
            a, c = f"(- {a})", str(abs(sign_known.numerator))
        top, bottom = _times(a, d), _times(b, c)
        if op == "/":
            return top, bottom
        whole = self.quotient(top, bottom)
        if op == "//":
            return whole, "1"
        # n % m = n - m * floor(n / m); the sign of a literal m was moved to n above
        flipped = sign_known is not None and sign_known < 0
        x, y = parts[0]
        m = f"(- {c})" if flipped else c
        return f"(- {_times(x, d)} {_times(_times(m, whole), y)})", _times(y, d)

    def count(self, args: tuple[Node, ...], parts: list[tuple[str, str]]) -> str:
        """Returns the number of window positions: 0 where nothing fits."""
        wholes = []
        for top, bottom in parts:
            if bottom != "1":
                self.whole.append(f"(= (mod {top} {bottom}) 0)")
            wholes.append(self.quotient(top, bottom))
        for place in (1, 2, 4):
            if place < len(args):
                self.positive[show(args[place])] = wholes[place]
        size, k, s, p, d = wholes + ["1", "0", "1"][len(parts) - 2 :]
        free = f"(- (+ {size} (* 2 {p})) (* {d} (- {k} 1)) 1)"
        return f"(ite (>= {free} 0) (+ {self.quotient(free, s)} 1) 0)"

    def quotient(self, top: str, bottom: str) -> str:
        """Returns floor(top / bottom) for a positive bottom."""
        if bottom == "1":
            return top
        if not self.euclid:
            return f"(div {top} {bottom})"
        name = self.quotients.setdefault((top, bottom), f"q!{len(self.quotients)}")
        rest = f"(- {top} (* {bottom} {name}))"
        condition = f"(and (<= 0 {rest}) (< {rest} {bottom}))"
        if condition not in self.conditions:
            self.conditions.append(condition)
        return name


def _quoted(name: str) -> str:
    return f"|{name.replace(chr(39), '.prime')}|"


def unquoted(name: str) -> str:
    """Returns the name of the claim that a name of the script stands for."""
    return name.strip("|").replace(".prime", "'")


def _times(a: str, b: str) -> str:
    if "1" in (a, b):
        return b if a == "1" else a
    return f"(* {a} {b})"


def _power(base: str, exponent: int) -> str:
    if exponent < 2:
        return base if exponent else "1"
    return f"(* {' '.join([base] * exponent)})"
