"""Normal forms: a term as a polynomial over atoms, equal polynomials meaning equal terms.

A polynomial is {monomial: coefficient}; a monomial is a sorted tuple of (atom, exponent); an atom
is (tag, label, *frozen polynomials). Bound variables are renamed #1, #2, ... from the inside out,
scalars are pulled out of S, and S over a finite set is split. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from convcheck.proofs.terms import NOT_SETS, Env, Refusal, Tree, opened, sort_of

Number = Fraction | int  # whole numbers are ints: they hash and print faster
Mono = tuple[tuple[Any, Number], ...]
Poly = dict[Mono, Number]
ONE: Poly = {(): 1}


def plus(p: Poly, q: Poly, scale: Number = 1) -> Poly:
    """Returns p + scale * q."""
    out = dict(p)
    for mono, c in q.items():
        total = out.get(mono, 0) + scale * c
        if total:
            out[mono] = int(total) if total.denominator == 1 else total
        else:
            out.pop(mono, None)
    return out


def times(p: Poly, q: Poly) -> Poly:
    """Returns p * q; refuses a product too large for a readable step."""
    if len(p) * len(q) > 4000:
        raise Refusal("the expression expands to too many terms")
    out: Poly = {}
    for m, a in p.items():
        for n, b in q.items():
            mono = join(m, n)
            out[mono] = out.get(mono, 0) + a * b
    if any(c.numerator.bit_length() + c.denominator.bit_length() > 4000 for c in out.values()):
        raise Refusal("a number is too large")
    return plus({}, out)


def join(m: Mono, n: Mono, sign: int = 1) -> Mono:
    """Returns the monomial m * n^sign; delta is its own square."""
    powers: dict[Any, Any] = dict(m)
    for atom, e in n:
        powers[atom] = powers.get(atom, 0) + sign * e
        if atom[0] == "delta" and powers[atom] > 1:
            powers[atom] = 1
    if any(abs(e) > 64 for e in powers.values()):
        raise Refusal("an exponent is too large")
    return tuple(sorted(((a, e) for a, e in powers.items() if e), key=repr))


def of_atom(one: Any) -> Poly:
    """Returns the polynomial of one atom."""
    return {((one, 1),): 1}


def atom(tag: str, label: Any = "", *args: Any) -> Poly:
    """Returns the polynomial of a new atom."""
    return of_atom((tag, label, *args))


def freeze(p: Poly) -> tuple[Any, ...]:
    """Returns a polynomial as a hashable value in canonical order."""
    return tuple(sorted(p.items(), key=repr))


def constant(p: Poly) -> Number | None:
    """Returns the value of a constant polynomial, or None."""
    return p.get((), 0) if not set(p) - {()} else None


def single(p: Poly, tag: str) -> Any:
    """Returns the atom if `p` is exactly one atom with that tag, else None."""
    mono = next(iter(p), ()) if len(p) == 1 else ()
    one = len(mono) == 1 and mono[0][1] == 1 and p[mono] == 1 and mono[0][0][0] == tag
    return mono[0][0] if one else None


def variables(value: Any) -> Iterator[str]:
    """Yields the variables inside an atom, a monomial or a frozen polynomial."""
    if isinstance(value, tuple):
        if len(value) == 2 and value[0] == "var":
            yield value[1]
        for part in value:
            yield from variables(part)


def rename(p: Poly, old: str, new: str) -> Poly:
    """Returns `p` with a variable renamed, in canonical order again."""
    out: Poly = {}
    for mono, c in p.items():
        product: Poly = {(): c}
        for (tag, label, *args), e in mono:
            parts = [rename(dict(arg), old, new) for arg in args]
            if tag == "max":
                one = maximum(parts)
            elif tag == "delta":
                one = atom(tag, label, signless(parts[0]))
            elif tag == "var":
                one = atom(tag, new if label == old else label)
            else:
                one = atom(tag, label, *map(freeze, parts))
            [(renamed, scale)] = one.items()
            product = times(product, {tuple((a, k * e) for a, k in renamed): scale})
        out = plus(out, product)
    return out


def signless(p: Poly) -> tuple[Any, ...]:
    """Returns p or -p, frozen: whichever comes first."""
    return min(freeze(p), freeze(plus({}, p, -1)), key=repr)


def maximum(parts: list[Poly]) -> Poly:
    """Returns the maximum: associative, commutative and idempotent."""
    args: set[Any] = set()
    for part in parts:
        inner = single(part, "max")
        args |= set(inner[2:]) if inner else {freeze(part)}
    return dict(args.pop()) if len(args) == 1 else atom("max", "", *sorted(args, key=repr))


def is_positive(p: Poly, env: Env) -> bool:
    """Returns whether `p` is positive by its form: positive atoms and coefficients only."""

    def positive(one: Any) -> bool:
        if one[0] in ("var", "app"):
            return env.get(one[1], ((), ""))[1] == "K>0"
        finite_sum = one[0] in ("S", "M") and one[1] not in NOT_SETS
        return one[0] in ("exp", "sum") or (finite_sum and is_positive(dict(one[2]), env))

    return bool(p) and all(c > 0 and all(positive(a) for a, _ in m) for m, c in p.items())


def binder(tag: str, domain: str, name: str, body: Poly) -> Poly:
    """Returns S or M of `body` over `name` in `domain`."""
    finite = domain not in NOT_SETS
    if tag == "M":
        inner = single(body, "max")
        if inner:
            return maximum([binder(tag, domain, name, dict(arg)) for arg in inner[2:]])
        if name not in variables(freeze(body)):
            return body
        return atom(tag, domain, freeze(_canonical(body, name)))
    total: Poly = {}
    for part in [{m: c} for m, c in body.items()] if finite else [body] if body else []:
        shared = None
        for mono in part:
            outside = {a: e for a, e in mono if name not in variables(a)}
            shared = outside if shared is None else {
                a: min(e, outside[a]) for a, e in shared.items() if a in outside
            }  # fmt: skip
        common = tuple((shared or {}).items())
        rest = _canonical({join(m, common, -1): c for m, c in part.items()}, name)
        lead = freeze(rest)[0][1]
        rest = plus({}, rest, Fraction(1) / lead)
        total = plus(total, times({join((), common): lead}, atom(tag, domain, freeze(rest))))
    return total


def _canonical(body: Poly, name: str) -> Poly:
    levels = [int(v[1:]) for v in variables(freeze(body)) if v[0] == "#"]
    return rename(body, name, f"#{max(levels, default=0) + 1}")


def normal(tree: Tree, env: Env) -> Poly:
    """Returns the normal form of a well-sorted term; refuses 1/0 and logs of unsigned terms."""
    head, label, kids = tree[0], tree[1], tree[2:]
    if head == "num":
        return plus({}, ONE, label)
    if head in ("S", "M"):
        return binder(head, label[1], label[0], normal(kids[0], opened(tree, env)))
    if head == "L":
        inner = opened(tree, env)
        slope = linear(normal(kids[0], inner), label[0])[0]
        return plus({}, binder("S", "R", label[0], normal(kids[1], inner)), slope * label[2])
    parts = [normal(kid, env) for kid in kids]
    if head == "var":
        return atom("var", label)
    if head == "app" and env[label][1] == "char" and len(parts) == 1:
        characters = ((("char", label, freeze({m: 1})), c) for m, c in parts[0].items())
        return {join((), tuple(characters)): 1}
    if head in ("app", "fdiv"):
        return atom(head, label, *map(freeze, parts))
    if head == "add":
        return plus(parts[0], parts[1])
    if head == "neg":
        return plus({}, parts[0], -1)
    if head == "mul":
        return times(parts[0], parts[1])
    if head == "pow":
        out = ONE
        for _ in range(label):
            out = times(out, parts[0])
        return out
    if head in ("max", "min"):
        sign = 1 if head == "max" else -1
        return plus({}, maximum([plus({}, part, sign) for part in parts]), sign)
    if head == "delta":
        p = plus(parts[0], parts[1], -1)
        sort = sort_of(kids[0], env) or sort_of(kids[1], env)
        if constant(p) is not None and (not p or sort in ("Z", "N")):
            return {} if p else ONE
        return atom("delta", sort, signless(p))
    if head == "diff":
        return atom(
            "diff", kids[1][1], freeze(parts[0]), *(freeze(normal(j, env)) for j in kids[1][2:])
        )
    if head == "gap":
        return plus(plus(parts[0], ONE, -1), logarithm(parts[0], env), -1)
    return {"log": logarithm, "inv": inverse, "exp": exponential}[head](parts[0], env)


def linear(p: Poly, name: str) -> tuple[Number, Poly]:
    """Returns (c, rest) with p = c * name + rest, c a nonzero number and name not in rest."""
    mono = ((("var", name), 1),)
    rest = {m: c for m, c in p.items() if m != mono}
    if mono not in p or name in variables(freeze(rest)):
        raise Refusal(f"this must be affine in {name}, with a nonzero number before it")
    return p[mono], rest


def inverse(p: Poly, env: Env) -> Poly:
    """Returns 1/p for a p that is known to be nonzero."""
    if len(p) == 1:
        [(mono, c)] = p.items()
        if all(a[0] == "char" or is_positive(of_atom(a), env) for a, _ in mono):
            return plus({}, {join((), mono, -1): 1}, Fraction(1) / c)
    if not is_positive(p, env):
        raise Refusal("a divisor is not known to be nonzero")
    lead = freeze(p)[0][1]
    whole = ("sum", "", freeze(plus({}, p, Fraction(1) / lead)))
    return plus({}, {((whole, -1),): 1}, Fraction(1) / lead)


def logarithm(p: Poly, env: Env) -> Poly:
    """Returns log p for a p that is known to be positive; the log of a product splits."""
    if not is_positive(p, env):
        raise Refusal("the logarithm of a term that is not known to be positive")
    lead = freeze(p)[0][1]
    out: Poly = {}
    for whole, sign in ((lead.numerator, 1), (lead.denominator, -1)):
        if whole > 1:
            out = plus(out, atom("log", "", freeze({(): whole})), sign)
    if len(p) > 1:
        return plus(out, atom("log", "", freeze(plus({}, p, Fraction(1) / lead))))
    for one, e in next(iter(p)):
        if one[0] == "exp":
            out = plus(out, dict(one[2]), e)
        else:
            argument = dict(one[2]) if one[0] == "sum" else of_atom(one)
            out = plus(out, atom("log", "", freeze(argument)), e)
    return out


def exponential(p: Poly, env: Env) -> Poly:
    """Returns exp p: the product of exp of the summands, with exp(c log a) = a^c."""
    out = ONE
    for mono, c in p.items():
        inner: Any = mono[0][0] if len(mono) == 1 and mono[0][1] == 1 else ("",)
        argument: Poly = dict(inner[2]) if inner[0] == "log" else {}
        number = constant(argument)
        if argument and number is None:
            power = next(iter(argument)) if len(argument) == 1 else ((("sum", "", inner[2]), 1),)
            factor: Poly = {join((), tuple((a, c * e) for a, e in power)): 1}
        elif argument and number and isinstance(c, int) and abs(c) <= 64:
            factor = plus({}, ONE, Fraction(number) ** c)
        else:
            factor = {((("exp", "", freeze({mono: 1})), c),): 1}
        out = times(out, factor)
    return out
