"""SymPy as a second engine: the same derivation, by another program's algebra.

Each line becomes a SymPy expression. `reindex` substitutes an affine map whose slope is checked to
be a nonzero number (SymPy's own `transform` accepts maps that are no bijections); a hypothesis is
used where SymPy finds one of its sides; the other rules are left to SymPy's expansion, logarithms
of positive functions, derivatives, and sums over KroneckerDelta. An induction is its base and its
step, a combination is multiplied out. What SymPy has no word for is said, never passed over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import sympy

from convcheck.proofs.asking import FOLLOWS, answer
from convcheck.proofs.sympy_integers import CannotFollow, multiply_out
from convcheck.proofs.terms import NOT_SETS, Env, Tree, declare, opened, parse


def follow(fields: Mapping[str, Any]) -> str:
    """Returns `FOLLOWS` where SymPy follows every line of a certificate, else why it cannot."""
    [(kind, proof)] = fields["proof"].items()
    env, statement = declare(dict(fields["vars"])), parse(fields["statement"])
    hypotheses = {text: parse(text) for text in fields["hyps"]}
    try:
        if kind == "nonnegative":
            multiply_out(proof, statement, hypotheses)
        elif kind == "chain":
            _follow_chain(proof, statement, hypotheses, env)
        else:
            _follow_induction(proof, statement, hypotheses, env)
    except CannotFollow as error:
        return str(error)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return f"SymPy fails: {type(error).__name__}"  # a derivation of another form than it tells
    return FOLLOWS


def _follow_chain(
    steps: Sequence[Any], statement: Tree, hypotheses: Mapping[str, Tree], env: Env
) -> None:
    previous = statement[2]
    for step in steps:
        relation = "<=" if step["line"].startswith("<=") else "="
        line = parse(step["line"].removeprefix(relation))
        upper, lower = (line, previous) if step.get("reverse") else (previous, line)
        rule, args = step["rule"], step.get("args", {})
        if relation == "<=" and (rule != "increase" or statement[1] != "<="):
            raise CannotFollow("an inequality where an equation is to be shown")
        if rule == "increase":
            by = parse(args["by"])
            _is_nonnegative(by, env)
            upper = ("add", "", upper, by)
        elif rule == "reindex":
            [(name, to)] = args.items()
            upper = _reindex(upper, name, parse(to), env)
        elif rule == "given":
            upper = _use(hypotheses[args["hypothesis"]], args.get("at", ""), upper, env)
        _agree(upper, lower, env)
        previous = line
    _agree(previous, statement[3], env)


def _follow_induction(
    proof: Mapping[str, Any], statement: Tree, hypotheses: Mapping[str, Tree], env: Env
) -> None:
    """Follows the base at 0, and the step to n + 1 with the statement at n as a hypothesis."""
    over, zero, one = proof["over"], ("num", 0), ("num", 1)
    assumed = statement
    for name in proof["general"]:
        assumed = ("all", (f"_{name}", ""), _replace(assumed, name, ("var", f"_{name}")))
    _follow_chain(proof["base"], _replace(statement, over, zero), hypotheses, env)
    after = _replace(statement, over, ("add", "", ("var", over), one))
    _follow_chain(proof["step"], after, {**hypotheses, "IH": assumed}, env)


def _use(equation: Tree, at: str, tree: Tree, env: Env) -> Tree:
    """Returns the tree with one side of a hypothesis for the other, wherever SymPy finds it."""
    for place in at.split(";") if at else ():
        equation = _replace(equation[2], equation[1][0], parse(place))
    if equation[0] != "rel":
        raise CannotFollow("a hypothesis is used without saying where")
    translate = _Translator(env)
    wanted, found = translate(equation[2], {}), []

    def change(node: Tree) -> Tree:
        if node[0] in ("app", "add", "mul", "S") and translate(node, {}) == wanted:
            found.append(node)
            return equation[3]
        if node[0] in ("num", "var", "diff"):
            return node
        return (*node[:2], *(change(kid) for kid in node[2:]))

    changed = change(tree)
    if not found:
        raise CannotFollow(f"SymPy does not find {wanted} in the line before")
    return changed


def _is_nonnegative(by: Tree, env: Env) -> None:
    """Refuses what is not a finite sum of positive weights times a - 1 - log a, for positive a."""
    while by[0] == "S" and by[1][1] not in NOT_SETS:
        env, by = opened(by, env), by[2]
    factors = [by]
    while any(part[0] == "mul" for part in factors):
        factors = [kid for part in factors for kid in (part[2:] if part[0] == "mul" else (part,))]
    translate, a = _Translator(env), sympy.Symbol("a", positive=True)
    gap = a - 1 - sympy.log(a)
    # Its slope vanishes at 1 only, where it is 0; it is convex.
    least = sympy.solve(sympy.diff(gap, a), a) == [1] and gap.subs(a, 1) == 0
    if not (least and sympy.diff(gap, a, 2).is_positive):
        raise CannotFollow("SymPy does not see that a - 1 - log a is never negative")
    for part in factors:
        inner = part[2] if part[0] == "gap" else part
        if not translate(inner, {}).is_positive:
            raise CannotFollow("SymPy does not see that what is added is never negative")


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
    declared = tuple(env.items())
    a, b = _translated(left, declared), _translated(right, declared)
    if a == b:
        return
    difference = sympy.expand(sympy.expand_log(sympy.expand(a - b)))
    if difference != 0:
        difference = sympy.expand(sympy.powsimp(difference, deep=True))
    if difference != 0:
        difference = sympy.simplify(difference)
    if difference != 0:
        raise CannotFollow(f"SymPy leaves {str(difference)[:120]}")


@lru_cache(maxsize=64)
def _translated(tree: Tree, declared: tuple[Any, ...]) -> Any:
    """Returns the SymPy form of a line; most lines are looked at twice."""
    return _Translator(dict(declared))(tree, {})


class _Translator:
    """Trees to SymPy, sums in a canonical form: expanded, scalars outside, indices renamed."""

    def __init__(self, env: Env, instead: Mapping[str, Any] | None = None) -> None:
        self.env, self.instead = env, instead or {}

    def __call__(self, tree: Tree, scope: Mapping[str, Any]) -> Any:
        head, label, kids = tree[0], tree[1], tree[2:]
        if head in ("S", "L"):
            return self.sum(tree, scope)
        if label in self.instead and head in ("var", "app"):
            return self.instead[label](tree, scope)
        if head == "num":
            return sympy.Rational(label)
        if head == "var":
            values = self.env.get(label, ((), ""))[1]
            return scope.get(
                label, sympy.Symbol(label, real=True, positive=values == "K>0" or None)
            )
        if head in ("M", "max"):
            raise CannotFollow("SymPy has no maximum over a set of symbolic size")
        if head == "diff":
            return self.derivative(tree, scope)
        parts = [self(kid, scope) for kid in kids]
        if head == "app":
            return self.function(label, parts)
        if head == "delta":
            first, second = sorted(parts, key=str)
            return sympy.KroneckerDelta(first, second)
        return {
            "add": lambda: parts[0] + parts[1],
            "neg": lambda: -parts[0],
            "mul": lambda: parts[0] * parts[1],
            "inv": lambda: 1 / parts[0],
            "log": lambda: sympy.expand_log(sympy.log(parts[0])),
            "gap": lambda: parts[0] - 1 - sympy.expand_log(sympy.log(parts[0])),
            "exp": lambda: sympy.exp(parts[0]),
        }[head]()

    def function(self, name: str, parts: list[Any]) -> Any:
        values = self.env[name][1]
        if values == "char":
            frequency = sympy.Symbol(f"omega_{name}", real=True)
            return sympy.exp(sympy.expand(sympy.I * frequency * parts[0]))
        known = {"positive": True} if values == "K>0" else {"real": True}
        return sympy.Function(name, **known)(*(sympy.expand(part) for part in parts))

    def derivative(self, tree: Tree, scope: Mapping[str, Any]) -> Any:
        """Returns the slope at 0 of the body with its value w(j) increased by a small number."""
        (_, name, *place), small = tree[3], sympy.Dummy("small", real=True)
        at = [self(kid, scope) for kid in place]

        def increased(node: Tree, inner: Mapping[str, Any]) -> Any:
            here = [self(kid, inner) for kid in node[2:]]
            deltas = (sympy.KroneckerDelta(*sorted(p, key=str)) for p in zip(here, at, strict=True))
            return _Translator(self.env)(node, inner) + small * sympy.Mul(*deltas)

        translate = _Translator(self.env, {name: increased})
        slope = sympy.diff(translate(tree[2], scope), small)
        return _collected(slope.subs(small, 0).doit())

    def sum(self, tree: Tree, scope: Mapping[str, Any]) -> Any:
        """Returns a canonical sum: one that other orders and names of indices also lead to."""
        name, domain = tree[1][:2]
        index = sympy.Dummy(name, real=True)
        inner = {**scope, name: index}
        translate = _Translator(opened(tree, self.env), self.instead)
        body = translate(tree[-1], inner)
        if tree[0] == "L":
            body = -body * sympy.diff(translate(tree[2], inner), index)
        return _summed(body, [(index, domain)])


def _summed(body: Any, ranges: list[tuple[Any, str]]) -> Any:
    """Returns the sum of an expression, term by term."""
    body = sympy.expand(sympy.expand_log(sympy.expand(body)))
    return sympy.Add(*(_term(part, ranges) for part in sympy.Add.make_args(body)))


def _collected(value: Any) -> Any:
    """Returns an expression with every sum in canonical form again."""
    if isinstance(value, _Total):
        fresh = [(sympy.Dummy(real=True), str(domain)) for domain in value.args[2::2]]
        new = dict(zip(value.args[1::2], (dummy for dummy, _ in fresh), strict=True))
        return _summed(_collected(value.args[0].xreplace(new)), fresh)
    return value.func(*map(_collected, value.args)) if value.args else value


def _term(summand: Any, ranges: list[tuple[Any, str]]) -> Any:
    """Returns the sum of one product: what is free of the indices outside, deltas sifted."""
    outside, body, indices = sympy.Integer(1), sympy.Integer(1), {name for name, _ in ranges}
    for part in sympy.Mul.make_args(summand):
        if not part.has(*indices):
            outside *= part
        elif isinstance(part, _Total):
            fresh = [(sympy.Dummy(real=True), str(name)) for name in part.args[2::2]]
            new = dict(zip(part.args[1::2], (dummy for dummy, _ in fresh), strict=True))
            body *= part.args[0].xreplace(new)
            ranges = [*ranges, *fresh]
        else:
            body *= part
    body, left = _sift(body, ranges)
    names = {name for name, _ in left}
    free = [part for part in sympy.Mul.make_args(body) if not names or not part.has(*names)]
    body = body / sympy.Mul(*free)
    total = _canonical(body, left) if left else body
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

    def _eval_derivative(self, by: Any) -> Any:
        ranges = zip(self.args[1::2], map(str, self.args[2::2]), strict=True)
        return _summed(sympy.diff(self.args[0], by), list(ranges))

    def _eval_is_positive(self) -> bool | None:
        finite = not any(str(domain) in NOT_SETS for domain in self.args[2::2])
        return True if finite and self.args[0].is_positive else None

    def _eval_is_extended_real(self) -> bool | None:
        return self.args[0].is_extended_real


def _canonical(body: Any, ranges: list[tuple[Any, str]]) -> Any:
    """Returns a sum with indices named by their order in the printed body."""
    ordered = ranges
    if len(ranges) > 1:
        ordered = sorted(ranges, key=lambda pair: (pair[1], _shape(body, pair[0])))
    names = [sympy.Symbol(f"#{at}", real=True) for at in range(1, len(ordered) + 1)]
    renamed = body.xreplace({index: name for (index, _), name in zip(ordered, names, strict=True)})
    arguments = zip(names, (sympy.Symbol(domain) for _, domain in ordered), strict=True)
    return _Total(renamed, *(part for pair in arguments for part in pair))


def _shape(body: Any, index: Any) -> str:
    """Returns how an index occurs, whatever its name: the order of indices must not hang on it."""
    others = {dummy: sympy.Symbol("?") for dummy in body.atoms(sympy.Dummy)}
    return str(body.xreplace({**others, index: sympy.Symbol("@")}))


if __name__ == "__main__":
    answer(follow)
