"""LaTeX of terms, statements and derivation lines. Nothing here is trusted by the kernel."""

from __future__ import annotations

from convcheck.proofs.terms import Tree, parse

_GREEK = {"chi", "mu", "sigma", "gamma", "beta", "tau", "alpha", "theta"}
_DOMAINS = {"R": r"\mathbb{R}", "Z": r"\mathbb{Z}", "N": r"\mathbb{N}", "Zn": r"\mathbb{Z}_n"}
_RELATIONS = {"=": "=", "<=": r"\le", ">=": r"\ge", "<": "<", ">": ">"}
_SUM, _PRODUCT, _ATOM = 0, 1, 2  # how tightly a form binds


def latex(text: str) -> str:
    """Returns the LaTeX of a term or proposition given as the kernel's text."""
    relation = next((r for r in ("<=", "=") if text.startswith(r)), "")
    body = _form(parse(text[len(relation) :]))[0]
    return f"{_RELATIONS[relation]} {body}" if relation else body


def _name(name: str) -> str:
    if name in _GREEK:
        return "\\" + name
    return name if len(name) == 1 else rf"\mathrm{{{name}}}"


def _domain(name: str) -> str:
    return _DOMAINS.get(name, _name(name))


def _wrap(tree: Tree, least: int) -> str:
    text, binds = _form(tree)
    return text if binds >= least else rf"\left({text}\right)"


def _form(tree: Tree) -> tuple[str, int]:
    """Returns (LaTeX, how tightly it binds)."""
    head, label, kids = tree[0], tree[1], tree[2:]
    if head == "num":
        return str(label), _ATOM
    if head in ("var", "app"):
        arguments = ", ".join(_form(kid)[0] for kid in kids)
        return _name(label) + (f"({arguments})" if kids else ""), _ATOM
    if head == "rel":
        left, right = (_form(kid)[0] for kid in kids)
        return f"{left} {_RELATIONS[label]} {right}", _SUM
    if head in ("S", "M", "L", "all", "count"):
        return _binder(tree)
    if head == "add":
        negative = kids[1][0] == "neg"
        second = _wrap(kids[1][2], _PRODUCT) if negative else _form(kids[1])[0]
        return f"{_form(kids[0])[0]} {'-' if negative else '+'} {second}", _SUM
    if head == "neg":
        inner = kids[0]
        if inner[0] == "fdiv" and inner[2][0] == "neg":
            return rf"\left\lceil {_over(inner[2][2], inner[3])} \right\rceil", _ATOM
        if inner[0] == "max" and all(kid[0] == "neg" for kid in inner[2:]):
            return rf"\min\left({', '.join(_form(kid[2])[0] for kid in inner[2:])}\right)", _ATOM
        return f"-{_wrap(inner, _PRODUCT)}", _SUM
    if head == "mul":
        if kids[1][0] == "inv":
            return rf"\frac{{{_form(kids[0])[0]}}}{{{_form(kids[1][2])[0]}}}", _ATOM
        dot = r" \cdot " if kids[1][0] == "num" else r"\,"
        first = _wrap(kids[0], _ATOM if _ends_in_a_sum(kids[0]) else _PRODUCT)
        return f"{first}{dot}{_wrap(kids[1], _PRODUCT)}", _PRODUCT
    if head == "fdiv":
        return rf"\left\lfloor {_over(*kids)} \right\rfloor", _ATOM
    return _function(tree)


def _ends_in_a_sum(tree: Tree) -> bool:
    """Whether what follows would be read as part of the sum."""
    return tree[0] in ("S", "M") or (tree[0] == "mul" and _ends_in_a_sum(tree[3]))


def _over(top: Tree, bottom: Tree) -> str:
    return rf"\frac{{{_form(top)[0]}}}{{{_form(bottom)[0]}}}"


def _function(tree: Tree) -> tuple[str, int]:
    head, kids = tree[0], tree[2:]
    parts = [_form(kid)[0] for kid in kids]
    if head == "inv":
        return rf"\frac{{1}}{{{parts[0]}}}", _ATOM
    if head == "exp":
        return rf"e^{{{parts[0]}}}", _ATOM
    if head == "delta":
        return rf"\delta_{{{parts[0]},\,{parts[1]}}}", _ATOM
    if head == "diff":
        return rf"\frac{{\partial}}{{\partial {parts[1]}}}\left({parts[0]}\right)", _ATOM
    if head == "gap":
        return rf"\left({parts[0]} - 1 - \log {_wrap(kids[0], _ATOM)}\right)", _ATOM
    if head in ("log", "max"):
        return rf"\{head}\left({', '.join(parts)}\right)", _ATOM
    meanings = {
        "exists": r"\text{ converges}",
        "summable": r"\text{ converges absolutely}",
    }
    return f"{parts[0]}{meanings[head]}", _SUM


def _binder(tree: Tree) -> tuple[str, int]:
    head, (name, domain), kids = tree[0], tree[1][:2], tree[2:]
    variable = _name(name)
    if head == "all":
        return rf"\forall {variable} \in {_domain(domain)}:\; {_form(kids[0])[0]}", _SUM
    if head == "count":
        conditions = r",\; ".join(_form(kid)[0] for kid in kids)
        return rf"\#\left\{{{variable} \in \mathbb{{Z}} : {conditions}\right\}}", _ATOM
    body = _wrap(kids[-1], _PRODUCT)
    if head == "M":
        return rf"\max_{{{variable} \in {_domain(domain)}}} {body}", _PRODUCT
    if head == "L":
        return rf"\int_{{+\infty}}^{{-\infty}} {body}\, d({_form(kids[0])[0]})", _PRODUCT
    if domain == "R":
        return rf"\int_{{-\infty}}^{{+\infty}} {body}\, d{variable}", _PRODUCT
    if domain == "G":
        return rf"\int_{{G}} {body}\, d{variable}", _PRODUCT
    return rf"\sum_{{{variable} \in {_domain(domain)}}} {body}", _PRODUCT
