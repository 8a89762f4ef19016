"""Terms of the kernel: text, trees, sorts. Standard library only; `kernel.py` is the other half.

    S(u,D,body)    sum of body over u in D (the integral, for R and G); 0 where it diverges
    M(u,X,body)    maximum over the finite nonempty set X
    L(u,inf,-inf,t-u,body)     the integral from +oo to -oo of body d(t - u)
    delta(a,b)     1 if a = b, else 0       a // b   floor division       max, min, log, exp
    gap(a)         a - 1 - log(a)           diff(body, w(j))   derivative by the value w(j)

Domains: G, any locally compact abelian group with its Haar integral; D, any discrete one; R; Z;
Zn, the integers modulo n; N, the naturals (no S); any other capitalised name, a finite nonempty
set. Values: K, the real or complex numbers; `K>0`, positive reals; `char`, values of a character.
A tree is (head, label, *subtrees). Numbers are literals of every sort that has them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

Tree = tuple[Any, ...]
Env = Mapping[str, tuple[tuple[str, ...], str]]  # name -> domains of the arguments, values

GROUPS, RINGS, DISCRETE = {"G", "D", "R", "Z", "Zn"}, {"K", "R", "Z"}, {"D", "Z", "Zn", "N"}
NOT_SETS = GROUPS | {"N", "K", "K>0", "char"}
HEADS = {"S": 3, "M": 3, "L": 5, "log": 1, "exp": 1, "gap": 1, "delta": 2, "max": 2, "min": 2}
HEADS |= {"diff": 2, "finite": 1, "exists": 1, "summable": 1, "termwise": 1, "all": 3, "count": -1}
_ALLOWED = {"add": GROUPS | {"N", "K"}, "neg": GROUPS | {"K"}, "mul": RINGS, "inv": {"K", "R"}}
_ALLOWED |= {"fdiv": {"Z"}, "pow": RINGS, "max": {"Z", "K"}, "min": {"Z", "K"}}
_OPERATORS = {ast.Add: "add", ast.Sub: "add", ast.Mult: "mul", ast.Div: "mul", ast.FloorDiv: "fdiv"}
_RELATIONS = {ast.Eq: "=", ast.LtE: "<=", ast.GtE: ">=", ast.Lt: "<", ast.Gt: ">"}
_SORT = re.compile(r"(?:([A-Z]\w{0,9}(?:,[A-Z]\w{0,9})*)->)?(K>0|char|[A-Z]\w{0,9})", re.ASCII)


class Refusal(Exception):  # noqa: N818 - a verdict on the input, not an error of ours
    """The text, the term or the step is not accepted; its message says why."""


def parse(text: object) -> Tree:
    """Returns the tree of a term, or of a proposition about terms; refuses anything else."""
    if not isinstance(text, str) or len(text) > 2000:
        raise Refusal("a term must be text of at most 2000 characters")
    if strange := re.sub(r"[\w\s+\-*/^(),=<>]", "", text, flags=re.ASCII):
        raise Refusal(f"a term cannot contain {strange[0]!r}")
    python = re.sub(r"(?<![<>=])=(?!=)", "==", " ".join(text.replace("^", "**").split()))
    try:
        return _read(ast.parse(python, mode="eval").body, 40)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Refusal(f"cannot read {text[:60]!r}") from None


def _read(node: ast.AST, depth: int) -> Tree:
    if not depth:
        raise Refusal("the term nests too deep")
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value < 10**40:
            return ("num", Fraction(value))
        case ast.Name(id=name) if name[0] != "_":
            return ("var", name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return ("neg", "", _read(operand, depth - 1))
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(k))) if 0 <= k <= 8:
            return ("pow", k, _read(left, depth - 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            second = _read(right, depth - 1)
            if isinstance(op, (ast.Sub, ast.Div)):
                second = ("neg" if isinstance(op, ast.Sub) else "inv", "", second)
            return (_OPERATORS[type(op)], "", _read(left, depth - 1), second)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _RELATIONS:
            return ("rel", _RELATIONS[type(op)], _read(left, depth - 1), _read(right, depth - 1))
        case ast.Call(func=ast.Name(id=name), args=given, keywords=[]) if given:
            return _call(name, [_read(argument, depth - 1) for argument in given])
    raise Refusal(f"this is not a term: {ast.unparse(node)[:60]}")


def _call(name: str, args: list[Tree]) -> Tree:
    if name not in HEADS:
        return ("app", name, *args)
    if HEADS[name] not in (-1, len(args)):
        raise Refusal(f"{name} takes {HEADS[name]} arguments, found {len(args)}")
    binders = {"S": 2, "M": 2, "all": 2, "L": 1, "count": 1, "finite": 1}.get(name, 0)
    if any(arg[0] != "var" for arg in args[:binders]):
        raise Refusal(f"{name} must begin with a name")
    if name in ("S", "M", "all"):
        return (name, (args[0][1], args[1][1]), args[2])
    if name == "finite":
        return (name, args[0][1])
    if name == "count":
        return (name, (args[0][1], "Z"), *args[1:])
    if name == "L":
        signs = {"inf": 1, "-inf": -1}
        ends = [f"-{a[2][1]}" if a[0] == "neg" and a[2][0] == "var" else a[1] for a in args[1:3]]
        if sorted(map(str, ends)) != ["-inf", "inf"]:
            raise Refusal("the limits of L must be inf and -inf")
        return (name, (args[0][1], "R", signs[ends[1]]), *args[3:])
    return (name, "", *args)


def parse_sort(text: object) -> tuple[tuple[str, ...], str]:
    """Returns (domains, values) of a declaration such as `G`, `X->K>0` or `N,Z->Z`."""
    match = _SORT.fullmatch(text) if isinstance(text, str) else None
    domains = tuple(match[1].split(",")) if match and match[1] else ()
    if not match or "K" in domains or (match[2] == "char" and not set(domains) & GROUPS):
        raise Refusal(f"unknown sort {text!r}")
    return domains, match[2]


def declare(variables: object) -> Env:
    """Returns the sorts of declared variables, {name: text}."""
    if not isinstance(variables, dict) or len(variables) > 40:
        raise Refusal("variables must be a mapping from names to sorts")
    for name in variables:
        if not re.fullmatch(r"[a-zA-Z]\w{0,19}", str(name), re.ASCII) or name in {*HEADS, "inf"}:
            raise Refusal(f"{str(name)[:40]!r} cannot name a variable")
    return {name: parse_sort(text) for name, text in variables.items()}


def opened(tree: Tree, env: Env) -> Env:
    """Returns `env` with the variable that the node `tree` binds, if it binds one."""
    if not isinstance(tree[1], tuple):
        return env
    name, domain = tree[1][:2]
    if name in env or name in {*HEADS, "inf"}:
        raise Refusal(f"{name} is bound where it has a meaning already")
    if parse_sort(domain)[1] in ("K", "K>0", "char") or (tree[0] == "S" and domain == "N"):
        raise Refusal(f"{tree[0]} cannot range over {domain}")
    if tree[0] == "M" and domain in NOT_SETS:
        raise Refusal("M ranges over finite sets only")
    return {**env, name: ((), domain)}


def walk(tree: Tree) -> Iterator[Tree]:
    """Yields a tree and all its subtrees."""
    yield tree
    for child in tree[2:]:
        yield from walk(child)


def names(tree: Tree) -> set[str]:
    """Returns every name in a tree, bound or free."""
    labels = [node[1] for node in walk(tree)]
    return {
        x[0] if isinstance(x, tuple) else x for x in labels if x and isinstance(x, (str, tuple))
    }


def substitute(tree: Tree, name: str, value: Tree) -> Tree:
    """Returns `tree` with `value` for the variable `name`; refuses where a binder captures."""
    if tree == ("var", name):
        return value
    if isinstance(tree[1], tuple):
        if tree[1][0] == name:
            return tree
        if tree[1][0] in names(value) and name in names(tree):
            raise Refusal(f"{tree[1][0]} would be captured; rename it first")
    return (*tree[:2], *(substitute(child, name, value) for child in tree[2:]))


def expect(tree: Tree, sort: str, env: Env) -> None:
    """Refuses a tree that is not of the given sort."""
    sort = "K" if sort == "K>0" else sort
    found = sort_of(tree, env)
    if found is None:
        heads = {node[0] for node in walk(tree)}
        whole = "inv" not in heads and not (sort == "N" and "neg" in heads)
        if sort in ("K", "R") or (whole and sort in ("Z", "Zn", "N")):
            return
        zero = all(node[0] in ("num", "neg", "add") and node[1] in ("", 0) for node in walk(tree))
        if sort in GROUPS and zero:
            return
    if found != sort:
        raise Refusal(f"expected {sort}, found {found or 'a number'}")


def sort_of(tree: Tree, env: Env) -> str | None:
    """Returns the sort of a term, None for a literal number; refuses an ill-sorted one."""
    head, label, kids = tree[0], tree[1], tree[2:]
    sort: str | None
    if head == "num":
        return None
    if head in ("var", "app"):
        domains, values = env.get(label, ((), ""))
        if not values or len(domains) != len(kids):
            raise Refusal(f"{label} with {len(kids)} arguments is unknown")
        for kid, domain in zip(kids, domains, strict=True):
            expect(kid, domain, env)
        return "K" if values in ("K>0", "char") else values
    if head in ("S", "M", "L", "log", "exp", "gap", "diff"):
        inner = opened(tree, env)
        if head == "diff" and env.get(kids[1][1], ((), ""))[1] not in ("K", "K>0"):
            raise Refusal("a derivative is with respect to a value such as w(j)")
        for kid, wanted in zip(kids, ("R", "K") if head == "L" else ("K", "K"), strict=False):
            expect(kid, wanted, inner)
        return "K"
    found = [sort_of(kid, env) for kid in kids]
    sorts = set(found) - {None}
    sort = sorts.pop() if len(sorts) == 1 else None
    multiple = head == "mul" and sort in GROUPS - RINGS and any(kid[0] == "num" for kid in kids)
    allowed = {str(sort)} - NOT_SETS | DISCRETE if head == "delta" else _ALLOWED.get(head, set())
    if sorts or (sort or ("" if head == "delta" else "K")) not in allowed and not multiple:
        raise Refusal(f"{head} is not defined on {sort or 'these'}")
    for kid, known in zip(kids, found, strict=True):
        if sort and known is None and not multiple:
            expect(kid, sort, env)
    return "K" if head == "delta" else sort


def show(tree: Tree) -> str:
    """Returns the text of a tree; `parse` reads it back."""
    head, label, kids = tree[0], tree[1], [show(kid) for kid in tree[2:]]
    if head == "num":
        return str(label) if label.denominator == 1 and label >= 0 else f"({label})"
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
    if head == "pow":
        return f"({kids[0]})^{label}"
    if head == "rel":
        return f"{kids[0]} {label} {kids[1]}"
    if head == "L":
        ends = ("-inf", "inf") if label[2] == 1 else ("inf", "-inf")
        return f"L({label[0]},{ends[0]},{ends[1]},{kids[0]},{kids[1]})"
    first_args = list(label[:2]) if isinstance(label, tuple) else [label] if label else []
    first_args = first_args[:1] if head == "count" else first_args
    return f"{head}({','.join([*first_args, *kids])})"
