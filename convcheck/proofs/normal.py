"""Normal forms: a term as a polynomial over atoms; equal polynomials mean equal terms. Trusted.

A polynomial is {monomial: coefficient}, a monomial a frozenset of (atom, exponent), an atom
(tag, label, *frozen arguments): a variable, the value of a function, a sum, a logarithm ... Sets
have no order, so that equal terms are equal values. Standard library only.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from convcheck.proofs.terms import NOT_SETS, Env, Refusal, Tree, opened, sort_of, substitute

Poly = dict[Any, Any]


def plus(p: Poly, q: Poly, scale: Any = 1) -> Poly:
    """Returns p + scale * q; whole coefficients are ints."""
    out = dict(p)
    for mono, c in q.items():
        total = out.get(mono, 0) + scale * c
        out[mono] = int(total) if total.denominator == 1 else total
    return {mono: c for mono, c in out.items() if c}


def times(p: Poly, q: Poly) -> Poly:
    """Returns p * q; refuses a product too large for a readable step."""
    if len(p) * len(q) > 4000:
        raise Refusal("the expression expands to too many terms")
    out: Poly = {}
    for m, a in p.items():
        for n, b in q.items():
            mono = _join(m, n)
            out[mono] = out.get(mono, 0) + a * b
    return plus({}, out)


def _join(m: Any, n: Any, sign: int = 1) -> Any:
    """Returns the monomial m * n^sign; delta is its own square."""
    powers = dict(m)
    for atom, e in n:
        powers[atom] = powers.get(atom, 0) + sign * e
        if atom[0] == "delta" and powers[atom] > 1:
            powers[atom] = 1
    return frozenset((atom, e) for atom, e in powers.items() if e)


def number(value: Any) -> Poly:
    """Returns a constant polynomial."""
    return {frozenset(): value} if value else {}


def freeze(p: Poly) -> frozenset[Any]:
    """Returns a polynomial as a hashable value."""
    return frozenset(p.items())


def of_atom(atom: Any) -> Poly:
    """Returns the polynomial that is one atom; an atom is (tag, label, *frozen arguments)."""
    return {frozenset({(atom, 1)}): 1}


def single(p: Poly, tag: str) -> Any:
    """Returns the atom if `p` is exactly one atom with that tag, else None."""
    [(mono, c), *rest] = p.items() if p else [((), 0)]
    [(atom, e), *more] = mono or [(("",), 0)]
    return atom if (c, e, atom[0]) == (1, 1, tag) and not rest and not more else None


def _lead(p: Poly) -> Any:
    """Returns the number that `p` is divided by, to be one value for all its multiples."""
    return sum(p.values()) or 1


def variables(value: Any) -> set[str]:
    """Returns the variables inside an atom, a monomial or a frozen polynomial."""
    if isinstance(value, tuple) and value[:1] == ("var",):
        return {value[1]}
    parts = value if isinstance(value, (tuple, frozenset)) else ()
    return set().union(*map(variables, parts))


def _rename(value: Any, old: str, new: str) -> Any:
    if isinstance(value, tuple):
        if value == ("var", old):
            return ("var", new)
        return tuple(_rename(part, old, new) for part in value)
    if isinstance(value, frozenset):
        return frozenset(_rename(part, old, new) for part in value)
    return value


def is_positive(p: Poly, env: Env) -> bool:
    """Returns whether `p` is positive by its form: positive atoms and coefficients only."""

    def positive(atom: Any) -> bool:
        if atom[0] in ("var", "app"):
            return env.get(atom[1], ((), ""))[1] == "K>0"
        finite = atom[0] in ("S", "M") and atom[1] not in NOT_SETS
        return atom[0] in ("exp", "sum") or (finite and is_positive(dict(atom[2]), env))

    return bool(p) and all(c > 0 and all(positive(a) for a, _ in m) for m, c in p.items())


def _maximum(parts: list[Poly]) -> Poly:
    """Returns the maximum: associative, commutative and idempotent."""
    args: set[Any] = set()
    for part in parts:
        inner = single(part, "max")
        args |= inner[2] if inner else {freeze(part)}
    return dict(args.pop()) if len(args) == 1 else of_atom(("max", "", frozenset(args)))


def _bind(tag: str, label: tuple[str, str], body: Poly) -> Poly:
    """Returns S or M of `body`; the bound variable is renamed #1, #2, ... from the inside out.

    Factors that are free of it stand outside; a finite sum is split into its terms.
    """
    name, domain = label
    if tag == "M":
        if inner := single(body, "max"):
            return _maximum([_bind(tag, label, dict(part)) for part in inner[2]])
        if name not in variables(freeze(body)):
            return body
        return of_atom((tag, domain, _renumber(body, name)))
    total: Poly = {}
    whole = [body] if body else []
    for part in [{m: c} for m, c in body.items()] if domain not in NOT_SETS else whole:
        shared = frozenset.intersection(*part)
        common = frozenset((a, e) for a, e in shared if name not in variables(a))
        rest = {_join(m, common, -1): c for m, c in part.items()}
        lead = _lead(rest)
        atom = (tag, domain, _renumber(plus({}, rest, Fraction(1) / lead), name))
        total = plus(total, times({common: lead}, of_atom(atom)))
    return total


def _renumber(body: Poly, name: str) -> Any:
    frozen = freeze(body)
    levels = [int(v[1:]) for v in variables(frozen) if v[0] == "#"]
    return _rename(frozen, name, f"#{max(levels, default=0) + 1}")


def normal(tree: Tree, env: Env) -> Poly:
    """Returns the normal form of a well-sorted term; refuses 1/0 and logs of unsigned terms."""
    head, label, kids = tree[0], tree[1], tree[2:]
    if head == "num":
        return number(label)
    if isinstance(label, tuple):
        *phi, body = (normal(kid, opened(tree, env)) for kid in kids)
        if head == "L":
            if not (c := slope(phi[0], label[0])):
                raise Refusal(f"d(...) must be of an affine function of {label[0]}")
            return plus({}, _bind("S", label, body), -c)
        return _bind(head, label, body)
    parts = [normal(kid, env) for kid in kids]
    match head:
        case "app" if env[label][1] == "char" and len(parts) == 1:
            # chi(2 a - b) = chi(a)^2 chi(b)^-1
            values = ((("char", label, freeze({m: 1})), c) for m, c in parts[0].items())
            return {_join((), values): 1}
        case "var" | "app" | "fdiv":
            return of_atom((head, label, *map(freeze, parts)))
        case "add":
            return plus(*parts)
        case "neg":
            return plus({}, parts[0], -1)
        case "mul":
            return times(*parts)
        case "max":
            return _maximum(parts)
        case "delta":
            p = plus(parts[0], parts[1], -1)
            sort = sort_of(kids[0], env) or sort_of(kids[1], env) or "Z"
            if not p or (not set(p) - {frozenset()} and sort in ("Z", "N")):
                return number(int(not p))
            return of_atom((head, sort, frozenset({freeze(p), freeze(plus({}, p, -1))})))
        case "diff":
            at = (freeze(normal(kid, env)) for kid in kids[1][2:])
            return of_atom((head, kids[1][1], freeze(parts[0]), *at))
        case "gap":
            return plus(plus(parts[0], number(1), -1), _logarithm(parts[0], env), -1)
    return {"log": _logarithm, "inv": _inverse, "exp": _exponential}[head](parts[0], env)


def slope(p: Poly, name: str) -> Any:
    """Returns c where p = c * name + rest, with c a number and name not in rest; else 0."""
    mono = frozenset({(("var", name), 1)})
    return 0 if name in variables(freeze(p) - {(mono, p.get(mono))}) else p.get(mono, 0)


def _factors(p: Poly, env: Env) -> tuple[Any, Any]:
    """Returns (c, monomial) with p = c * monomial; a positive sum becomes an atom of its own."""
    if len(p) == 1:
        [(mono, c)] = p.items()
        return c, mono
    if not is_positive(p, env):
        raise Refusal("a divisor or logarithm of a term that is not known to be positive")
    lead = _lead(p)
    return lead, frozenset({(("sum", "", freeze(plus({}, p, Fraction(1) / lead))), 1)})


def _inverse(p: Poly, env: Env) -> Poly:
    c, mono = _factors(p, env)
    if not all(atom[0] == "char" or is_positive(of_atom(atom), env) for atom, _ in mono):
        raise Refusal("a divisor is not known to be nonzero")
    return plus({}, {_join((), mono, -1): Fraction(1) / c})


def _logarithm(p: Poly, env: Env) -> Poly:
    """Returns log p for a p that is known to be positive; the log of a product splits."""
    c, mono = _factors(p, env)
    if not is_positive({mono: c}, env):
        raise Refusal("the logarithm of a term that is not known to be positive")
    numbers = ((("num", n), e) for n, e in ((c.numerator, 1), (c.denominator, -1)) if n > 1)
    out: Poly = {}
    for atom, e in (*numbers, *mono):
        out = plus(out, dict(atom[2]) if atom[0] == "exp" else of_atom(("log", atom)), e)
    return out


def _exponential(p: Poly, env: Env) -> Poly:
    """Returns exp p: the product of exp of the summands, with exp(c log a) = a^c."""
    out = number(1)
    for mono, c in p.items():
        inner = single({mono: 1}, "log")
        if inner and inner[1][0] != "num":
            factor = {_join((), {(inner[1], c)}): 1}
        elif inner and isinstance(c, int) and abs(c) <= 64 and inner[1][1] < 10**40:
            factor = number(Fraction(inner[1][1]) ** c)
        else:
            factor = {_join((), {(("exp", "", freeze({mono: 1})), c)}): 1}
        out = times(out, factor)
    return out


def is_nonnegative(tree: Tree, env: Env) -> bool:
    """Whether a term is >= 0 by its form: gap, squares, and sums and products of such."""
    if tree[0] == "gap" or (tree[0] == "mul" and tree[2] == tree[3]):
        return True
    if tree[0] in ("S", "M", "add", "mul"):
        return all(is_nonnegative(kid, opened(tree, env)) for kid in tree[2:])
    return is_positive(normal(tree, env), env)


def shape(term: Tree, env: Env) -> Any:
    """Returns what an infinite sum is made of: its domains and its body, with numbered indices."""
    domains: list[str] = []
    while term[0] == "S":
        name = f"_{len(domains)}"
        domains.append(term[1][1])
        env = {**opened(term, env), name: ((), domains[-1])}
        term = substitute(term[2], term[1][0], ("var", name))
    return domains, normal(term, env)
