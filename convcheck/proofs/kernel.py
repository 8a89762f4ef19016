"""The kernel: re-checks a derivation, line by line. Standard library only.

A theorem is a mapping of plain JSON values:

    {"name": ..., "vars": {"f": "G->K", "t": "G"}, "hyps": [...], "statement": "lhs = rhs",
     "proof": {"chain": [{"rule": "reindex", "args": {"s": "t-u"}, "line": "= ..."}, ...]}}

Every step carries its resulting line; the kernel recomputes it. A rule returns the new term and
its obligations, and each obligation must be among the hypotheses (or hold because only finitely
many terms differ from 0). Nothing stored is believed: no verdict, no comment, no normal form.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcheck.proofs.integers import check_combinations
from convcheck.proofs.normal import is_positive, normal, plus
from convcheck.proofs.rules import Context, apply_rule
from convcheck.proofs.terms import (
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

REAL = {"log", "exp", "gap", "max", "min", "M"}


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
                new = apply_rule(rule, args, target if reverse else previous, context)
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
    nodes = [node for tree in trees for node in walk(tree)]
    ordered = any(node[0] in REAL or (node[0] == "rel" and node[1] != "=") for node in nodes)
    if ordered and any(values == "char" for _, values in env.values()):
        raise Refusal("order, log and exp are for real numbers; a character has complex values")
    return context
