"""LaTeX by SymPy, of the terms for which SymPy has a form: unevaluated, in the order written."""

from __future__ import annotations

from typing import Any

from convcheck.proofs.latex import latex
from convcheck.proofs.terms import Refusal, Tree, parse

RELATIONS = {"<=": r"\le", "=": "=", "": ""}


def sympy_latex(text: str) -> str | None:
    """Returns SymPy's LaTeX of a term, a statement or a line; None where SymPy has no form.

    SymPy has none for sums over a group or a set without an order, for counts and for reversed
    limits.
    """
    import sympy

    relation = next(r for r in RELATIONS if text.startswith(r))
    try:
        form = _form(parse(text[len(relation) :]))
    except Refusal:
        return None
    if form is None:
        return None
    body = sympy.latex(form, order="none")
    return " ".join(filter(None, (RELATIONS[relation], body)))


def print_latex(text: str) -> str:
    """Returns SymPy's LaTeX where it has a form, else that of our own printer."""
    return sympy_latex(text) or latex(text)


def _form(tree: Tree) -> Any:
    """Returns the SymPy expression, built as written; None if a part has none."""
    import sympy

    head, label = tree[0], tree[1]
    if head == "num":
        return sympy.Integer(label)
    if head in ("S", "M", "L", "all", "count", "exists", "summable"):
        return _sum(tree)
    if head == "neg" and tree[2][0] == "fdiv" and tree[2][2][0] == "neg":
        parts = [_form(tree[2][2][2]), _form(tree[2][3])]
        return None if None in parts else sympy.ceiling(_over(*parts), evaluate=False)
    if head == "neg" and tree[2][0] == "max" and all(kid[0] == "neg" for kid in tree[2][2:]):
        smaller = [_form(kid[2]) for kid in tree[2][2:]]
        return None if None in smaller else sympy.Min(*smaller, evaluate=False)
    parts = [_form(kid) for kid in (_flat(tree, head) if head in ("add", "mul") else tree[2:])]
    if any(part is None for part in parts):
        return None
    first, last = (parts[0], parts[-1]) if parts else (None, None)
    make = {
        "var": lambda: sympy.Symbol(label),
        "app": lambda: sympy.Function(label)(*parts),
        "add": lambda: sympy.Add(*parts, evaluate=False),
        "neg": lambda: sympy.Mul(-1, first, evaluate=False),
        "mul": lambda: sympy.Mul(*parts, evaluate=False),
        "inv": lambda: sympy.Pow(first, -1, evaluate=False),
        "fdiv": lambda: sympy.floor(_over(first, last), evaluate=False),
        "max": lambda: sympy.Max(*parts, evaluate=False),
        "log": lambda: sympy.log(first, evaluate=False),
        "exp": lambda: sympy.exp(first, evaluate=False),
        "delta": lambda: sympy.KroneckerDelta(first, last),
        "diff": lambda: sympy.Derivative(first, last, evaluate=False),
        "rel": lambda: {
            "=": sympy.Eq, "<=": sympy.Le, ">=": sympy.Ge, "<": sympy.Lt, ">": sympy.Gt,
        }[label](first, last, evaluate=False),
    }  # fmt: skip
    return make[head]() if head in make else None


def _flat(tree: Tree, head: str) -> list[Tree]:
    """Returns the summands of nested sums, or the factors of nested products, in order."""
    return [part for kid in tree[2:] for part in (_flat(kid, head) if kid[0] == head else [kid])]


def _over(top: Any, bottom: Any) -> Any:
    import sympy

    return sympy.Mul(top, sympy.Pow(bottom, -1, evaluate=False), evaluate=False)


def _sum(tree: Tree) -> Any:
    import sympy

    limits = {
        "R": (-sympy.oo, sympy.oo), "Z": (-sympy.oo, sympy.oo),
        "Zn": (0, sympy.Add(sympy.Symbol("n"), -1, evaluate=False)),
    }.get(tree[1][1] if tree[0] == "S" else "")  # fmt: skip
    body = _form(tree[2]) if limits else None
    if limits is None or body is None:
        return None
    make = sympy.Integral if tree[1][1] == "R" else sympy.Sum
    return make(body, (sympy.Symbol(tree[1][0]), *limits))
