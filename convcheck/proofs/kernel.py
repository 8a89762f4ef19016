"""The kernel: re-checks a derivation, line by line. Trusted, with `terms.py` and `normal.py`.

Nothing but the standard library is imported, and nothing stored is believed: no verdict, no normal
form. A theorem is a mapping of JSON values:

    {"name": ..., "vars": {"f": "G->K", "t": "G"}, "hyps": [...], "statement": "lhs = rhs",
     "proof": {"chain": [{"rule": "reindex", "args": {"s": "t-u"}, "line": "= ..."}, ...]}}

Every step carries its resulting line; the kernel recomputes it and compares normal forms. What a
rule needs beyond algebra (that a sum converges, that two sums may change places) is an obligation:
it must be among the hypotheses, or hold because only finitely many terms differ from 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from convcheck.proofs.normal import (
    Poly,
    freeze,
    is_nonnegative,
    normal,
    number,
    plus,
    shape,
    slope,
    times,
)
from convcheck.proofs.terms import (
    DISCRETE,
    INFINITE,
    NOT_SETS,
    UNIT,
    ZERO,
    Env,
    Refusal,
    Tree,
    declare,
    derivative,
    expect,
    expect_hypothesis,
    names,
    opened,
    parse,
    sort_of,
    substitute,
    walk,
)

REAL = {"log", "exp", "gap", "max", "M"}


@dataclass
class Context:
    """The names of a theorem, its hypotheses by their text, and those used so far."""

    env: Env
    hypotheses: dict[str, Tree]
    used: set[str] = field(default_factory=set)


def _oblige(kind: str, term: Tree, env: Env, context: Context) -> None:
    """Refuses unless `kind(term)` is a hypothesis, or deltas leave finitely many terms."""
    domains, body = shape(term, env)
    endless = [f"_{at}" for at, domain in enumerate(domains) if domain in INFINITE]
    if len(endless) < 2 and all(_is_bounded(mono, *endless) for mono in body):
        return
    for text, known in context.hypotheses.items():
        if known[0] == kind and shape(known[2], context.env) == (domains, body):
            context.used.add(text)
            return
    raise Refusal("needs the hypothesis", (kind, "", term))


def _is_bounded(mono: Any, index: str = "") -> bool:
    """Whether a factor delta leaves one value of the index."""
    deltas = [dict(next(iter(atom[2]))) for atom, _ in mono if atom[0] == "delta"]
    return not index or any(abs(slope(p, index)) == 1 for p in deltas)


def _reindex(node: Tree, to: Tree, env: Env, _: Context) -> Tree:
    """S(s,D,f(s)) = S(u,D,f(t-u)); on R also |c| S(u,R,f(c u))."""
    (name, domain), new = node[1], names(to) - set(env)
    if len(new) != 1:
        raise Refusal("reindex needs exactly one new variable")
    fresh = new.pop()
    inner = {**env, fresh: ((), domain)}
    expect(to, domain, inner)
    scale = abs(slope(normal(to, inner), fresh))
    if scale != 1 and (domain != "R" or not scale):
        raise Refusal(f"only {fresh} and -{fresh} run through all of {domain} once")
    return ("S", (fresh, domain), ("mul", "", ("num", scale), substitute(node[2], name, to)))


def _swap(node: Tree, with_: Tree, env: Env, context: Context) -> Tree:
    """S(a,A,S(b,B,h(a,b))) = S(b,B,S(a,A,h(a,b)))."""
    inner = node[2]
    if inner[0] != "S" or with_ != ("var", inner[1][0]):
        raise Refusal("swap needs a sum directly inside a sum; take factors inside first")
    if {node[1][1], inner[1][1]} & INFINITE:
        _oblige("summable", node, env, context)
    return ("S", inner[1], ("S", node[1], inner[2]))


def _split(node: Tree, _: Tree, env: Env, context: Context) -> Tree:
    """S(u,D,a+b) = S(u,D,a) + S(u,D,b)."""
    if node[2][0] != "add":
        raise Refusal("split needs a sum of terms inside the sum; multiply out first")
    parts = [("S", node[1], part) for part in node[2][2:]]
    for part in parts if node[1][1] in INFINITE else ():
        _oblige("exists", part, env, context)
    return ("add", "", *parts)


def _sift(node: Tree, at: Tree, env: Env, _: Context) -> Tree:
    """S(u,D,delta(u,a)*f(u)) = f(a): times delta(u,a), the body must be what it is."""
    (name, domain), body = node[1], node[2]
    if domain in NOT_SETS - DISCRETE:
        raise Refusal(f"sift needs a sum over a discrete domain, not {domain}")
    expect(at, domain, env)
    inner = opened(node, env)
    if normal(("mul", "", ("delta", "", ("var", name), at), body), inner) != normal(body, inner):
        raise Refusal(f"there is no factor delta that leaves this value of {name} only")
    return substitute(body, name, at)


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


def _apply(rule: str, args: dict[str, str], tree: Tree, context: Context) -> Tree:
    """Returns what one rule makes of a line."""
    if rule == "ring" and not args:
        return tree
    if rule in BINDER_RULES and len(args) == 1:
        [(name, text)] = args.items()
        argument = parse(text) if text or rule != "split" else ZERO

        def change(node: Tree, env: Env) -> Tree | None:
            if node[0] != "S" or node[1][0] != name:
                return None
            return BINDER_RULES[rule](node, argument, env, context)

    elif rule == "differentiate" and not args:

        def change(node: Tree, env: Env) -> Tree | None:
            return derivative(node[2], node[3], env) if node[0] == "diff" else None

    elif rule == "given" and set(args) <= {"hypothesis", "at"}:
        text = args.get("hypothesis", "")
        points = [parse(at) for at in args["at"].split(";")] if "at" in args else []
        context.used.add(text)

        def change(node: Tree, env: Env) -> Tree | None:
            relation = context.hypotheses.get(text, ZERO)
            for point in points:
                if relation[0] != "all" or names(point) - set(env):
                    return None
                expect(point, relation[1][1], env)
                relation = substitute(relation[2], relation[1][0], point)
            if relation[:2] != ("rel", "="):
                raise Refusal("given needs an equation among the hypotheses, and at what it holds")
            if node[0] in ("var", "num") or sort_of(node, env) not in ("K", "Z"):
                return None
            if any(isinstance(part[1], tuple) and part[1][0] in env for part in walk(relation)):
                return None
            return relation[3] if normal(relation[2], env) == normal(node, env) else None

    else:
        raise Refusal(f"there is no rule {rule!r} with these arguments")
    new, hits = _rewrite(tree, context.env, change)
    if hits == 0 or (hits > 1 and rule in BINDER_RULES):
        raise Refusal(f"{rule} applies at {hits} places of the line before")
    return new


# Proofs.


def _follow(step: Any, before: Tree, sort: str, context: Context) -> tuple[str, Tree]:
    """Returns the relation of a line to the line before, and the line."""
    env, line, rule, args = context.env, step["line"], step.get("rule"), step.get("args", {})
    if not isinstance(args, dict) or any(type(x) is not str for p in args.items() for x in p):
        raise Refusal("arguments are texts")
    relation = "<=" if line.startswith("<=") else "="
    target = parse(line.removeprefix(relation))
    expect(target, sort, env)
    if rule == "increase" and set(args) == {"by"}:
        by = parse(args["by"])
        expect(by, "K", env)
        if relation != "<=" or not is_nonnegative(by, env):
            raise Refusal("increase adds a term that is >= 0 by its form, and says <=")
        made, wanted = ("add", "", before, by), target
    elif relation != "=":
        raise Refusal("only increase may say <=")
    else:
        source, wanted = (target, before) if step.get("reverse") is True else (before, target)
        made = _apply(str(rule), args, source, context)
        expect(made, sort, env)
    if normal(made, env) != normal(wanted, env):
        raise Refusal("the line does not follow from the line before")
    return relation, target


def _chain(steps: Any, statement: Tree, context: Context) -> None:
    """Refuses a chain of lines of which one does not follow."""
    if statement[0] != "rel" or statement[1] not in ("=", "<=") or not isinstance(steps, list):
        raise Refusal("a chain proves `left = right` or `left <= right`")
    env, (before, right) = context.env, statement[2:]
    sort = sort_of(before, env) or sort_of(right, env) or "K"
    expect(before, sort, env)
    expect(right, sort, env)
    for step in steps:
        if not isinstance(step, dict) or not isinstance(step.get("line"), str):
            raise Refusal("a step has a line and a rule, and may have args, reverse and says")
        try:
            relation, before = _follow(step, before, sort, context)
            if relation == "<=" and statement[1] == "=":
                raise Refusal("the statement is an equation, this line an inequality")
        except Refusal as error:
            error.line = step["line"][:300]
            raise
    if normal(before, env) != normal(right, env):
        raise Refusal("the last line is not the right-hand side", before)


def _induction(proof: Any, statement: Tree, context: Context) -> None:
    """Refuses unless the statement holds at 0 and passes from n to n + 1.

    `over` is n; the hypothesis of induction, named IH, holds for all values of the variables in
    `general` at once.
    """
    if not isinstance(proof, dict) or set(proof) != {"over", "general", "base", "step"}:
        raise Refusal("an induction has over, general, base and step")
    over, general, env = proof["over"], proof["general"], context.env
    if not isinstance(general, list) or any(type(name) is not str for name in [over, *general]):
        raise Refusal("over is a name, general a list of names")
    free = set().union(*map(names, context.hypotheses.values()))
    if env.get(over) != ((), "N") or {over, *general} & free or over in general:
        raise Refusal(f"{over} must be a natural number, and free in no hypothesis")
    hypothesis = statement
    for name in general:
        if env.get(name, (("",), ""))[0]:
            raise Refusal(f"{name} is not a variable")
        hypothesis = substitute(hypothesis, name, ("var", f"_{name}"))
        hypothesis = ("all", (f"_{name}", env[name][1]), hypothesis)
    _chain(proof["base"], substitute(statement, over, ZERO), context)
    inner = Context(env, {**context.hypotheses, "IH": hypothesis}, context.used)
    _chain(proof["step"], substitute(statement, over, ("add", "", ("var", over), UNIT)), inner)


def at_least_zero(relation: Tree, env: Env) -> list[Poly]:
    """Returns polynomials that are all >= 0 exactly where the relation of integers holds."""
    operator, left, right = relation[1:]
    expect(left, "Z", env)
    expect(right, "Z", env)
    up = plus(normal(left, env), normal(right, env), -1)
    down = plus({}, up, -1)
    whole = {">=": [up], "<=": [down], "=": [up, down]}
    return whole.get(operator) or [plus(up if operator == ">" else down, number(1), -1)]


def list_cases(statement: Tree, context: Context) -> list[list[tuple[str, Poly]]]:
    """Returns the cases in which a statement about integers would fail: the facts of each.

    A fact is (its hypothesis or "", a polynomial >= 0). `count(j, conditions) = n` fails where a j
    that fits is not in 0 .. n - 1, where a j in 0 .. n - 1 does not fit, or where n < 0. A floor
    division q = a // b is known by 0 <= a - b q <= b - 1; that b >= 1 is a case of its own, in
    which nothing is known of divisions. A maximum is at least both terms, and equal to one.
    """
    if statement[0] != "rel":
        raise Refusal("the statement must be a relation")
    left, right = statement[2:]
    env = opened(left, context.env) if left[0] == "count" else context.env
    goals: list[tuple[tuple[Tree, ...], tuple[Tree, ...]]] = [((), (statement,))]
    if left[0] == "count":
        fits, here = left[2:], ("var", left[1][0])
        if statement[1] != "=" or any(c[0] != "rel" or c[1] == "=" for c in fits):
            raise Refusal("counting is written count(j, inequalities) = n")
        expect(right, "Z", context.env)
        inside = (("rel", ">=", here, ZERO), ("rel", "<", here, right))
        goals = [(fits, inside), (inside, fits), ((), (("rel", ">=", right, ZERO),))]
    integer = {
        text: tree for text, tree in context.hypotheses.items()
        if tree[0] == "rel" and "Z" in (sort_of(tree[2], env), sort_of(tree[3], env))
    }  # fmt: skip
    known = [(text, p) for text, tree in integer.items() for p in at_least_zero(tree, env)]
    nodes = {
        freeze(normal(node, env)): node for tree in (statement, *integer.values())
        for node in walk(tree) if node[0] in ("fdiv", "max")
    }  # fmt: skip
    defined, divisors = [], []
    for node in nodes.values():
        a, b, q = (normal(tree, env) for tree in (*node[2:], node))
        if node[0] == "max":
            above = [plus(q, a, -1), plus(q, b, -1)]
            defined += [*above, plus({}, times(*above), -1)]
        else:
            rest = plus(a, times(b, q), -1)
            defined += [rest, plus(plus(b, number(1), -1), rest, -1)]
            divisors.append([("", plus({}, b, -1)), *known])
    cases = []
    for assumed, wanted in goals:
        facts = [*(p for tree in assumed for p in at_least_zero(tree, env))]
        for goal in wanted:
            for p in at_least_zero(goal, env):
                negated = plus(plus({}, p, -1), number(1), -1)
                mine = [("", fact) for fact in (negated, *facts)]
                cases.append([*mine, *known, *(("", fact) for fact in defined)])
    return cases + divisors


def _combine(combinations: Any, statement: Tree, context: Context) -> None:
    """Refuses unless in every case -1 = sum of weight * product of facts, with weights >= 0.

    Each fact is >= 0 in its case, and so would -1 be: no case is possible.
    """
    cases = list_cases(statement, context)
    if not isinstance(combinations, list) or len(combinations) != len(cases):
        raise Refusal(f"the statement has {len(cases)} cases, each with its combination")
    for combination, facts in zip(combinations, cases, strict=True):
        if not isinstance(combination, list) or len(combination) > 80:
            raise Refusal("a combination is a list of at most 80 products")
        total: Poly = {}
        for term in combination:
            weight, indices = _read_product(term, len(facts))
            product = number(1)
            for index in indices:
                product = times(product, facts[index][1])
                context.used.add(facts[index][0])
            total = plus(total, product, weight)
        if total != number(-1):
            raise Refusal(f"the combination is not -1: {str(combination)[:300]}")


def _read_product(term: Any, facts: int) -> tuple[Fraction, list[int]]:
    """Returns the weight and the facts of a product `[weight, [numbers of facts]]`."""
    if isinstance(term, list) and len(term) == 2 and isinstance(term[1], list):
        whole = all(type(index) is int and 0 <= index < facts for index in term[1])
        match = re.fullmatch(r"(\d{1,30})(?:/([1-9]\d{0,30}))?", str(term[0])[:80], re.ASCII)
        if whole and len(term[1]) < 6 and match and type(term[0]) in (int, str):
            return Fraction(int(match[1]), int(match[2] or 1)), term[1]
    raise Refusal("a product is [weight >= 0, [numbers of facts]]")


PROOFS = {"chain": _chain, "nonnegative": _combine, "induction": _induction}


def read(theorem: object) -> Context:
    """Returns the names and hypotheses of a theorem."""
    texts = theorem.get("hyps", []) if isinstance(theorem, dict) else None
    if not isinstance(theorem, dict) or not isinstance(texts, list) or len(texts) > 30:
        raise Refusal("a theorem is a mapping, its hypotheses a list of at most 30")
    env = declare(theorem.get("vars", {}))
    context = Context(env, {text: parse(text) for text in texts})
    for tree in context.hypotheses.values():
        expect_hypothesis(tree, env)
    trees = [parse(theorem.get("statement")), *context.hypotheses.values()]
    nodes = [node for tree in trees for node in walk(tree)]
    ordered = any(node[0] in REAL or (node[0] == "rel" and node[1] != "=") for node in nodes)
    if ordered and any(values == "char" for _, values in env.values()):
        raise Refusal("order, log and exp are for real numbers; a character has complex values")
    return context


def check(theorem: object) -> Context:
    """Returns the context of a theorem whose derivation follows, with the hypotheses it used.

    Args:
        theorem: JSON values as in the module's docstring; anything at all may be passed.

    Raises:
        Refusal: It is malformed, or a line does not follow.
    """
    context = read(theorem)
    fields: Any = theorem
    proof = fields.get("proof")
    if not isinstance(proof, dict) or len(proof) != 1 or set(proof) - set(PROOFS):
        raise Refusal("a proof is one of " + ", ".join(PROOFS))
    [(kind, body)] = proof.items()
    try:
        PROOFS[kind](body, parse(fields["statement"]), context)
    except RecursionError:
        raise Refusal("the derivation nests too deep") from None
    return context
