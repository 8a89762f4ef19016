"""The kernel: re-checks a derivation, line by line. Standard library only.

A theorem is a mapping of plain JSON values:

    {"name": ..., "vars": {"f": "G->K", "t": "G"}, "hyps": [...], "statement": "lhs = rhs",
     "proof": {"chain": [{"rule": "reindex", "args": {"s": "t-u"}, "line": "= ..."}, ...]}}

Every step carries its resulting line; the kernel recomputes it. A rule returns the new term and
its obligations, and each obligation must be among the hypotheses (or hold because only finitely
many terms differ from 0). Nothing stored is believed: no verdict, no comment, no normal form.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

from convcheck.proofs.integers import check_combinations
from convcheck.proofs.normal import (
    Poly,
    freeze,
    is_positive,
    linear,
    normal,
    plus,
    variables,
)
from convcheck.proofs.terms import (
    DISCRETE,
    NOT_SETS,
    Env,
    Refusal,
    Tree,
    declare,
    expect,
    names,
    opened,
    parse,
    show,
    sort_of,
    substitute,
    walk,
)
from convcheck.proofs.verdicts import Open, Proved

INFINITE = {"G", "D", "R", "Z"}


class Context:
    """The hypotheses of one theorem, and those that its derivation has used so far."""

    def __init__(self, env: Env, hypotheses: dict[str, Tree]) -> None:
        self.env, self.used, self.hypotheses = env, set[str](), hypotheses
        self.known = {_key(tree, env): text for text, tree in hypotheses.items()}
        self.finite = {tree[1]: text for text, tree in hypotheses.items() if tree[0] == "finite"}

    def oblige(self, kind: str, term: Tree, env: Env) -> None:
        """Refuses unless `kind(term)` is a hypothesis or only finitely many terms are nonzero."""
        term_env, binders, body = env, [], term
        while body[0] == "S":
            if body[1][1] in INFINITE:
                binders.append(body[1][0])
            term_env, body = opened(body, term_env), body[2]
        if self._few(binders, normal(body, term_env)):
            return
        statement: Tree = (kind, "", term)
        for name in [n for n in env if n not in self.env][::-1]:
            statement = ("all", (name, env[name][1]), statement)
        text = self.known.get(_key(statement, self.env))
        if text is None:
            raise Refusal(f"needs the hypothesis {kind}({show(term)})")
        self.used.add(text)

    def _few(self, binders: list[str], body: Poly) -> bool:
        """Whether every summand has, for each binder, a factor that bounds it to finitely many."""
        for mono in body:
            left, progress = set(binders), True
            while left and progress:
                progress = False
                for factor, _ in mono:
                    inside = left & set(variables(factor))
                    bounds = factor[0] == "delta" or factor[1] in self.finite
                    if factor[0] not in ("app", "delta") or not bounds or len(inside) != 1:
                        continue
                    name = next(iter(inside))
                    if any(_is_affine(dict(arg), name) for arg in factor[2:]):
                        left, progress = left - inside, True
                        self.used |= {self.finite.get(factor[1], "")} - {""}
            if left:
                return False
        return True


def _is_affine(p: Poly, name: str) -> bool:
    try:
        return bool(linear(p, name))
    except Refusal:
        return False


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


# Rules: each takes a node S(name, ...) and returns what may stand in its place.


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


def _apply(rule: str, args: dict[str, str], tree: Tree, context: Context) -> Tree:
    """Returns what one rule makes of a line."""
    if rule in BINDER_RULES and len(args) == 1:
        [(name, argument)] = args.items()

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


def _is_nonnegative(tree: Tree, env: Env) -> bool:
    """Whether a term is >= 0 by its form: gap, even powers, and sums and products of such."""
    if tree[0] in ("S", "M", "add", "mul"):
        return all(_is_nonnegative(kid, opened(tree, env)) for kid in tree[2:])
    if tree[0] == "gap" or (tree[0] == "pow" and tree[1] % 2 == 0):
        return True
    return is_positive(normal(tree, env), env)


def _read_step(step: Any) -> tuple[str, str, dict[str, str], bool]:
    """Returns (line, rule, arguments, whether the rule leads from this line to the one before)."""
    fields = step if isinstance(step, dict) else {}
    line, rule, args = fields.get("line"), fields.get("rule"), fields.get("args", {})
    if not isinstance(line, str) or not isinstance(rule, str) or not isinstance(args, dict):
        raise Refusal("a step has a line and a rule, and may have args, reverse and says")
    if any(type(part) is not str for pair in args.items() for part in pair):
        raise Refusal("arguments are texts", line)
    if not line.startswith(("=", "<=")):
        raise Refusal("a line begins with = or <=", line)
    return line, rule, args, fields.get("reverse") is True


def _chain(steps: Any, statement: Tree, context: Context) -> None:
    """Refuses a chain of lines of which one does not follow."""
    if statement[0] != "rel" or statement[1] not in ("=", "<=") or not isinstance(steps, list):
        raise Refusal("a chain proves `left = right` or `left <= right`")
    env, (left, right) = context.env, statement[2:]
    sort = sort_of(left, env) or sort_of(right, env) or "K"
    expect(left, sort, env)
    expect(right, sort, env)
    previous, form = left, normal(left, env)
    for step in steps:
        line = ""
        try:
            line, rule, args, reverse = _read_step(step)
            relation = "<=" if line.startswith("<=") else "="
            target = parse(line[len(relation) :])
            expect(target, sort, env)
            if rule == "increase" and set(args) == {"by"}:
                by = parse(args["by"])
                expect(by, "K", env)
                if relation != "<=" or not _is_nonnegative(by, env):
                    raise Refusal("increase adds a term that is >= 0 by its form, and says <=")
                follows = plus(form, normal(by, env)) == normal(target, env)
            else:
                new = _apply(rule, args, target if reverse else previous, context)
                expect(new, sort, env)
                follows = normal(new, env) == (form if reverse else normal(target, env))
                if relation != "=":
                    raise Refusal("only increase may say <=")
            if not follows:
                raise Refusal("the line does not follow from the line before")
            if relation != "=" and statement[1] != relation:
                raise Refusal("the statement is an equation, this line an inequality")
        except Refusal as error:
            raise Refusal(error.args[0], line[:300]) from None
        previous, form = target, normal(target, env)
    if form != normal(right, env):
        raise Refusal("the last line is not the right-hand side", show(previous))


def _induction(proof: Any, statement: Tree, context: Context) -> None:
    """Refuses unless the statement holds at 0 and passes from n to n + 1.

    `over` is n; the hypothesis of induction, named IH, holds for all values of the variables in
    `general` at once.
    """
    if not isinstance(proof, dict) or set(proof) != {"over", "general", "base", "step"}:
        raise Refusal("an induction has over, general, base and step")
    over, general, env = proof["over"], proof["general"], context.env
    free = {name for tree in context.hypotheses.values() for name in names(tree)}
    if not isinstance(general, list) or any(type(name) is not str for name in [over, *general]):
        raise Refusal("over is a name, general a list of names")
    if env.get(over) != ((), "N") or {over, *general} & free or over in general:
        raise Refusal(f"{over} must be a natural number, and free in no hypothesis")
    hypothesis = statement
    for name in general:
        if env.get(name, (("",), ""))[0]:
            raise Refusal(f"{name} is not a variable")
        hypothesis = (
            "all",
            (f"_{name}", env[name][1]),
            substitute(hypothesis, name, ("var", f"_{name}")),
        )
    zero, one = ("num", Fraction(0)), ("num", Fraction(1))
    _chain(proof["base"], substitute(statement, over, zero), context)
    context.hypotheses["IH"] = hypothesis
    _chain(proof["step"], substitute(statement, over, ("add", "", ("var", over), one)), context)
    del context.hypotheses["IH"]
    context.used.discard("IH")


def _combine(combinations: Any, statement: Tree, context: Context) -> None:
    context.used |= check_combinations(combinations, statement, context.env, context.hypotheses)


PROOFS = {"chain": _chain, "nonnegative": _combine, "induction": _induction}


def check(theorem: object) -> Proved | Open:
    """Returns `Proved` if the theorem's derivation follows line by line, else `Open` with why.

    Args:
        theorem: JSON values as in the module's docstring; anything at all may be passed.
    """
    fields = theorem if isinstance(theorem, dict) else {}
    told = [fields.get(key) for key in ("name", "statement")]
    name, statement = (text[:2000] if isinstance(text, str) else "" for text in told)
    try:
        context = read(theorem)
        proof = fields.get("proof")
        if not isinstance(proof, dict) or len(proof) != 1 or set(proof) - set(PROOFS):
            raise Refusal("a proof is one of " + ", ".join(PROOFS))
        [(kind, body)] = proof.items()
        PROOFS[kind](body, parse(fields["statement"]), context)
    except Refusal as error:
        line = error.args[1] if len(error.args) > 1 else ""
        return Open(name=name, statement=statement, reason=error.args[0], line=line)
    except RecursionError:
        return Open(name=name, statement=statement, reason="the derivation nests too deep")
    used, texts = context.used, tuple(context.hypotheses)
    used_texts = tuple(text for text in texts if text in used)
    return Proved(name=name, statement=statement, hypotheses=texts, obligations=used_texts)


def read(theorem: object) -> Context:
    """Returns the variables and hypotheses of a theorem; refuses malformed ones."""
    if not isinstance(theorem, dict) or not isinstance(theorem.get("hyps", []), list):
        raise Refusal("a theorem is a mapping, its hypotheses a list")
    env = declare(theorem.get("vars", {}))
    texts = theorem.get("hyps", [])
    if len(texts) > 30:
        raise Refusal("at most 30 hypotheses")
    context = Context(env, {text: parse(text) for text in texts})
    trees = [parse(theorem.get("statement")), *context.hypotheses.values()]
    ordered = {node[0] for tree in trees for node in walk(tree)} & {
        "log",
        "exp",
        "gap",
        "max",
        "min",
        "M",
    }
    if ordered and any(values == "char" for _, values in env.values()):
        raise Refusal(f"{ordered.pop()} is for real numbers; a character has complex values")
    return context
