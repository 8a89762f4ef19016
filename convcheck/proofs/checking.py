"""What the kernel says of a theorem, as a verdict with its reason in text; not trusted."""

from __future__ import annotations

from convcheck.proofs import kernel
from convcheck.proofs.terms import Refusal, Tree
from convcheck.proofs.verdicts import Open, Proved


def check(theorem: object) -> Proved | Open:
    """Returns `Proved` if the theorem's derivation follows line by line, else `Open` with why.

    Args:
        theorem: JSON values as in the kernel's docstring; anything at all may be passed.
    """
    fields = theorem if isinstance(theorem, dict) else {}
    told = [fields.get(key) for key in ("name", "statement")]
    name, statement = (text[:2000] if isinstance(text, str) else "" for text in told)
    try:
        context = kernel.check(theorem)
    except Refusal as refusal:
        reason = " ".join(part if isinstance(part, str) else show(part) for part in refusal.args)
        return Open(name=name, statement=statement, reason=reason, line=refusal.line)
    texts = tuple(context.hypotheses)
    used = tuple(text for text in texts if text in context.used)
    return Proved(name=name, statement=statement, hypotheses=texts, obligations=used)


def show(tree: Tree) -> str:
    """Returns the text of a tree; `parse` reads it back."""
    head, label, kids = tree[0], tree[1], [show(kid) for kid in tree[2:]]
    if head == "num":
        return str(label)
    if head in ("var", "app"):
        return f"{label}({','.join(kids)})" if kids else label
    if head in ("add", "mul"):
        last, sign = tree[3], "+" if head == "add" else "*"
        if last[0] in ("neg", "inv"):
            sign, kids[1] = {"neg": "-", "inv": "/"}[last[0]], show(last[2])
        loose = ("add", "neg") if head == "mul" else ()
        tight = (*loose, "mul", "fdiv") if sign in "/*" and sign == "/" else loose
        first = f"({kids[0]})" if tree[2][0] in loose else kids[0]
        shown = last[2] if sign in "-/" else last
        wraps = ("add", "neg") if sign != "/" else (*tight, "inv")
        second = f"({kids[1]})" if shown[0] in wraps and sign != "+" else kids[1]
        return f"{first}{sign}{second}" if head == "mul" else f"{first} {sign} {second}"
    if head == "neg":
        return f"-({kids[0]})" if tree[2][0] == "add" else f"-{kids[0]}"
    if head == "inv":
        return f"1/({kids[0]})"
    if head == "fdiv":
        return f"({kids[0]})//({kids[1]})"
    if head == "rel":
        return f"{kids[0]} {label} {kids[1]}"
    if head == "L":
        return f"L({label[0]},inf,-inf,{kids[0]},{kids[1]})"
    first_args = list(label[:2]) if isinstance(label, tuple) else [label] if label else []
    first_args = first_args[:1] if head == "count" else first_args
    return f"{head}({','.join([*first_args, *kids])})"
