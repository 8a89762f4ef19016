"""The claims language: a statement as text, parsed into a tree of `Node`.

    claim      := formula [given formulas] [on domain]
    formulas   := formula {"," formula}
    formula    := formula (iff | implies | or | and) formula | not formula | comparison
    comparison := term {(== | != | < | <= | > | >=) term}
    term       := term (+ | - | * | / | // | % | ^) term | -term | atom
    atom       := number | name | function "(" term {"," term} ")" | atom "[" term "]"
                | "(" formula ")" | "(" term "," term ")"
    domain     := Z | Z^2 | Z^3 | Z_n | Z_5 (any modulus)

`=` is read as `==`, `**` as `^`, `=>` and `->` as `implies`, `<=>` as `iff`, `&&` as `and`;
`if`, `where` and `assuming` are read as `given`; signs of mathematics such as ≤ ⌊ ⌋ ² ∧ mean what
they mean. `^` takes a literal exponent. A name is one letter, with digits or
an underscored suffix where wanted (`f`, `k1`, `W_in`), or one of `NAMES`.

What a name stands for is said by the family of the claim: sequences, integers, distributions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from convcheck.core.errors import UsageError, nearest
from convcheck.core.text import for_terminal
from convcheck.proofs.claims.spellings import INSTEAD, SPELLINGS, UNICODE

MAX_CHARACTERS = 2000
MAX_DEPTH = 40
MAX_TOKENS = 300  # also bounds the depth of a chain such as a + a + a
MAX_DIGITS = 30
MAX_EXPONENT = 12
MAX_POWER = 144

NAMES = ("op", "alpha", "beta", "gamma", "lambda", "tau", "eps", "delta", "scores", "logits")
FUNCTIONS: dict[str, tuple[int, int]] = {
    "conv": (2, 2), "corr": (2, 2), "flip": (1, 1), "shift": (2, 4), "up": (2, 2), "down": (2, 2),
    "delta": (1, 3), "dot": (2, 2), "sum": (1, 1),
    "floor": (1, 1), "ceil": (1, 1), "min": (1, 9), "max": (1, 9), "abs": (1, 1), "count": (2, 5),
    "H": (1, 2), "KL": (2, 2), "softmax": (1, 1), "logsumexp": (1, 1), "nll": (2, 2),
    "log": (1, 1), "exp": (1, 1),
}  # fmt: skip
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
CONNECTIVES = ("and", "or", "not", "implies", "iff")

_NAME = re.compile(r"[A-Za-z]\d{0,2}(_[A-Za-z0-9]{1,6})?'?")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z][A-Za-z0-9_]*'?)"
    r"|(?P<sign><=>|=>|->|==|!=|<=|>=|&&|\*\*|//|[-+*/%^()\[\],<>=]))"
)
_GIVEN = ("given", "if", "where", "assuming")
_BINDING = {
    "iff": 1, "implies": 2, "or": 3, "and": 4,
    **dict.fromkeys(COMPARISONS, 6), "+": 7, "-": 7, "*": 8, "/": 8, "//": 8, "%": 8, "^": 10,
}  # fmt: skip


class Node(NamedTuple):
    """A term or formula: an operator, a function, `number`, `name`, `index` or `tuple`."""

    op: str
    args: tuple[Node, ...] = ()
    value: Fraction | str = ""

    def __str__(self) -> str:
        """Returns the text of the term, fully bracketed where needed."""
        return show(self)

    @property
    def is_formula(self) -> bool:
        """Whether this says something true or false, rather than naming a value."""
        return self.op in COMPARISONS or self.op in CONNECTIVES


FALSE = Node("<=", (Node("number", (), Fraction(1)), Node("number", (), Fraction(0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A parsed claim: what is said, under which hypotheses, on which domain ("" where unsaid)."""

    text: str
    goal: Node
    given: tuple[Node, ...] = ()
    domain: str = ""


def parse_claim(text: str) -> Statement:
    """Returns the statement that `text` makes.

    Raises:
        UsageError: The text is too long, too deep, unbalanced, or uses an unknown name; one
            message that shows the place.
    """
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"the claim has {len(text)} characters",
            why=f"at most {MAX_CHARACTERS} are read",
            where=for_terminal(text, 60),
            fix="state a shorter claim, or several",
        )
    return _Reader(text.translate(UNICODE)).statement()


class _Reader:
    """A recursive-descent reader over the tokens of one claim."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str, int]] = []
        self.place = 0
        self.depth = 0
        end = len(text.rstrip())
        if not end:
            raise UsageError("the claim is empty", fix='e.g. "conv(f, g) == conv(g, f)"')
        position = 0
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None:
                position += len(text[position:]) - len(text[position:].lstrip())
                sign = text[position]
                what = f"character {sign!r} is not in the language"
                raise self.error(what, position, INSTEAD.get(sign, ""))
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        self.tokens.append(("end", "", end))
        if (count := len(self.tokens)) > MAX_TOKENS:
            raise self.error(f"the claim has {count} symbols, at most {MAX_TOKENS} are read", 0)

    def error(self, what: str, position: int, fix: str = "") -> UsageError:
        start = max(0, position - 50)
        line = for_terminal(self.text[start : position + 30].replace("\n", " "), 100)
        caret = " " * (len(for_terminal(self.text[start:position], 100)) + 7) + "^"
        return UsageError(for_terminal(what, 200), where=f"{line}\n{caret}", fix=fix)

    @property
    def sign(self) -> str:
        kind, text, _ = self.tokens[self.place]
        return SPELLINGS.get(text, text) if kind != "number" else ""

    def take(self, expected: str = "") -> tuple[str, str, int]:
        token = self.tokens[self.place]
        if expected and self.sign != expected:
            found = f"{token[1]!r}" if token[1] else "the end"
            raise self.error(f"expected {expected!r}, found {found}", token[2])
        self.place += 1
        return token

    def statement(self) -> Statement:
        goal, domain = self.formula(), ""
        given: list[Node] = []
        while self.tokens[self.place][0] != "end":
            if self.sign in _GIVEN and not given:
                self.take()
                given = [self.formula()]
                while self.sign == ",":
                    self.take()
                    given.append(self.formula())
            elif self.sign == "on" and not domain:
                self.take()
                domain = self.domain()
            else:
                raise self.unexpected()
        self.check_entries()
        flat = tuple(part for node in given for part in conjuncts(node))
        return Statement(text=self.text.strip(), goal=goal, given=flat, domain=domain)

    def unexpected(self) -> UsageError:
        _, text, position = self.tokens[self.place]
        product = "write * for a product" if text[0].isalnum() or text in "([" else ""
        what = f"{text!r} does not continue the claim"
        return self.error(what, position, INSTEAD.get(text, product))

    def check_entries(self) -> None:
        """Refuses z_i beside z, which is another name and not the entry z[i]."""
        words = {text: place for kind, text, place in self.tokens if kind == "word"}
        for word, place in words.items():
            name, _, index = word.partition("_")
            if index in tuple("ijkty") and name in words and name not in "WHkKsSdDpP":
                raise self.error(f"{word} is another name than {name}", place,
                                 f"write {name}[{index}] for an entry of {name}")  # fmt: skip

    def domain(self) -> str:
        _, text, position = self.take()
        if text == "Z" and self.sign == "^":
            self.take()
            text = "Z^" + self.take()[1]
        if re.fullmatch(r"Z|Z\^[123]|Z_(n|N|[1-9]\d{0,2})", text) is None:
            raise self.error(f"unknown domain {text!r}", position, "use Z, Z^2, Z^3, Z_n or Z_5")
        return {"Z^1": "Z", "Z_N": "Z_n"}.get(text, text)

    def formula(self) -> Node:
        position = self.tokens[self.place][2]
        node = self.expression(0)
        if not node.is_formula:
            if self.tokens[self.place][0] != "end" and self.sign not in (*_GIVEN, "on"):
                raise self.unexpected()
            raise self.error(
                f"{for_terminal(show(node), 60)!r} says nothing that is true or false", position,
                "compare two terms with ==, !=, <, <=, > or >=",
            )  # fmt: skip
        return node

    def expression(self, binding: int) -> Node:
        self.depth += 1
        position = self.tokens[self.place][2]
        if self.depth > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH}", position)
        left = self.prefix()
        while (level := _BINDING.get(self.sign, 0)) > binding:
            position = self.tokens[self.place][2]
            op = self.sign
            self.take()
            # implies and ^ associate to the right
            right = self.expression(level - 1 if op in ("implies", "^") else level)
            left = self.combine(op, left, right, position)
        self.depth -= 1
        return left

    def combine(self, op: str, left: Node, right: Node, position: int) -> Node:
        if op in COMPARISONS and left.is_formula:
            # a < b < c says a < b and b < c
            last = left if left.op in COMPARISONS else left.args[1]
            if last.op not in COMPARISONS:
                raise self.error("a formula cannot be compared", position)
            self.want(right, False, position)
            return Node("and", (left, Node(op, (last.args[1], right))))
        wanted = op in CONNECTIVES
        self.want(left, wanted, position)
        self.want(right, wanted, position)
        if op == "^":
            whole = right.op == "number" and Fraction(right.value).denominator == 1
            if not whole or Fraction(right.value) > MAX_EXPONENT:
                raise self.error(
                    f"the exponent must be a number from 0 to {MAX_EXPONENT}", position
                )
            if _power(Node(op, (left, right))) > MAX_POWER:
                raise self.error(f"nested exponents multiply to more than {MAX_POWER}", position)
        return Node(op, (left, right))

    def want(self, node: Node, formula: bool, position: int) -> None:
        if node.is_formula != formula:
            kind = "a formula" if formula else "a term"
            raise self.error(f"expected {kind}, found {for_terminal(show(node), 60)!r}", position)

    def prefix(self) -> Node:
        kind, text, position = self.take()
        if kind == "number":
            if len(text) > MAX_DIGITS:
                raise self.error(f"a number of more than {MAX_DIGITS} digits", position)
            return self.suffixes(Node("number", (), Fraction(text)))
        if text in ("-", "+"):
            node = self.expression(8)
            self.want(node, False, position)
            return Node("neg", (node,)) if text == "-" else node
        if text == "not":
            node = self.expression(5)
            self.want(node, True, position)
            return Node("not", (node,))
        if text == "(":
            items = self.items(")", formulas=True)
            return self.suffixes(items[0] if len(items) == 1 else Node("tuple", tuple(items)))
        if kind == "word" and text not in _BINDING and text not in (*_GIVEN, "on"):
            return self.suffixes(self.named(text, position))
        raise self.error(f"expected a term, found {text or 'the end'!r}", position)

    def items(self, closing: str, formulas: bool = False) -> list[Node]:
        items = [self.expression(0)]
        while self.sign == ",":
            self.take()
            items.append(self.expression(0))
        position = self.take(closing)[2]
        for item in items if not formulas or len(items) > 1 else ():
            self.want(item, False, position)
        return items

    def named(self, name: str, position: int) -> Node:
        if self.sign == "(" and name in FUNCTIONS:
            self.take()
            args = self.items(")")
            least, most = FUNCTIONS[name]
            if not least <= len(args) <= most:
                wanted = str(least) if least == most else f"{least} to {most}"
                raise self.error(f"{name} takes {wanted} arguments, not {len(args)}", position)
            return Node(name, tuple(args))
        if self.sign == "(" and not _NAME.fullmatch(name):
            fix = INSTEAD.get(name) or nearest(name, FUNCTIONS)
            raise self.error(f"unknown function {name!r}", position, fix)
        if name in FUNCTIONS and name not in ("delta", "H"):
            raise self.error(f"the function {name!r} needs its arguments", position)
        if _NAME.fullmatch(name) is None and name not in NAMES:
            fix = INSTEAD.get(name) or nearest(name, {*FUNCTIONS, *NAMES})
            raise self.error(f"unknown name {name!r}", position, fix)
        node = Node("name", (), name)
        if self.sign == "(":  # f(t) is the value f[t]
            self.take()
            return Node("index", (node, *self.items(")")))
        return node

    def suffixes(self, node: Node) -> Node:
        while self.sign in ("[", "("):
            closing = {"[": "]", "(": ")"}[self.sign]
            _, _, position = self.take()
            self.want(node, False, position)
            if closing == ")" and node.op == "number":
                raise self.error("an operator is missing", position, "write * for a product")
            node = Node("index", (node, *self.items(closing)))
        return node


def _power(node: Node) -> Fraction:
    """Returns the largest product of nested exponents in a term."""
    inner = max(map(_power, node.args), default=Fraction(1))
    if node.op == "^":
        return inner * max(Fraction(1), Fraction(node.args[1].value))
    return inner


def conjuncts(node: Node) -> list[Node]:
    """Returns the formulas that `node` joins with `and`."""
    if node.op != "and":
        return [node]
    return [part for arg in node.args for part in conjuncts(arg)]


def goals(statement: Statement) -> list[tuple[tuple[Node, ...], Node]]:
    """Returns the comparisons that a statement makes, each with its hypotheses.

    `a implies b` is b under the hypothesis a, and `a iff b` is both directions.
    """
    found = []
    pending = [(statement.given, statement.goal)]
    while pending:
        given, goal = pending.pop(0)
        if goal.op == "iff":
            left, right = goal.args
            pending += [(given, Node("implies", (left, right)))]
            pending += [(given, Node("implies", (right, left)))]
        elif goal.op == "implies":
            pending.append(((*given, *conjuncts(goal.args[0])), goal.args[1]))
        elif goal.op == "and":
            pending += [(given, part) for part in goal.args]
        else:
            found.append((given, goal))
    return found


def names_in(node: Node) -> set[str]:
    """Returns the names that occur in `node`."""
    found = {str(node.value)} if node.op == "name" else set()
    return found.union(*map(names_in, node.args)) if node.args else found


def names_at_least_zero(given: list[Node]) -> Iterator[str]:
    """Yields the names of which a hypothesis says that they are >= 0, or >= a number > 0."""
    for node in given:
        if node.op in ("<=", "<", ">=", ">"):
            upper, lower = node.args if node.op in (">=", ">") else node.args[::-1]
            if upper.op == "name" and lower.op == "number":
                yield str(upper.value)


def operators_in(node: Node) -> set[str]:
    """Returns the operators and functions that occur in `node`."""
    return {node.op}.union(*map(operators_in, node.args))


def substitute(node: Node, values: dict[str, Node]) -> Node:
    """Returns `node` with names replaced by terms."""
    if node.op == "name":
        return values.get(str(node.value), node)
    return Node(node.op, tuple(substitute(arg, values) for arg in node.args), node.value)


def show(node: Node, binding: int = 0) -> str:
    """Returns the text of a node; parsing it again gives the node."""
    args = node.args
    if node.op in ("number", "name"):
        text = str(node.value)
        return f"({text})" if "/" in text and binding > 7 else text
    if node.op == "index":
        return f"{show(args[0], 11)}[{', '.join(map(show, args[1:]))}]"
    if node.op == "tuple":
        return f"({', '.join(map(show, args))})"
    if node.op in ("neg", "not"):
        sign, level = ("-", 8) if node.op == "neg" else ("not ", 5)
        text = sign + show(args[0], level)
        return f"({text})" if binding >= level else text
    if node.op in _BINDING:
        level = _BINDING[node.op]
        sides = (level - 1, level) if node.op not in ("implies", "^") else (level, level - 1)
        joint = node.op if node.op == "^" else f" {node.op} "
        text = show(args[0], sides[0]) + joint + show(args[1], sides[1])
        return f"({text})" if binding >= level else text
    return f"{node.op}({', '.join(map(show, args))})"
