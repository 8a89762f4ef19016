"""Fast filter algorithms y = A^T [(G g) * (B^T d)]: decided exactly, measured, constructed.

An r-tap filter with m outputs is y[i] = sum over k of g[k] d[i + k]. An algorithm that multiplies
transformed taps by transformed inputs computes it exactly if its structure tensor

    T[i][k][l] = sum over p of A[p][i] G[p][k] B[l][p]     is 1 where l == i + k, and 0 elsewhere,

which is finitely many sums of fractions: no sample is involved.

The construction of Winograd and Toom-Cook takes m + r - 2 distinct points and infinity. With
Vandermonde matrices V_m, V_r, V_n of n = m + r - 1 columns, V_m[p][i] V_r[p][k] = V_n[p][i + k],
so that A = V_m, G = V_r and B^T = the inverse transpose of V_n give T[i][k][l] = [l == i + k].

References:
    Winograd, "Arithmetic Complexity of Computations"; Lavin and Gray, "Fast Algorithms for
    Convolutional Neural Networks".
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from numbers import Rational
from typing import Any

from convcheck.core.errors import InputError
from convcheck.core.verdict import Verdict

Matrix = tuple[tuple[Fraction, ...], ...]
MAX_ENTRIES = 10_000
REVERSED = "this is the convolution, which reads the taps backwards: reverse each row of G"
_NUMBER = re.compile(r"[-+]?\d{1,30}([/.]\d{1,30})?")
MAX_DENOMINATOR = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class BilinearCheck:
    """Whether three matrices compute a filter, and how much they amplify errors.

    Attributes:
        holds: Whether they do, for all taps and all inputs.
        outputs: Number of outputs m, per axis.
        taps: Number of taps r, per axis.
        axes: Number of axes of the data.
        multiplications: Number of products (rows of G).
        direct: Multiplications of the direct sum.
        amplification: Largest sum of |A| |G| |B| over an output, over that of the direct sum: how
            much more a rounding error of size 1 in every product chain can grow.
        reading: Which of the matrices were read as their transposes.
        shows: The first entry of the structure tensor that is wrong, or what was checked.
        computes: "filter"; "convolution" where the taps are read backwards; else "".
    """

    holds: bool
    outputs: int
    taps: int
    axes: int
    multiplications: int
    direct: int
    amplification: Fraction
    reading: str
    shows: str
    computes: str

    def __bool__(self) -> bool:
        """Whether it holds."""
        return self.holds

    @property
    def verdict(self) -> Verdict:
        """`Verdict.PASS` or `Verdict.FAIL`."""
        return Verdict.PASS if self.holds else Verdict.FAIL


def verify_bilinear(A: Any, B: Any, G: Any, *, nested: int = 1) -> BilinearCheck:
    """Returns whether y = A^T [(G g) * (B^T d)] is the r-tap filter, decided exactly.

    Entries are ints, fractions, text such as "1/6", or floats; a float is read as the simplest
    fraction that rounds to it, so that 0.16666666666666666 is 1/6.

    Args:
        A: Multiplications x outputs; its transpose, A^T, is taken as well.
        B: Inputs x multiplications; its transpose, B^T, is taken as well.
        G: Multiplications x taps. For data of two axes in row-major order give the Kronecker
            products, as `nest` makes them: the sizes say so.
        nested: Number of axes along which these one-axis matrices are applied in turn.

    Returns:
        The check, true where it holds.

    Raises:
        InputError: The matrices are malformed, or their sizes fit no filter.

    References:
        Lavin and Gray, equations 5 to 10.
    """
    if nested not in (1, 2, 3):
        raise InputError(f"nested={nested}", why="it must be 1, 2 or 3")
    taps = _read(G, "G")
    count = len(taps)
    outputs, read = _orientations(_read(A, "A"), count, "A")[0]
    axes, choices = 0, _orientations(_transposed(_read(B, "B")), count, "B")
    wrongs = []
    backwards = tuple(row[::-1] for row in taps)
    computes = "filter"
    for turned, note in choices:
        inputs = _transposed(turned)
        axes = _axes(len(outputs[0]), len(taps[0]), len(inputs))
        wrongs.append(_first_wrong(outputs, inputs, taps, axes, nested))
        if not wrongs[-1]:
            read = ", ".join(filter(None, (read, note)))
            break
    else:
        computes = ""
        for turned, _ in choices:
            if not _first_wrong(outputs, _transposed(turned), backwards, axes, nested):
                computes = "convolution"
        inputs = _transposed(choices[0][0])
    m, r, n, wrong = len(outputs[0]), len(taps[0]), len(inputs), all(wrongs) and wrongs[0]
    if computes == "convolution":
        wrong = f"{wrong}; {REVERSED}"
    elif wrong and (rounded := _large_denominator(outputs, inputs, taps)):
        wrong += f"; if {rounded} is a rounded fraction, give it as text, such as '1/6'"
    return BilinearCheck(
        holds=not wrong,
        outputs=_root(m, axes),
        taps=_root(r, axes),
        axes=axes * nested,
        multiplications=count**nested,
        direct=(m * r) ** nested,
        amplification=error_amplification(outputs, inputs, taps) ** nested,
        reading=read,
        computes=computes,
        shows=wrong or f"all {m * r * n} entries of the structure tensor are right",
    )


def error_amplification(A: Matrix, B: Matrix, G: Matrix) -> Fraction:
    """Returns max over outputs i of sum over p of |A[p][i]| |G[p]| |B[p]|, over the taps r.

    |G[p]| and |B[p]| are sums of absolute entries; the direct sum has r, so that 1 is as good
    as direct.

    Args:
        A: Multiplications x outputs.
        B: Inputs x multiplications.
        G: Multiplications x taps.
    """
    weights = [sum(map(abs, row)) * sum(abs(line[p]) for line in B) for p, row in enumerate(G)]
    largest = max(
        sum((abs(A[p][i]) * weight for p, weight in enumerate(weights)), Fraction(0))
        for i in range(len(A[0]))
    )
    return largest / len(G[0])


def winograd_matrices(
    m: int, r: int, points: Iterable[int | str | Fraction]
) -> tuple[Matrix, Matrix, Matrix]:
    """Returns A, B, G of the algorithm F(m, r) at the given points and infinity.

    The rows of B^T are scaled to be coprime integers, as in the published matrices.

    Args:
        m: Outputs, >= 1.
        r: Taps, >= 1.
        points: m + r - 2 distinct numbers.

    Raises:
        InputError: The points are not distinct, or not as many.
    """
    if m < 1 or r < 1:
        raise InputError(f"F({m}, {r})", why="m and r must be at least 1")
    values = [_entry(point, "points") for point in points]
    if len(values) != m + r - 2:
        raise InputError(
            f"{len(values)} points", why=f"F({m}, {r}) takes m + r - 2 = {m + r - 2}, and infinity"
        )
    if len(set(values)) != len(values):
        repeated = next(value for value in values if values.count(value) > 1)
        raise InputError(f"point {repeated} stands twice", fix="use distinct points")
    outputs: list[tuple[Fraction, ...]] = []
    inputs: list[tuple[Fraction, ...]] = []
    taps: list[tuple[Fraction, ...]] = []
    for value in values:
        others = [other for other in values if other != value]
        numerator = _polynomial(others)
        scale = math.prod((value - other for other in others), start=Fraction(1))
        # Lagrange's polynomial at this point: numerator / scale; its degree is n - 2
        row = [*(entry / scale for entry in numerator), Fraction(0)]
        outputs.append(_powers(value, m))
        _add_scaled(row, _powers(value, r), inputs, taps)
    outputs.append(_last(m))
    _add_scaled(_polynomial(values), _last(r), inputs, taps)
    return tuple(map(tuple, outputs)), _transposed(tuple(map(tuple, inputs))), tuple(taps)


def nest(matrix: Matrix, axes: int = 2) -> Matrix:
    """Returns the Kronecker power of a matrix, for data of `axes` axes in row-major order."""
    result = matrix
    for _ in range(axes - 1):
        result = tuple(
            tuple(a * b for a, b in product(row, other)) for row in result for other in matrix
        )
    return result


def _orientations(matrix: Matrix, count: int, name: str) -> list[tuple[Matrix, str]]:
    """Returns a matrix with `count` rows, as it is and transposed where its sizes allow both."""
    turned = _transposed(matrix)
    allowed = [
        (choice, note)
        for choice, note in ((matrix, ""), (turned, f"{name} as {name}^T"))
        if len(choice) == count
    ]
    if not allowed:
        rows, columns = len(matrix), len(turned)
        raise InputError(
            f"{name} has sides {rows} and {columns}",
            why=f"G has {count} rows, one per multiplication; neither side of {name} is {count}",
        )
    return allowed


def _first_wrong(A: Matrix, B: Matrix, G: Matrix, axes: int, nested: int) -> str:
    """Returns the first wrong entry of the structure tensor as text, or "".

    Applied along several axes the tensor is a power of this one, and it is right exactly if this
    one is, or if this one is the negative and the number of axes even.
    """
    m, r, n = len(A[0]), len(G[0]), len(B)
    first, negative = "", nested % 2 == 0
    (a, b, g), unit = _as_integers(A, B, G)
    for i, k in product(range(m), range(r)):
        place = _shifted(i, k, _root(m, axes), _root(r, axes), axes)
        weights = [a[p][i] * g[p][k] for p in range(len(g))]
        for x in range(n):
            value = sum(map(int.__mul__, weights, b[x]))
            wanted = unit if x == place else 0
            negative = negative and value == -wanted
            if value != wanted:
                entry = f"output {i}, tap {k}, input {x}: {Fraction(value, unit)}"
                first = first or f"{entry}, where the filter has {wanted // unit}"
            if first and not negative:
                return first
    return "" if negative else first


def _as_integers(*matrices: Matrix) -> tuple[list[list[list[int]]], int]:
    """Returns the matrices times their common denominators, and the product of these."""
    scaled, unit = [], 1
    for matrix in matrices:
        scale = math.lcm(*(entry.denominator for row in matrix for entry in row))
        scaled.append([[int(entry * scale) for entry in row] for row in matrix])
        unit *= scale
    return scaled, unit


def _shifted(i: int, k: int, m: int, r: int, axes: int) -> int:
    """Returns the flat place of the input that output i multiplies by tap k."""
    place, unit = 0, 1
    for _ in range(axes):
        place += (i % m + k % r) * unit
        i, k, unit = i // m, k // r, unit * (m + r - 1)
    return place


def _axes(m: int, r: int, n: int) -> int:
    """Returns how many axes the sizes belong to: n == m + r - 1 along each."""
    for axes in (1, 2, 3):
        roots = [_root(size, axes) for size in (m, r, n)]
        exact = [root**axes for root in roots] == [m, r, n]
        if exact and roots[2] == roots[0] + roots[1] - 1:
            return axes
    if m == n + r - 1:
        raise InputError(
            f"{m} outputs, {r} taps and {n} inputs fit no filter",
            why=f"they fit the full convolution of {n} inputs and {r} taps, whose transpose is the "
            f"filter with {n} outputs and {m} inputs",
            fix="exchange A and B",
        )
    raise InputError(
        f"{m} outputs, {r} taps and {n} inputs fit no filter",
        why=f"a filter of {r} taps reads m + r - 1 = {m + r - 1} inputs for {m} outputs",
        fix="give A as multiplications x outputs, B as inputs x multiplications, "
        "G as multiplications x taps",
    )


def _root(size: int, axes: int) -> int:
    return next(root for root in range(size, -1, -1) if root**axes <= size)


def _read(matrix: Any, name: str) -> Matrix:
    try:
        rows = [list(row) for row in matrix]
    except TypeError:
        raise InputError(f"{name} is no matrix", fix="give a list of rows") from None
    if not rows or not rows[0]:
        raise InputError(f"{name} is empty")
    for place, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InputError(
                f"the rows of {name} differ in length",
                why=f"row 0 has {len(rows[0])} entries, row {place} has {len(row)}",
            )
    if len(rows) * len(rows[0]) > MAX_ENTRIES:
        raise InputError(f"{name} has more than {MAX_ENTRIES} entries")
    return tuple(tuple(_entry(entry, name) for entry in row) for row in rows)


def _entry(value: Any, name: str) -> Fraction:
    try:
        if isinstance(value, Rational) or isinstance(value, str) and _NUMBER.fullmatch(value):
            return Fraction(value)
        single = "float32" in str(getattr(value, "dtype", ""))
        if hasattr(value, "__index__") and not single:
            return Fraction(value.__index__())
        number = float(value)
        exact = Fraction(number)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        raise InputError(f"{name} has an entry {value!r:.60}", why="it is no number") from None
    simple = exact.limit_denominator(MAX_DENOMINATOR)
    # 1/6 in single precision is another number than 1/6 in double precision
    rounded = struct.unpack("f", struct.pack("f", simple))[0] if single else float(simple)
    return simple if rounded == number else exact


def _large_denominator(*matrices: Matrix) -> str:
    """Returns the first entry that looks like a rounded fraction as text, or ""."""
    for matrix in matrices:
        for entry in (entry for row in matrix for entry in row):
            if entry.denominator > 1000:
                return str(float(entry))
    return ""


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _powers(value: Fraction, count: int) -> tuple[Fraction, ...]:
    return tuple(value**exponent for exponent in range(count))


def _last(count: int) -> tuple[Fraction, ...]:
    return (*[Fraction(0)] * (count - 1), Fraction(1))


def _polynomial(roots: Sequence[Fraction]) -> list[Fraction]:
    """Returns the coefficients of the monic polynomial with these roots, lowest first."""
    result = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *result]
        result = [a - root * b for a, b in zip(shifted, [*result, Fraction(0)], strict=True)]
    return result


def _add_scaled(
    row: list[Fraction],
    tap_row: tuple[Fraction, ...],
    inputs: list[tuple[Fraction, ...]],
    taps: list[tuple[Fraction, ...]],
) -> None:
    """Adds a row of B^T as coprime integers, and the row of G divided by what it was scaled by."""
    factor = Fraction(
        math.lcm(*(entry.denominator for entry in row)),
        math.gcd(*_numerators(row)),
    )
    inputs.append(tuple(entry * factor for entry in row))
    taps.append(tuple(entry / factor for entry in tap_row))


def _numerators(row: list[Fraction]) -> Iterator[int]:
    scale = math.lcm(*(entry.denominator for entry in row))
    for entry in row:
        yield int(entry * scale)
