"""The kernel's language: text, trees, sorts. Trusted, with `normal.py` and `kernel.py`.

    S(u,D,body)    sum of body over u in D (the integral, for R and G); 0 where it diverges
    M(u,X,body)    maximum over the finite nonempty set X
    L(u,inf,-inf,t-u,body)     the integral from +oo to -oo of body d(t - u)
    delta(a,b)     1 if a = b, else 0       a // b   floor division       max, min, log, exp
    gap(a)         a - 1 - log(a)           diff(body, w(j))   derivative by the value w(j)
    count(j, conditions)     how many integers j fit

Domains: G, any locally compact abelian group with its Haar integral; D, any discrete one; R; Z;
Zn, the integers modulo n; N, the naturals (no S); any other capitalised name, a finite nonempty
set. Values: K, the real or complex numbers; `K>0`, positive reals; `char`, values of a character.
A tree is (head, label, *subtrees); the label of a binder is (name, domain).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

Tree = tuple[Any, ...]  # (head, label, *subtrees)
Env = Mapping[str, tuple[tuple[str, ...], str]]  # name -> domains of the arguments, values

GROUPS, DISCRETE, INFINITE = {"G", "D", "R", "Z", "Zn"}, {"D", "Z", "Zn", "N"}, {"G", "D", "R", "Z"}
NOT_SETS = GROUPS | {"N", "K", "K>0", "char"}
HEADS = {"S": 3, "M": 3, "L": 5, "log": 1, "exp": 1, "gap": 1, "delta": 2, "max": 2, "min": 2}
HEADS |= {"diff": 2, "exists": 1, "summable": 1, "all": 3, "count": 0}
# The sorts on which an operation is defined.
_ON = {"add": GROUPS | {"N", "K"}, "neg": GROUPS | {"K"}, "mul": {"K", "R", "Z"}, "inv": {"K", "R"}}
_ON |= {"fdiv": {"Z"}, "max": {"K", "Z"}}
_ON |= dict.fromkeys(("S", "M", "L", "log", "exp", "gap", "diff", "delta"), {"K"})
_OPERATORS = {ast.Add: "add", ast.Sub: "add", ast.Mult: "mul", ast.Div: "mul", ast.FloorDiv: "fdiv"}
_RELATIONS = {ast.Eq: "=", ast.LtE: "<=", ast.GtE: ">=", ast.Lt: "<", ast.Gt: ">"}
_SORT = re.compile(r"(?:([A-Z]\w{0,9}(?:,[A-Z]\w{0,9})*)->)?(K>0|char|[A-Z]\w{0,9})", re.ASCII)
ZERO: Tree = ("num", 0)
UNIT: Tree = ("num", 1)


class Refusal(Exception):  # noqa: N818 - a verdict on the input, not an error of ours
    """What is not accepted: why, in texts and terms, and at which line of a derivation."""

    line = ""


def parse(text: object) -> Tree:
    """Returns the tree of a term, or of a proposition about terms."""
    if not isinstance(text, str) or len(text) > 2000:
        raise Refusal("a term must be text of at most 2000 characters")
    if strange := re.sub(r"[\w\s+\-*/(),=<>]", "", text, flags=re.ASCII):
        raise Refusal(f"a term cannot contain {strange[0]!r}")
    python = re.sub(r"(?<![<>=])=(?!=)", "==", " ".join(text.split()))
    try:
        return _read(ast.parse(python, mode="eval").body, 40)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise Refusal(f"cannot read {text[:60]!r}") from None


def _read(node: ast.AST, depth: int) -> Tree:
    if not depth:
        raise Refusal("the term nests too deep")
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool) and value < 10**40:
            return ("num", value)
        case ast.Name(id=name) if name[0] != "_":
            return ("var", name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return ("neg", "", _read(operand, depth - 1))
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
    if HEADS.get(name, 0) not in (0, len(args)):
        raise Refusal(f"{name} takes {HEADS[name]} arguments, found {len(args)}")
    binds = {"S": 2, "M": 2, "all": 2, "L": 1, "count": 1}.get(name, 0)
    if any(arg[0] != "var" for arg in args[:binds]):
        raise Refusal(f"{name} must begin with a name")
    if name == "L":
        if args[1:3] != [("var", "inf"), ("neg", "", ("var", "inf"))]:
            raise Refusal("the limits of L must be inf and -inf")
        return (name, (args[0][1], "R"), *args[3:])
    if name == "count":
        return (name, (args[0][1], "Z"), *args[1:])
    if name == "min":
        return ("neg", "", ("max", "", *(("neg", "", arg) for arg in args)))
    label = (args[0][1], args[1][1]) if binds else "" if name in HEADS else None
    return ("app", name, *args) if label is None else (name, label, *args[binds:])


def declare(variables: object) -> Env:
    """Returns the sorts of declared variables, {name: text such as `G`, `X->K>0`, `N,Z->Z`}."""
    if not isinstance(variables, dict) or len(variables) > 40:
        raise Refusal("variables must be a mapping from names to sorts")
    for name in variables:
        if not re.fullmatch(r"[a-zA-Z]\w{0,19}", str(name), re.ASCII) or name in {*HEADS, "inf"}:
            raise Refusal(f"{str(name)[:40]!r} cannot name a variable")
    return {name: _parse_sort(text) for name, text in variables.items()}


def _parse_sort(text: object) -> tuple[tuple[str, ...], str]:
    match = _SORT.fullmatch(text) if isinstance(text, str) else None
    domains = tuple(match[1].split(",")) if match and match[1] else ()
    if not match or "K" in domains or (match[2] == "char" and not set(domains) & GROUPS):
        raise Refusal(f"unknown sort {str(text)[:40]!r}")
    return domains, match[2]


def opened(tree: Tree, env: Env) -> Env:
    """Returns `env` with the variable that the node `tree` binds, if it binds one."""
    if not isinstance(tree[1], tuple):
        return env
    name, domain = tree[1]
    if name in env or name in {*HEADS, "inf"}:
        raise Refusal(f"{name} is bound where it has a meaning already")
    finite = _parse_sort(domain)[1] not in NOT_SETS
    if not finite and (tree[0] == "M" or domain in ("K", "K>0", "char")):
        raise Refusal(f"{tree[0]} cannot range over {domain}")
    if tree[0] == "S" and domain == "N":
        raise Refusal("S cannot range over N")
    return {**env, name: ((), domain)}


def walk(tree: Tree) -> Iterator[Tree]:
    """Yields a tree and all its subtrees."""
    yield tree
    for kid in tree[2:]:
        yield from walk(kid)


def names(tree: Tree) -> set[str]:
    """Returns every name in a tree, bound or free."""
    labels = (node[1][0] if isinstance(node[1], tuple) else node[1] for node in walk(tree))
    return {label for label in labels if isinstance(label, str) and label}


def substitute(tree: Tree, name: str, value: Tree) -> Tree:
    """Returns `tree` with `value` for the variable `name`; refuses where a binder captures."""
    if tree == ("var", name):
        return value
    if isinstance(tree[1], tuple):
        if tree[1][0] == name:
            return tree
        if tree[1][0] in names(value) and name in names(tree):
            raise Refusal(f"{tree[1][0]} would be captured; rename it first")
    return (*tree[:2], *(substitute(kid, name, value) for kid in tree[2:]))


def sort_of(tree: Tree, env: Env) -> str | None:
    """Returns the sort that a term has if it has one, None for literal numbers."""
    if tree[0] in ("var", "app"):
        values = env.get(tree[1], ((), ""))[1]
        return "K" if values in ("K>0", "char") else values
    if _ON.get(tree[0]) == {"K"}:
        return "K"
    return next((sort for kid in tree[2:] if (sort := sort_of(kid, env)) is not None), None)


def expect(tree: Tree, sort: str, env: Env) -> None:
    """Refuses a term that is not of the given sort throughout."""
    head, label, kids = tree[0], tree[1], tree[2:]
    wanted = [sort] * len(kids)
    if head == "num":
        if sort in ("K", "R", "Z", "Zn", "N") or (sort in GROUPS and label == 0):
            return
        raise Refusal(f"expected {sort}, found a number")
    if head in ("var", "app"):
        domains, _ = env.get(label, ((), ""))
        if label not in env or len(domains) != len(kids):
            raise Refusal(f"{label} with {len(kids)} arguments is unknown")
        if sort_of(tree, env) != sort:
            raise Refusal(f"expected {sort}, found {sort_of(tree, env)}")
        wanted = list(domains)
    elif sort not in _ON.get(head, set()):
        raise Refusal(f"{head} is not defined on {sort}")
    elif head == "delta":
        domain = sort_of(kids[0], env) or sort_of(kids[1], env) or "Z"
        if domain in NOT_SETS - DISCRETE:
            raise Refusal(f"delta is not defined on {domain}")
        wanted = [domain, domain]
    elif head == "diff" and (env.get(kids[1][1], ((), ""))[1] not in ("K", "K>0")):
        raise Refusal("a derivative is with respect to a value such as w(j)")
    elif head == "L":
        wanted = ["R", "K"]
    inner = opened(tree, env)
    for kid, expected in zip(kids, wanted, strict=True):
        expect(kid, expected, inner)


def derivative(tree: Tree, by: Tree, env: Env) -> Tree:
    """Returns diff(tree, by), worked out; `by` is a scalar or a value w(j) of a function."""
    head, label, *kids = tree
    if by[1] not in names(tree):
        return ZERO
    if head in ("var", "app") and label == by[1]:
        value = UNIT
        for here, there in zip(kids, by[2:], strict=True):
            value = ("mul", "", value, ("delta", "", here, there))
        return value
    parts = [derivative(kid, by, opened(tree, env)) for kid in kids]
    if head in ("add", "neg") or (head == "S" and label[1] not in NOT_SETS):
        return (head, label, *parts)
    if head == "mul":
        return ("add", "", ("mul", "", parts[0], kids[1]), ("mul", "", kids[0], parts[1]))
    outer = {"exp": tree, "log": ("inv", "", *kids), "inv": ("neg", "", ("mul", "", tree, tree))}
    if head not in outer:
        raise Refusal(f"differentiate does not go through {head}")
    return ("mul", "", outer[head], parts[0])


def expect_hypothesis(tree: Tree, env: Env) -> None:
    """Refuses what is no hypothesis: relations, all(x,D,relation), exists(S), summable(S) are."""
    if tree[0] == "all":
        expect_hypothesis(tree[2], opened(tree, env))
    elif tree[0] == "rel" or (tree[0] in ("exists", "summable") and tree[2][0] == "S"):
        sort = sort_of(tree[2], env) or sort_of(tree[-1], env) or "K"
        for kid in tree[2:]:
            expect(kid, sort, env)
    else:
        raise Refusal("a hypothesis is a relation, all(x,D,relation), exists(S) or summable(S)")
