"""Statements evaluated in a model: small groups, tables for functions, exact or ball arithmetic.

This shares with the kernel the trees, and nothing of its normal forms or rules: it is the second
opinion on a theorem, and the judge of a counterexample. In a model, G, D, R and Zn are the
integers modulo n (or Z itself, for n = 0), and a finite set has a size. Sums over Z run over a
window; one whose summands do not vanish at its ends diverges, and is 0 by convention.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from operator import eq, ge, gt, le, lt
from typing import Any, Literal

from convcheck.proofs.terms import NOT_SETS, Env, Refusal, Tree, names, opened, sort_of

Scope = dict[str, Any]
Thunk = Callable[[Scope], Any]
EDGE = 5  # summands at each end of a window that must vanish for a sum over Z to converge


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the names of a statement stand for.

    Attributes:
        values: Number, element, table {arguments: value} (0 elsewhere), or function per name.
        sizes: Size per finite set; "n" is the modulus that stands for a group, 0 for Z itself;
            "window" is half the range of an outermost sum over Z.
        arithmetic: Fractions, integers modulo a prime, or balls of 60 digits.
    """

    values: Mapping[str, Any]
    sizes: Mapping[str, int] = field(default_factory=dict)
    arithmetic: Literal["exact", "modular", "balls"] = "exact"

    def modulus(self, domain: str) -> int:
        """Returns the modulus of a group, 0 for Z."""
        return self.sizes.get("n", 5) if domain in ("G", "D", "R", "Zn") else 0


class Dual:
    """A value with its derivative; sums, products, quotients, exp and log follow the rules."""

    __slots__ = ("slope", "value")

    def __init__(self, value: Any, slope: Any) -> None:
        self.value, self.slope = value, slope

    def __add__(self, other: Any) -> Dual:
        other = _dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other: Any) -> Dual:
        other = _dual(other)
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Dual:
        return Dual(-self.value, -self.slope)


def _dual(value: Any) -> Dual:
    return value if isinstance(value, Dual) else Dual(value, 0)


def invert(value: Any, arithmetic: str) -> Any:
    """Returns 1 / value in the arithmetic of the model."""
    if isinstance(value, Dual):
        one = invert(value.value, arithmetic)
        return Dual(one, -(one * one * value.slope))
    return Fraction(1) / value if isinstance(value, int) and arithmetic == "exact" else 1 / value


def _apply(name: str, value: Any) -> Any:
    """Returns log or exp of a value, as a ball."""
    from flint import arb, fmpq

    if isinstance(value, Dual):
        outer = _apply(name, value.value)
        slope = outer if name == "exp" else 1 / _ball(value.value)
        return Dual(outer, slope * value.slope)
    if isinstance(value, Fraction):
        value = arb(fmpq(value.numerator, value.denominator))
    return getattr(arb(value), name)()


def _ball(value: Any) -> Any:
    from flint import arb

    return arb(value)


def _table(table: Any) -> Callable[..., Any]:
    if callable(table):
        return table  # type: ignore[no-any-return]
    return lambda *args: table.get(args if len(args) != 1 else args[0], 0)


def build(tree: Tree, env: Env, model: Model) -> Thunk:
    """Returns the tree as a function of the values of its bound variables."""
    head, label = tree[0], tree[1]
    if head == "num":
        return lambda scope: label
    if head in ("var", "app"):
        return _call(tree, env, model)
    if head in ("S", "M", "L"):
        return _sum(tree, env, model)
    if head == "diff":
        return _derivative(tree, env, model)
    parts = [build(kid, env, model) for kid in tree[2:]]
    a, b = parts[0], parts[-1]
    if head == "delta":
        modulus = model.modulus(sort_of(tree[2], env) or sort_of(tree[3], env) or "Z")
        return lambda scope: int(_reduce(a(scope) - b(scope), modulus) == 0)
    if head == "mul":
        return lambda scope: (
            left * b(scope) if (left := a(scope)) or isinstance(left, Dual) else left
        )
    if head == "gap":
        return lambda scope: (x := a(scope)) - 1 - _apply("log", x)
    arithmetic = model.arithmetic
    match head:
        case "add":
            return lambda scope: a(scope) + b(scope)
        case "neg":
            return lambda scope: -a(scope)
        case "inv":
            return lambda scope: invert(a(scope), arithmetic)
        case "fdiv":
            return lambda scope: a(scope) // b(scope)
        case "log" | "exp":
            return lambda scope: _apply(head, a(scope))
        case "max" | "min":
            choose = max if head == "max" else min
            return lambda scope: choose(a(scope), b(scope))
    raise Refusal(f"{head} has no value in a model")


def _reduce(value: Any, modulus: int) -> Any:
    return value % modulus if modulus else value


def _call(tree: Tree, env: Env, model: Model) -> Thunk:
    name, domains = tree[1], env[tree[1]][0]
    if not domains:
        constant = model.values.get(name)
        varied = f"d {name}"
        return lambda scope: Dual(constant, 1) if varied in scope else scope.get(name, constant)
    function = _table(model.values[name])
    moduli = [model.modulus(domain) for domain in domains]
    parts = [build(kid, env, model) for kid in tree[2:]]

    def value(scope: Scope) -> Any:
        at = tuple(_reduce(part(scope), m) for part, m in zip(parts, moduli, strict=True))
        found = function(*at)
        return Dual(found, 1) if scope.get(f"d {name}") == at else found

    return value


def _sum(tree: Tree, env: Env, model: Model) -> Thunk:
    name, domain = tree[1][:2]
    inner = opened(tree, env)
    body = build(tree[-1], inner, model)
    level = sum(1 for known in inner if known not in model.values)
    elements = span(domain, model, level)
    phi = build(tree[2], inner, model) if tree[0] == "L" else None
    endless = domain in NOT_SETS and not model.modulus(domain)
    support = _support(tree[-1], name, env, model) if endless else None

    def value(scope: Scope) -> Any:
        terms = [body({**scope, name: u}) for u in (support(scope) if support else elements)]
        if tree[0] == "M":
            return max(terms)
        if endless and not support and any(map(_is_nonzero, terms[:EDGE] + terms[-EDGE:])):
            return 0
        if phi is None:
            return sum(terms)
        slope = phi({**scope, name: 1}) - phi({**scope, name: 0})
        return -slope * sum(terms)  # L runs from inf to -inf

    return value


def _support(body: Tree, name: str, env: Env, model: Model) -> Thunk | None:
    """Returns where the summands can differ from 0, if a factor f(u) or delta(u, .) says so."""
    if body[0] == "mul":
        return _support(body[2], name, env, model) or _support(body[3], name, env, model)
    here = ("var", name)
    if body[0] == "app" and body[2:] == (here,) and isinstance(model.values[body[1]], dict):
        places = list(model.values[body[1]])
        target = f"d {body[1]}"  # a derivative may be taken outside the support
        return lambda scope: {*places, *scope.get(target, ())}
    if body[0] == "delta" and here in body[2:]:
        other = body[3] if body[2] == here else body[2]
        if name not in names(other) and not names(other) - set(env):
            at = build(other, env, model)
            return lambda scope: (at(scope),)
    return None


def _derivative(tree: Tree, env: Env, model: Model) -> Thunk:
    body, target = build(tree[2], env, model), tree[3]
    moduli = [model.modulus(domain) for domain in env[target[1]][0]]
    parts = [build(kid, env, model) for kid in target[2:]]

    def value(scope: Scope) -> Any:
        at = tuple(_reduce(part(scope), m) for part, m in zip(parts, moduli, strict=True))
        found = body({**scope, f"d {target[1]}": at})
        return found.slope if isinstance(found, Dual) else 0

    return value


def _is_nonzero(value: Any) -> bool:
    if isinstance(value, Dual):
        return bool(value.value != 0 or value.slope != 0)
    return bool(value != 0)


def span(domain: str, model: Model, level: int = 1) -> range:
    """Returns the elements of a domain over which a model sums; `level` widens that of Z.

    A sum inside another needs the wider window, or its edge would show as summands of the outer.
    """
    if domain not in NOT_SETS:
        return range(model.sizes.get(domain, 3))
    if domain == "N":
        return range(5)
    modulus, reach = model.modulus(domain), model.sizes.get("window", 9) * level
    return range(modulus) if modulus else range(-reach, reach + 1)


_ORDER = {"=": eq, "<=": le, ">=": ge, "<": lt, ">": gt}


def violates(relation: Tree, env: Env, model: Model, scope: Scope) -> str:
    """Returns both sides as text where the relation definitely fails, else nothing.

    Balls that overlap are no violation of an equation: they are as equal as can be told.
    """
    operator = relation[1]
    left, right = _side(relation[2], env, model, scope), _side(relation[3], env, model, scope)
    if hasattr(left, "overlaps") or hasattr(right, "overlaps"):
        left, right = _ball(left), _ball(right)
        failed = not left.overlaps(right) if operator == "=" else bool(left > right)
    else:
        failed = not _ORDER[operator](left, right)
    return f"left side {_told(left)}, right side {_told(right)}" if failed else ""


def _told(value: Any) -> str:
    return str(value.str(6, radius=False)) if hasattr(value, "overlaps") else str(value)


def _side(tree: Tree, env: Env, model: Model, scope: Scope) -> Any:
    if tree[0] != "count":
        return build(tree, env, model)(scope)
    inner, name = opened(tree, env), tree[1][0]
    conditions = [
        (_ORDER[kid[1]], build(kid[2], inner, model), build(kid[3], inner, model))
        for kid in tree[2:]
    ]
    return sum(
        all(order(left(at), right(at)) for order, left, right in conditions)
        for at in ({**scope, name: j} for j in range(-60, 61))
    )


def holds(prop: Tree, env: Env, model: Model, scope: Scope) -> bool:
    """Returns whether a hypothesis is true in a model."""
    head = prop[0]
    if head == "all":
        inner = opened(prop, env)
        name, domain = prop[1]
        return all(holds(prop[2], inner, model, {**scope, name: u}) for u in span(domain, model))
    if head == "rel":
        return not violates(prop, env, model, scope)
    return _total(prop[2], env, model, scope) is not None


def _total(tree: Tree, env: Env, model: Model, scope: Scope) -> Any:
    """Returns the number of nonzero terms, None where they do not end."""
    if tree[0] != "S":
        return int(_is_nonzero(build(tree, env, model)(scope)))
    inner, (name, domain) = opened(tree, env), tree[1]
    level = sum(1 for known in inner if known not in model.values)
    terms = [_total(tree[2], inner, model, {**scope, name: u}) for u in span(domain, model, level)]
    if any(term is None for term in terms):
        return None
    endless = domain in NOT_SETS and not model.modulus(domain)
    return None if endless and any(terms[:EDGE] + terms[-EDGE:]) else sum(terms)
