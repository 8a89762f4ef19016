"""Small models drawn at random, and the search for one that refutes a statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product
from random import Random
from typing import Any, Literal

from convcheck.proofs.evaluate import EDGE, Model, build, holds, span, violates
from convcheck.proofs.terms import NOT_SETS, UNIT, Env, Tree, names, walk

Arithmetic = Literal["exact", "modular", "balls"]
PRIME, ROOT = 1_000_002_361, 11  # ROOT generates the units modulo PRIME; 840 divides PRIME - 1
UNDEFINED = "a division by 0, which has no value"
ELEMENTS = NOT_SETS - {"K", "K>0", "char"}


def draw(
    env: Env,
    hypotheses: Sequence[Tree],
    random: Random,
    arithmetic: Arithmetic = "exact",
    *,
    reach: int = 3,
    group: int | None = None,
    witness: Mapping[str, Any] | None = None,
) -> Model:
    """Returns a random model of the declared names; hypotheses that define a function are used.

    Args:
        env: The sorts of the names.
        hypotheses: Those of the statement; whether the model satisfies them is not promised.
        random: Source of randomness.
        arithmetic: The numbers to draw.
        reach: Largest element, and half the support of a function on Z.
        group: Modulus that stands for G, D, R and Zn; 0 for Z itself; random by default.
        witness: Sizes and values to take as they are.
    """
    known = witness or {}
    # Wide enough for every index that is a polynomial of degree 3 in elements within reach.
    sizes = {"n": random.randint(3, 7) if group is None else group}
    sizes["window"] = reach**3 + reach**2 + reach + 3 + EDGE
    for domains, values in env.values():
        for domain in (*domains, values):
            if domain in known and domain not in NOT_SETS:
                sizes[domain] = known[domain]
            elif domain not in NOT_SETS:
                sizes.setdefault(domain, random.randint(1, min(3, reach + 1)))
    shell = Model(values={}, sizes=sizes, arithmetic=arithmetic)
    chosen: dict[str, Any] = {}
    for name, (domains, values) in env.items():
        if name in known:
            chosen[name] = _known(known[name], arithmetic, values)
        elif domains:
            endless = all(d in NOT_SETS and d != "N" and not shell.modulus(d) for d in domains)
            chosen[name] = _function(domains, values, shell, random, reach, endless)
        elif values in ("K", "K>0"):
            chosen[name] = _number(values, arithmetic, random)
        else:
            chosen[name] = random.choice(_elements(values, shell, reach))
    if any(value in (constant_one, step) for value in chosen.values() if callable(value)):
        # Larger steps would lead an endless sequence out of the windows.
        chosen |= {n: max(-1, min(1, v)) for n, v in chosen.items() if env[n] == ((), "Z")}
    model = Model(values=chosen, sizes=sizes, arithmetic=arithmetic)
    for tree in hypotheses:
        _normalise(tree, chosen)
        _symmetrise(tree, chosen, sizes["n"])
    with suppress(ZeroDivisionError):  # this model then fails its hypotheses
        _define(hypotheses, env, model, chosen)
    return model


def _known(value: Any, arithmetic: Arithmetic, values: str) -> Any:
    """Returns a number of a witness, or the table of its nested lists."""
    if isinstance(value, list):
        table = [(i, _known(part, arithmetic, values)) for i, part in enumerate(value)]
        nested = [
            (i, part.items() if isinstance(part, dict) else [((), part)]) for i, part in table
        ]
        return {
            _place((i, *(at if isinstance(at, tuple) else (at,)))): number
            for i, pairs in nested for at, number in pairs
        }  # fmt: skip
    number = Fraction(value)
    if values not in ("K", "K>0") or arithmetic == "exact":
        return int(number) if number.denominator == 1 else number
    if arithmetic == "modular":
        from flint import nmod

        return nmod(number.numerator, PRIME) / nmod(number.denominator, PRIME)
    from flint import fmpq

    return fmpq(number.numerator, number.denominator)


def _elements(domain: str, model: Model, reach: int) -> list[int]:
    if domain in ("Z", "N") or (domain in NOT_SETS and not model.modulus(domain)):
        return list(range(0 if domain == "N" else -reach, reach + 1))
    return list(span(domain, model))


def _number(values: str, arithmetic: Arithmetic, random: Random) -> Any:
    if values == "Z":
        return random.randint(-2, 3)
    if arithmetic == "modular":
        from flint import nmod

        return nmod(random.randrange(1, PRIME), PRIME)
    low = 1 if values == "K>0" else -2
    if arithmetic == "balls":
        from flint import fmpq

        return fmpq(random.randint(low, 5), random.randint(1, 4))
    return Fraction(random.randint(low, 3))


def _function(
    domains: tuple[str, ...],
    values: str,
    model: Model,
    random: Random,
    reach: int,
    endless: bool,
) -> Any:
    if values == "char":
        if model.arithmetic == "exact":
            return constant_one
        from flint import nmod

        n, power = model.sizes["n"], random.randint(1, 6)
        root = nmod(ROOT, PRIME) ** ((PRIME - 1) // (n or 7) * power)
        return lambda a: root ** (a % n if n else a)
    places = list(product(*(_elements(domain, model, reach) for domain in domains)))
    if endless and random.random() < 0.6 and values == "K":
        return random.choice((constant_one, step))
    if values == "K" and model.arithmetic == "exact" and random.random() < 0.4:
        return {_place(random.choice(places)): Fraction(1)}
    return {_place(at): _number(values, model.arithmetic, random) for at in places}


def _place(at: tuple[int, ...]) -> Any:
    return at if len(at) != 1 else at[0]


def constant_one(*at: int) -> int:
    """The sequence that is 1 everywhere."""
    return 1


def step(*at: int) -> int:
    """The sequence that is 1 from 0 on, and 0 before."""
    return int(min(at) >= 0)


def _normalise(hypothesis: Tree, chosen: dict[str, Any]) -> None:
    """Divides a table by its sum where a hypothesis says S(x,X,p(x)) = 1."""
    if hypothesis[0] != "rel" or hypothesis[3] != UNIT or hypothesis[2][0] != "S":
        return
    body = hypothesis[2][2]
    table = chosen.get(body[1]) if body[0] == "app" else None
    if isinstance(table, dict) and (total := sum(table.values())) != 0:
        chosen[body[1]] = {at: value / total for at, value in table.items()}


def _symmetrise(hypothesis: Tree, chosen: dict[str, Any], modulus: int) -> None:
    """Makes a table even where a hypothesis says all(x,G,f(-x) = f(x))."""
    if hypothesis[0] != "all" or hypothesis[2][0] != "rel":
        return
    left, right = hypothesis[2][2:]
    x = ("var", hypothesis[1][0])
    table = chosen.get(left[1]) if left[2:] == (("neg", "", x),) and right[2:] == (x,) else None
    if isinstance(table, dict) and left[1] == right[1]:
        for at in list(table):
            mirrored = -at % modulus if modulus else -at
            table[mirrored] = table[at]


def _define(hypotheses: Sequence[Tree], env: Env, model: Model, chosen: dict[str, Any]) -> None:
    """Makes each function that hypotheses define by recursion on N what they say."""
    clauses: dict[str, list[tuple[Tree, Tree, Env]]] = {}
    for tree in hypotheses:
        inner: dict[str, Any] = dict(env)
        while tree[0] == "all":
            inner[tree[1][0]] = ((), tree[1][1])
            tree = tree[2]
        if tree[:2] != ("rel", "="):
            continue
        name = tree[2][1]
        if tree[2][0] == "app" and "N" in env[name][0]:
            clauses.setdefault(name, []).append((tree[2], tree[3], inner))
        elif tree[2][0] == "var" and name not in names(tree[3]):
            chosen[name] = build(tree[3], env, model)({})
    for name, cases in clauses.items():
        chosen[name] = _recursive(cases, model)


def _recursive(cases: list[tuple[Tree, Tree, Env]], model: Model) -> Any:
    made: dict[int, Any] = {}  # built when first wanted: a clause may name a later function

    @cache
    def value(*at: int) -> Any:
        for number, (pattern, body, env) in enumerate(cases):
            scope = _match(pattern, at, model)
            if scope is not None:
                if number not in made:
                    made[number] = build(body, env, model)
                return made[number](scope)
        return 0

    return value


def _match(pattern: Tree, at: tuple[int, ...], model: Model) -> dict[str, Any] | None:
    scope: dict[str, Any] = {}
    for kid, got in zip(pattern[2:], at, strict=True):
        if kid[0] == "num" and kid[1] == got:
            continue
        if kid[0] == "var" and kid[1] not in model.values:
            scope[kid[1]] = got
        elif kid[0] == "add" and kid[2][0] == "var" and kid[3][0] == "num" and got >= kid[3][1]:
            scope[kid[2][1]] = got - int(kid[3][1])
        else:
            return None
    return scope


def places(
    tree: Tree, env: Env, model: Model, random: Random, limit: int = 12
) -> Iterator[dict[str, int]]:
    """Yields values for the free elements of a statement: all of them, or `limit` at random.

    At t = 0, or modulo 2, a reflection is the identity: a check that does not sweep them lies.
    """
    free = [
        n for n in names(tree) & set(env) if not env[n][0] and env[n][1] in ELEMENTS - {"Z", "N"}
    ]
    free += [n for n in names(tree) & set(env) if not env[n][0] and env[n][1] not in NOT_SETS]
    ranges = [list(span(env[name][1], model))[:9] for name in sorted(free)]
    every = [dict(zip(sorted(free), at, strict=True)) for at in product(*ranges)]
    yield from every if len(every) <= limit else random.sample(every, limit)


def arithmetic_of(statement: Tree, env: Env) -> Arithmetic:
    """Returns the arithmetic of a statement: balls for logarithms, exact where order matters."""
    heads = {node[0] for node in walk(statement)}
    if heads & {"log", "exp", "gap"}:
        return "balls"
    valued = any(values in ("K", "K>0", "char") for _, values in env.values())
    return "exact" if heads & {"max", "min", "M"} or not valued else "modular"


def search(
    statement: Tree,
    env: Env,
    hypotheses: Sequence[Tree],
    *,
    tries: int = 400,
    seed: int = 0,
    group: int | None = None,
    witnesses: Sequence[Mapping[str, Any]] = (),
) -> tuple[Model, str] | None:
    """Returns a model in which the hypotheses hold and the statement fails, small ones first.

    Returns:
        (model, both sides as text), or None where none was found.
    """
    random = Random(seed)
    summed = any(node[0] == "S" for tree in (statement, *hypotheses) for node in walk(tree))
    characters = any(values == "char" for _, values in env.values())
    arithmetic = arithmetic_of(statement, env)
    if arithmetic == "modular" and (group == 0 or not characters):
        arithmetic = "exact"  # readable; on Z itself, the trivial character
    for attempt in range(tries):
        reach = 1 + attempt * (2 if summed else 6) // tries
        known = _loosened(witnesses, random) if attempt % 4 else None
        model = draw(env, hypotheses, random, arithmetic, reach=reach, group=group, witness=known)
        for moved in _moved(statement, env, hypotheses, model, random):
            if shows := _judge(statement, env, moved):
                return moved, shows
    return None


def _loosened(witnesses: Sequence[Mapping[str, Any]], random: Random) -> Mapping[str, Any] | None:
    """Returns a witness with up to two of its values forgotten: what else may they be?"""
    if not witnesses:
        return None
    witness = random.choice(witnesses)
    forgotten = random.sample(sorted(witness), random.randint(0, 2))
    return {name: value for name, value in witness.items() if name not in forgotten}


def confirm(
    statement: Tree,
    env: Env,
    hypotheses: Sequence[Tree],
    *,
    models: int | None = None,
    seed: int = 1,
    witnesses: Sequence[Mapping[str, Any]] = (),
) -> tuple[int, tuple[Model, str] | None]:
    """Returns how many places were checked in how many models, and the first violation."""
    random, checked, found = Random(seed), 0, 0
    arithmetic = arithmetic_of(statement, env)
    whole = all(not domains and values == "Z" for domains, values in env.values())
    models = models or (60 if whole else 3)
    for _ in range(6000):
        known = random.choice(witnesses) if witnesses else None
        model = draw(env, hypotheses, random, arithmetic, reach=2, witness=known)
        before = checked
        for moved in _moved(statement, env, hypotheses, model, random):
            shows = _judge(statement, env, moved)
            checked += shows != UNDEFINED
            if shows and shows != UNDEFINED:
                return checked, (moved, shows)
        found += checked > before
        if found == models:
            break
    return checked, None


def _judge(statement: Tree, env: Env, model: Model) -> str:
    """Returns what is wrong with the statement in a model, or nothing."""
    try:
        return violates(statement, env, model, {})
    except ZeroDivisionError:
        return UNDEFINED


def find_model(
    env: Env,
    hypotheses: Sequence[Tree],
    *,
    tries: int = 3000,
    witness: Mapping[str, Any] | None = None,
) -> Model | None:
    """Returns a model of the hypotheses in exact arithmetic, or None where none was found."""
    random = Random(0)
    for attempt in range(tries):
        reach, known = 1 + attempt * 6 // tries, None if attempt else witness
        model = draw(env, hypotheses, random, "exact", reach=reach, group=5, witness=known)
        if _satisfies(hypotheses, env, model):
            return model
    return None


def _moved(
    statement: Tree, env: Env, hypotheses: Sequence[Tree], model: Model, random: Random
) -> Iterator[Model]:
    """Yields the model with the free elements swept, wherever the hypotheses hold."""
    if not _satisfies(hypotheses, env, model):
        return
    for scope in places(statement, env, model, random):
        moved = replace(model, values={**model.values, **scope})
        if not scope or _satisfies(hypotheses, env, moved):
            yield moved


def _satisfies(hypotheses: Sequence[Tree], env: Env, model: Model) -> bool:
    try:
        return all(holds(tree, env, model, {}) for tree in hypotheses)
    except ZeroDivisionError:
        return False


def describe(model: Model) -> dict[str, Any]:
    """Returns a model as JSON values: numbers as text, tables as mappings."""
    out: dict[str, Any] = {name: size for name, size in model.sizes.items() if name != "window"}
    for name, value in model.values.items():
        if isinstance(value, Mapping):
            table = {str(at): str(v) for at, v in value.items() if v != 0}
            out[name] = table
        elif callable(value):
            out[name] = {constant_one: "1 everywhere", step: "1 from 0 on"}.get(
                value, "as its hypotheses say"
            )
        else:
            out[name] = str(value) if not isinstance(value, int) else value
    return out
