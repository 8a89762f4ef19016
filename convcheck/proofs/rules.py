"""The rules of a chain: each rewrites a line, and names what it needs. Standard library only.

A rule takes a node S(u, ...) of the line before and returns what may stand in its place. What it
needs beyond that (that sums converge, that they may change places) is an obligation: it must be
among the hypotheses, or hold because only finitely many terms differ from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

from convcheck.proofs.normal import Poly, freeze, linear, normal, variables
from convcheck.proofs.terms import (
    DISCRETE,
    NOT_SETS,
    Env,
    Refusal,
    Tree,
    expect,
    names,
    opened,
    parse,
    show,
    sort_of,
    substitute,
)

INFINITE = {"G", "D", "R", "Z"}


class Context:
    """The hypotheses of one theorem, and those that its derivation has used so far."""

    def __init__(self, env: Env, hypotheses: dict[str, Tree]) -> None:
        self.env, self.used, self.hypotheses = env, set[str](), hypotheses
        self.known = {_key(tree, env): text for text, tree in hypotheses.items()}
        self.finite = {tree[1]: text for text, tree in hypotheses.items() if tree[0] == "finite"}

    def oblige(self, kind: str, term: Tree, env: Env) -> None:
        """Refuses unless `kind(term)` is a hypothesis or only finitely many terms are nonzero."""
        inner, endless, body = env, dict[str, str](), term
        while body[0] == "S":
            if body[1][1] in INFINITE:
                endless[body[1][0]] = body[1][1]
            inner, body = opened(body, inner), body[2]
        if all(self._is_finite(mono, endless) for mono in normal(body, inner)):
            return
        statement: Tree = (kind, "", term)
        for name in [n for n in env if n not in self.env][::-1]:
            statement = ("all", (name, env[name][1]), statement)
        text = self.known.get(_key(statement, self.env))
        if text is None:
            raise Refusal(f"needs the hypothesis {kind}({show(term)})")
        self.used.add(text)

    def _is_finite(self, summand: Any, endless: dict[str, str]) -> bool:
        """Whether factors of finite support bound each variable in turn to finitely many values."""
        left, before = set(endless), -1
        while left and len(left) != before:
            before = len(left)
            for factor, _ in summand:
                inside = left & set(variables(factor))
                bounds = factor[0] == "delta" or (factor[0] == "app" and factor[1] in self.finite)
                if not bounds or len(inside) != 1:
                    continue
                [name] = inside
                if any(_is_injective(dict(arg), name, endless[name]) for arg in factor[2:]):
                    left -= inside
                    self.used |= {self.finite.get(factor[1], "")} - {""}
        return not left


def _is_injective(p: Poly, name: str, domain: str) -> bool:
    """Whether p determines `name`; in a group with torsion, 2 u = a may have many solutions."""
    try:
        slope = linear(p, name)[0]
    except Refusal:
        return False
    return abs(slope) == 1 or domain in ("Z", "R")


def _key(tree: Tree, env: Env) -> Any:
    """Returns a value that is equal for propositions that differ by normal forms only."""
    if tree[0] == "all":
        inner = opened(tree, env)
        name = f"_{len(inner)}"
        body = substitute(tree[2], tree[1][0], ("var", name))
        return ("all", tree[1][1], _key(body, {**env, name: ((), tree[1][1])}))
    if tree[0] == "finite":
        domains = env.get(tree[1], ((), ""))[0]
        if not domains or not set(domains) <= DISCRETE | {d for d in domains if d not in NOT_SETS}:
            raise Refusal(f"finite({tree[1]}) needs a function on a discrete domain")
        return tree
    if tree[0] not in ("rel", "exists", "summable", "termwise"):
        raise Refusal(f"a hypothesis cannot be {show(tree)}")
    sort = sort_of(tree[2], env) or (sort_of(tree[3], env) if tree[0] == "rel" else None) or "K"
    for kid in tree[2:]:
        expect(kid, sort, env)
    return (*tree[:2], *(freeze(normal(kid, env)) for kid in tree[2:]))


def _reindex(node: Tree, to: str, env: Env, context: Context) -> Tree:
    (name, domain), target = node[1], parse(to)
    new = names(target) - set(env)
    if len(new) != 1:
        raise Refusal("reindex needs exactly one new variable")
    fresh = new.pop()
    inner = {**env, fresh: ((), domain)}
    expect(target, domain, inner)
    scale = abs(linear(normal(target, inner), fresh)[0])
    if scale != 1 and domain != "R":
        raise Refusal(f"only {fresh} and -{fresh} run through all of {domain} once")
    body = substitute(node[2], name, target)
    return ("S", (fresh, domain), ("mul", "", ("num", scale), body))


def _swap(node: Tree, inner_name: str, env: Env, context: Context) -> Tree:
    factors = _factors(node[2])
    inner = [f for f in factors if f[0] == "S" and f[1][0] == inner_name]
    if len(inner) != 1 or sum(inner_name in names(f) for f in factors) != 1:
        raise Refusal(f"the sum over {inner_name} is not a factor inside")
    body = inner[0][2]
    for factor in factors:
        body = body if factor is inner[0] else ("mul", "", factor, body)
    if {node[1][1], inner[0][1][1]} & INFINITE:
        context.oblige("summable", ("S", node[1], ("S", inner[0][1], body)), env)
    return ("S", inner[0][1], ("S", node[1], body))


def _split(node: Tree, _: str, env: Env, context: Context) -> Tree:
    parts = [("S", node[1], part) for part in _summands(node[2])]
    for part in parts if node[1][1] in INFINITE and len(parts) > 1 else ():
        context.oblige("exists", part, env)
    return reduce(lambda whole, part: ("add", "", whole, part), parts)


def _sift(node: Tree, _: str, env: Env, context: Context) -> Tree:
    (name, domain), inner = node[1], opened(node, env)
    if domain in NOT_SETS - DISCRETE:
        raise Refusal(f"sift needs a sum over a discrete domain, not {domain}")
    factors = _factors(node[2])
    deltas = [f for f in factors if f[0] == "delta" and name in names(f)]
    if not deltas:
        raise Refusal(f"there is no factor delta in {name}")
    left, right = deltas[0][2:]
    if left == ("var", name) or right == ("var", name):
        value = right if left == ("var", name) else left
    else:
        difference = ("add", "", left, ("neg", "", right))
        slope = linear(normal(difference, inner), name)[0] if domain in NOT_SETS else 0
        if abs(slope) != 1:
            raise Refusal(f"this delta does not fix {name}")
        value = substitute(difference, name, ("num", Fraction(0)))
        value = ("neg", "", value) if slope == 1 else value
    expect(value, domain, env)
    rest = [substitute(f, name, value) for f in factors if f is not deltas[0]]
    return reduce(lambda whole, factor: ("mul", "", whole, factor), rest, ("num", Fraction(1)))


def _factors(tree: Tree) -> list[Tree]:
    if tree[0] == "mul":
        return _factors(tree[2]) + _factors(tree[3])
    return [("num", Fraction(-1)), *_factors(tree[2])] if tree[0] == "neg" else [tree]


def _summands(tree: Tree) -> list[Tree]:
    if tree[0] == "add":
        return _summands(tree[2]) + _summands(tree[3])
    if tree[0] == "neg":
        return [("neg", "", part) for part in _summands(tree[2])]
    if tree[0] == "mul":
        return [("mul", "", a, b) for a in _summands(tree[2]) for b in _summands(tree[3])]
    return [tree]


def _derivative(tree: Tree, by: Tree, env: Env, context: Context) -> Tree:
    """Returns diff(tree, by), worked out; `by` is a scalar or a value w(j) of a function."""
    head, kids = tree[0], tree[2:]
    if by[1] not in names(tree):
        return ("num", Fraction(0))
    if head in ("var", "app") and tree[1] == by[1]:
        deltas = [("delta", "", a, b) for a, b in zip(kids, by[2:], strict=True)]
        return reduce(lambda p, q: ("mul", "", p, q), deltas, ("num", Fraction(1)))
    if head not in ("add", "neg", "mul", "inv", "pow", "log", "exp", "S"):
        raise Refusal(f"differentiate does not go through {head}")
    inner = opened(tree, env)
    parts = [_derivative(kid, by, inner, context) for kid in kids]
    if head == "S":
        if tree[1][1] in INFINITE:
            context.oblige("exists", tree, env)
            context.oblige("termwise", ("S", tree[1], parts[0]), env)
        return (*tree[:2], parts[0])
    if head in ("add", "neg"):
        return (*tree[:2], *parts)
    if head == "mul":
        left, right = ("mul", "", parts[0], kids[1]), ("mul", "", kids[0], parts[1])
        return ("add", "", left, right)
    if head == "pow":
        outer: Tree = ("mul", "", ("num", Fraction(tree[1])), ("pow", max(tree[1] - 1, 0), kids[0]))
    else:
        square = ("neg", "", ("pow", 2, tree))
        outer = {"log": ("inv", "", kids[0]), "exp": tree, "inv": square}[head]
    return ("mul", "", outer, parts[0])


BINDER_RULES = {"reindex": _reindex, "swap": _swap, "split": _split, "sift": _sift}


def _rewrite(tree: Tree, env: Env, change: Callable[[Tree, Env], Tree | None]) -> tuple[Tree, int]:
    """Returns the tree with `change` made wherever it applies (not inside diff), and how often."""
    new = change(tree, env)
    if new is not None:
        return new, 1
    if tree[0] == "diff":
        return tree, 0
    done = [_rewrite(kid, opened(tree, env), change) for kid in tree[2:]]
    return (*tree[:2], *(kid for kid, _ in done)), sum(hits for _, hits in done)


def apply_rule(rule: str, args: dict[str, str], tree: Tree, context: Context) -> Tree:
    """Returns what one rule makes of a line."""
    if rule in BINDER_RULES and len(args) == 1:
        [(name, argument)] = args.items()
        if argument and rule in ("sift", "split"):
            raise Refusal(f"{rule} takes nothing but the name of a variable")

        def change(node: Tree, env: Env) -> Tree | None:
            if node[0] != "S" or node[1][0] != name:
                return None
            return BINDER_RULES[rule](node, argument, env, context)

    elif rule == "differentiate" and not args:

        def change(node: Tree, env: Env) -> Tree | None:
            if node[0] != "diff":
                return None
            return _derivative(node[2], node[3], env, context)

    elif rule == "given" and set(args) <= {"hypothesis", "at"}:
        known = context.hypotheses.get(args.get("hypothesis", ""))
        points = [parse(at) for at in args["at"].split(";")] if "at" in args else []
        if known is None:
            raise Refusal("given needs one of the hypotheses")
        context.used.add(args["hypothesis"])
        shown = {name for point in points for name in names(point)}

        def change(node: Tree, env: Env) -> Tree | None:
            relation = known
            for point in points:
                if relation[0] != "all" or names(point) - set(env):
                    return None
                expect(point, relation[1][1], env)
                relation = substitute(relation[2], relation[1][0], point)
            if relation[:2] != ("rel", "="):
                raise Refusal("given needs an equation; say `at` what it is used")
            if names(relation) & (set(env) - set(context.env) - shown):
                return None
            if node[0] in ("var", "num") or sort_of(node, env) not in ("K", "Z"):
                return None
            same = normal(relation[2], env) == normal(node, env)
            return relation[3] if same else None

    elif rule == "ring" and not args:
        return tree
    else:
        raise Refusal(f"there is no rule {rule!r} with these arguments")
    new, hits = _rewrite(tree, context.env, change)
    if hits == 0 or (hits > 1 and rule in BINDER_RULES):
        raise Refusal(f"{rule} applies at {hits} places of the line before")
    return new
