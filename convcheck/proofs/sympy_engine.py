"""SymPy as a second engine: the same derivation, by another program's algebra.

Each line becomes a SymPy expression. `reindex` substitutes an affine map whose slope is checked to
be a nonzero number (SymPy's own `transform` accepts maps that are no bijections); the other rules
are left to SymPy's expansion, its logarithms of positive functions, its derivatives and its sums
over KroneckerDelta. What SymPy has no word for is said, never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy

from convcheck.proofs.asking import FOLLOWS, answer
from convcheck.proofs.terms import NOT_SETS, Env, Tree, declare, opened, parse


class CannotFollow(Exception):  # noqa: N818 - a limit of SymPy, told to the reader
    """SymPy has no form for a term or a step; the message says which."""


def follow(fields: Mapping[str, Any]) -> str:
    """Returns `FOLLOWS` where SymPy follows every line of a certificate, else why it cannot."""
    [(kind, steps)] = fields["proof"].items()
    if kind != "chain":
        return f"SymPy has no {kind} proofs"
    env = declare(dict(fields["vars"]))
    statement = parse(fields["statement"])
    if statement[1] != "=":
        return "SymPy has no chains of inequalities"
    try:
        previous = statement[2]
        for step in steps:
            line = parse(step["line"].removeprefix("="))
            upper, lower = (line, previous) if step.get("reverse") else (previous, line)
            _follow_step(step["rule"], step.get("args", {}), upper, lower, env)
            previous = line
        _agree(previous, statement[3], env)
    except CannotFollow as error:
        return str(error)
    return FOLLOWS


def _follow_step(rule: str, args: Mapping[str, str], before: Tree, after: Tree, env: Env) -> None:
    if rule == "reindex":
        [(name, to)] = args.items()
        before = _reindex(before, name, parse(to), env)
    if rule != "given":
        _agree(before, after, env)
        return
    equation = parse(args["hypothesis"])
    for place in args["at"].split(";") if "at" in args else ():
        if _letters(parse(place)) - set(env):
            raise CannotFollow("SymPy does not use a hypothesis under an integral sign")
        equation = _replace(equation[2], equation[1][0], parse(place))
    translate = _Translator(env)
    left, right = (translate(side, {}) for side in equation[2:])
    if sympy.expand(translate(before, {}).subs(left, right) - translate(after, {})) != 0:
        raise CannotFollow(f"SymPy does not find {args['hypothesis']} in the line before")


def _reindex(tree: Tree, name: str, to: Tree, env: Env) -> Tree:
    """Returns the tree with the sum over `name` substituted, after SymPy's view of the slope."""
    if tree[0] == "S" and tree[1][0] == name:
        [new] = {node for node in _letters(to) if node not in env}
        symbol = sympy.Symbol(new, real=True)
        image = _Translator(env)(to, {new: symbol})
        slope = sympy.diff(image, symbol)
        if not slope.is_number or slope == 0 or (abs(slope) != 1 and tree[1][1] != "R"):
            raise CannotFollow(f"{name} = {image} is no bijection")
        scale = ("num", abs(slope))
        return ("S", (new, tree[1][1]), ("mul", "", scale, _replace(tree[2], name, to)))
    inner = opened(tree, env)
    return (*tree[:2], *(_reindex(kid, name, to, inner) for kid in tree[2:]))


def _letters(tree: Tree) -> set[str]:
    return {tree[1]} if tree[0] == "var" else set().union(*map(_letters, tree[2:]))


def _replace(tree: Tree, name: str, value: Tree) -> Tree:
    if tree == ("var", name):
        return value
    return (*tree[:2], *(_replace(kid, name, value) for kid in tree[2:]))


def _agree(left: Tree, right: Tree, env: Env) -> None:
    translate = _Translator(env)
    a, b = translate(left, {}), translate(right, {})
    difference = sympy.expand(sympy.expand_log(sympy.expand(a - b)))
    if difference != 0:
        difference = sympy.expand(sympy.powsimp(difference, deep=True))
    if difference != 0:
        difference = sympy.simplify(difference)
    if difference != 0:
        raise CannotFollow(f"SymPy leaves {str(difference)[:120]}")


class _Translator:
    """Trees to SymPy, sums in a canonical form: expanded, scalars outside, indices renamed."""

    def __init__(self, env: Env) -> None:
        self.env = env

    def __call__(self, tree: Tree, scope: Mapping[str, Any]) -> Any:
        head, label, kids = tree[0], tree[1], tree[2:]
        if head in ("S", "L"):
            return self.sum(tree, scope)
        if head == "num":
            return sympy.Rational(label)
        if head == "var":
            values = self.env.get(label, ((), ""))[1]
            return scope.get(
                label, sympy.Symbol(label, real=True, positive=values == "K>0" or None)
            )
        if head in ("M", "fdiv", "gap", "max", "min"):
            raise CannotFollow(f"SymPy has no usable {head}")
        parts = [self(kid, scope) for kid in kids]
        if head == "app":
            return self.function(label, parts)
        if head == "diff":
            raise CannotFollow("SymPy does not differentiate by a value of a sequence")
        if head == "delta":
            first, second = sorted(parts, key=str)
            return sympy.KroneckerDelta(first, second)
        return {
            "add": lambda: parts[0] + parts[1],
            "neg": lambda: -parts[0],
            "mul": lambda: parts[0] * parts[1],
            "inv": lambda: 1 / parts[0],
            "log": lambda: sympy.expand_log(sympy.log(parts[0])),
            "exp": lambda: sympy.exp(parts[0]),
        }[head]()

    def function(self, name: str, parts: list[Any]) -> Any:
        values = self.env[name][1]
        if values == "char":
            frequency = sympy.Symbol(f"omega_{name}", real=True)
            return sympy.exp(sympy.expand(sympy.I * frequency * parts[0]))
        known = {"positive": True} if values == "K>0" else {"real": True}
        return sympy.Function(name, **known)(*(sympy.expand(part) for part in parts))

    def sum(self, tree: Tree, scope: Mapping[str, Any]) -> Any:
        """Returns a canonical sum: one that other orders and names of indices also lead to."""
        name, domain = tree[1][:2]
        index = sympy.Dummy(name, real=True)
        inner = {**scope, name: index}
        translate = _Translator(opened(tree, self.env))
        body = translate(tree[-1], inner)
        if tree[0] == "L":
            body = -body * sympy.diff(translate(tree[2], inner), index)
        body = sympy.expand(sympy.expand_log(sympy.expand(body)))
        return sympy.Add(*(self.term(part, index, domain) for part in sympy.Add.make_args(body)))

    def term(self, summand: Any, index: Any, domain: str) -> Any:
        """Returns the sum of one product: what is free of the indices outside, deltas sifted."""
        outside, body, ranges = sympy.Integer(1), sympy.Integer(1), [(index, domain)]
        for part in sympy.Mul.make_args(summand):
            if not part.has(index):
                outside *= part
            elif isinstance(part, _Total):
                fresh = [(sympy.Dummy(real=True), str(name)) for name in part.args[2::2]]
                new = dict(zip(part.args[1::2], (dummy for dummy, _ in fresh), strict=True))
                body *= part.args[0].subs(new, simultaneous=True)
                ranges += fresh
            else:
                body *= part
        body, ranges = _sift(body, ranges)
        indices = {name for name, _ in ranges}
        free = [part for part in sympy.Mul.make_args(body) if not part.has(*indices or {index})]
        body = body / sympy.Mul(*free)
        total = _canonical(body, ranges) if ranges else body
        return sympy.expand_log(outside * sympy.Mul(*free) * total)


def _sift(body: Any, ranges: list[tuple[Any, str]]) -> tuple[Any, list[tuple[Any, str]]]:
    """Returns the product with each index that a delta fixes replaced by its one value."""
    for name, domain in ranges:
        for part in sympy.Mul.make_args(body) if domain not in ("G", "R") else ():
            if not isinstance(part, sympy.KroneckerDelta):
                continue
            equation = part.args[0] - part.args[1]
            slope = sympy.diff(equation, name)
            if slope in (1, -1):
                place = sympy.expand(-equation.subs(name, 0) / slope)
                rest = [pair for pair in ranges if pair[0] != name]
                return _sift(sympy.expand((body / part).subs(name, place)), rest)
    return body, ranges


class _Total(sympy.Function):
    """The sum of its first argument over the indices that follow, each with its domain."""

    def _eval_is_positive(self) -> bool | None:
        finite = not any(str(domain) in NOT_SETS for domain in self.args[2::2])
        return True if finite and self.args[0].is_positive else None

    def _eval_is_extended_real(self) -> bool | None:
        return self.args[0].is_extended_real


def _canonical(body: Any, ranges: list[tuple[Any, str]]) -> Any:
    """Returns a sum with indices named by their order in the printed body."""
    ordered = sorted(ranges, key=lambda pair: (pair[1], _shape(body, pair[0])))
    names = [sympy.Symbol(f"#{at}", real=True) for at in range(1, len(ordered) + 1)]
    renamed = body.subs(
        {index: name for (index, _), name in zip(ordered, names, strict=True)}, simultaneous=True
    )
    arguments = zip(names, (sympy.Symbol(domain) for _, domain in ordered), strict=True)
    return _Total(renamed, *(part for pair in arguments for part in pair))


def _shape(body: Any, index: Any) -> str:
    """Returns how an index occurs, whatever its name: the order of indices must not hang on it."""
    marked = body.subs(index, sympy.Symbol("@"))
    others = {s: sympy.Symbol("?") for s in marked.atoms(sympy.Dummy)}
    return str(marked.subs(others))


if __name__ == "__main__":
    answer(follow)
