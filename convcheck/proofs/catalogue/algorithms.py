"""Winograd and Toom-Cook, F(m, r): m outputs of an r-tap filter from m+r-1 products.

Evaluate the taps and the inputs at m+r-1 points (infinity may be one), multiply, interpolate:
y = A^T [(G w) (B^T x)]. With V the Vandermonde matrix of the points, A = V(., 0..m-1),
G = V(., 0..r-1), and B^T is its inverse, transposed; there is one where the points are distinct.
"""

from __future__ import annotations

from typing import Any

from convcheck.proofs.bilinear import winograd_matrices
from convcheck.proofs.theorem import Sibling, Theorem, chain, step

POWERS = "all(p,P,all(o,Out,all(j,Tap,a(p,o)*g(p,j) = v(p,c(o,j)))))"
INVERSE = "all(l,In,all(k,In,S(p,P,b(p,l)*v(p,k)) = delta(l,k)))"


def _matrices(m: int, r: int, *points: int) -> dict[str, Any]:
    """Returns the matrices of F(m, r) at the points and infinity, as a witness."""
    outputs, transform, taps = winograd_matrices(m, r, points)
    rows = range(m + r - 1)
    places = [[(i, j) for i in range(m) for j in range(r) if i + j == k][0] for k in rows]
    return {
        "P": m + r - 1, "In": m + r - 1, "Out": m, "Tap": r,
        "c": [[i + j for j in range(r)] for i in range(m)],
        "a": [[str(value) for value in row] for row in outputs],
        "g": [[str(value) for value in row] for row in taps],
        "b": [[str(transform[at][p]) for at in rows] for p in rows],
        "v": [[str(outputs[p][i] * taps[p][j]) for i, j in places] for p in rows],
    }  # fmt: skip


# F(2, 3) at any three distinct points a, b, c and infinity; e, f, h are the inverse differences.
_M1 = "(w0+a*w1+a*a*w2)*(x2-(b+c)*x1+b*c*x0)*e*h"
_M2 = "(w0+b*w1+b*b*w2)*(x2-(a+c)*x1+a*c*x0)*(-e)*f"
_M3 = "(w0+c*w1+c*c*w2)*(x2-(a+b)*x1+a*b*x0)*f*h"
_M4 = "w2*(x3-(a+b+c)*x2+(a*b+a*c+b*c)*x1-a*b*c*x0)"
_E, _F, _H = "(e*(a-b))", "(f*(b-c))", "(h*(a-c))"
_FIRST = f"(s+t*a)*{_M1} + (s+t*b)*{_M2} + (s+t*c)*{_M3} + t*{_M4}"
_WANTED = "s*(w0*x0+w1*x1+w2*x2) + t*(w0*x1+w1*x2+w2*x3)"
_DISTINCT = ("e*(a-b) = 1", "f*(b-c) = 1", "h*(a-c) = 1")

THEOREMS = (
    Theorem(
        name="winograd_for_all_distinct_points",
        title="Winograd / Toom-Cook F(m, r), for every m, r and all distinct points",
        topic="algorithms",
        says="With a_p(i) g_p(j) = v_p(i+j) and the inverse of v as input transform, the products "
        "add up to the r-tap filter. An inverse exists exactly where the points are distinct.",
        variables={
            "a": "P,Out->K", "g": "P,Tap->K", "b": "P,In->K", "v": "P,In->K", "c": "Out,Tap->In",
            "w": "Tap->K", "x": "In->K", "i": "Out",
        },
        hypotheses=(POWERS, INVERSE),
        statement="S(p,P,a(p,i)*S(j,Tap,g(p,j)*w(j))*S(l,In,b(p,l)*x(l))) = "
        "S(j,Tap,w(j)*x(c(i,j)))",
        proof=chain(
            step(
                "ring", "= S(p,P,S(j,Tap,S(l,In,(a(p,i)*g(p,j))*w(j)*b(p,l)*x(l))))",
                "multiplied out",
            ),
            step(
                "given", "= S(p,P,S(j,Tap,S(l,In,v(p,c(i,j))*w(j)*b(p,l)*x(l))))",
                "powers of a point multiply", hypothesis=POWERS, at="p; i; j",
            ),
            step(
                "swap", "= S(j,Tap,S(p,P,S(l,In,v(p,c(i,j))*w(j)*b(p,l)*x(l))))",
                "finite sums change places", p="j",
            ),
            step(
                "swap", "= S(j,Tap,S(l,In,S(p,P,v(p,c(i,j))*w(j)*b(p,l)*x(l))))",
                "finite sums change places", p="l",
            ),
            step(
                "ring", "= S(j,Tap,S(l,In,w(j)*x(l)*S(p,P,b(p,l)*v(p,c(i,j)))))",
                "w and x do not depend on p",
            ),
            step(
                "given", "= S(j,Tap,S(l,In,w(j)*x(l)*delta(l,c(i,j))))",
                "b is the inverse of v", hypothesis=INVERSE, at="l; c(i,j)",
            ),
            step(
                "sift", "= S(j,Tap,w(j)*x(c(i,j)))", "only l = i + j contributes", l="c(i,j)",
            ),
        ),
        siblings=(
            Sibling(
                statement="S(p,P,a(p,i)*S(j,Tap,g(p,j)*w(j))*S(l,In,v(p,l)*x(l))) = "
                "S(j,Tap,w(j)*x(c(i,j)))",
                says="the input is evaluated where it must be interpolated",
            ),
            Sibling(
                statement="S(p,P,a(p,i)*S(j,Tap,w(j))*S(l,In,b(p,l)*x(l))) = "
                "S(j,Tap,w(j)*x(c(i,j)))",
                says="the taps are not evaluated at the points",
            ),
        ),
        source="Winograd, Arithmetic Complexity of Computations (1980); Lavin and Gray (2016), 4",
        witnesses=(_matrices(2, 3, 0, 1, -1), _matrices(2, 2, 3, -2), _matrices(3, 2, 0, 1, 2)),
    ),
    Theorem(
        name="winograd_f_2_3_at_any_points",
        title="F(2, 3) with four products, at any three distinct points and infinity",
        topic="algorithms",
        says="Both outputs at once, weighted with s and t. e, f and h are 1 over the differences "
        "of the points: that these exist is what distinct means.",
        variables=dict.fromkeys(
            [*"abcefhst", "w0", "w1", "w2", "x0", "x1", "x2", "x3"], "K"
        ),
        hypotheses=_DISTINCT,
        statement=f"{_FIRST} = {_WANTED}",
        proof=chain(
            step(
                "given", f"= (s+t*a)*{_M1}*{_F} + (s+t*b)*{_M2} + (s+t*c)*{_M3} + t*{_M4}*{_F}",
                "times 1", True, hypothesis=_DISTINCT[1],
            ),
            step(
                "given",
                f"= (s+t*a)*{_M1}*{_F} + (s+t*b)*{_M2}*{_H} + (s+t*c)*{_M3} + t*{_M4}*{_F}*{_H}",
                "times 1", True, hypothesis=_DISTINCT[2],
            ),
            step(
                "given",
                f"= (s+t*a)*{_M1}*{_F} + (s+t*b)*{_M2}*{_H} + (s+t*c)*{_M3}*{_E} "
                f"+ t*{_M4}*{_F}*{_H}*{_E}",
                "times 1", True, hypothesis=_DISTINCT[0],
            ),
            step("ring", f"= ({_WANTED})*{_E}*{_F}*{_H}", "multiplied out and collected"),
            step("given", f"= ({_WANTED})*1*{_F}*{_H}", "", hypothesis=_DISTINCT[0]),
            step("given", f"= ({_WANTED})*1*1*{_H}", "", hypothesis=_DISTINCT[1]),
            step("given", f"= ({_WANTED})*1*1*1", "", hypothesis=_DISTINCT[2]),
        ),
        siblings=(
            Sibling(
                statement=f"{_FIRST.replace('+a*a*w2', '')} = {_WANTED}",
                says="the third tap is not evaluated at a",
            ),
            Sibling(
                statement=f"{_FIRST.removesuffix(f' + t*{_M4}')} = {_WANTED}",
                says="infinity is left out: three products",
            ),
        ),
        source="Winograd (1980); Lavin and Gray (2016), 4.1",
        witnesses=(
            {"a": 0, "b": 1, "c": -1, "e": -1, "f": "1/2", "h": 1},
            {"a": 2, "b": -3, "c": "1/2", "e": "1/5", "f": "-2/7", "h": "2/3"},
        ),
    ),
)  # fmt: skip
