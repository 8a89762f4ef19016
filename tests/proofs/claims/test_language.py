"""The grammar: what is read, and one clear refusal for everything else."""

import pytest

from convcheck.core.errors import UsageError
from convcheck.proofs import claim
from convcheck.proofs.claims.language import MAX_CHARACTERS, parse_claim, show


@pytest.mark.parametrize(
    "text",
    [
        "conv(f, g) == conv(g, f)",
        "-2^2 == -(2^2)",
        "a - (b - c) == a - b + c",
        "a/(b*c) == a/b/c",
        "not a == b or c == d and e1 < f_in",
        "a == b implies c == d",
        "shift(f, (1, 2))[m, n] == f[m - 1, n - 2]",
        "0 <= W % s < s",
    ],
)
def test_showing_a_statement_gives_text_that_reads_the_same(text):
    goal = parse_claim(text).goal
    assert parse_claim(show(goal)).goal == goal


def test_spellings_are_read_alike():
    plain = parse_claim("a >= b implies a*c != b^2 given c > 0").goal
    assert parse_claim("a ≥ b => a·c ≠ b**2 if c > 0").goal == plain


def test_precedence_is_that_of_python():
    assert show(parse_claim("1 + 2*3 == 7").goal.args[0]) == "1 + 2 * 3"
    assert parse_claim("-a//b == c").goal.args[0].op == "//"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("conv(f, g == f", "expected ')'"),
        ("conv(f, g)) == f", "closes no bracket"),
        ("(f == g", "expected ')'"),
        ("f[0 == 1", "expected ']'"),
        ("foo == 1", "unknown name 'foo'"),
        ("convolve(f, g) == f", "unknown function 'convolve'"),
        ("f == 2p", "does not continue"),
        ("f @ g == 1", "'@'"),
        ("conv(f) == f", "takes 2 arguments, not 1"),
        ("conv == f", "needs its arguments"),
        ("conv(f, g)", "says nothing"),
        ("2^n == 4", "exponent"),
        ("2^99 == 4", "exponent"),
        ("((W^12)^12)^12 == W", "nested exponents"),
        ("a == b on R", "unknown domain"),
        ("sum(a == b) == 1", "expected a term"),
        ("(a == b) + 1 == 2", "expected a term"),
        ("a == b given", "expected a term"),
        ("a == b given c", "says nothing"),
        ("a == b and", "expected a term"),
        ("1" * 40 + " == 1", "digits"),
        ("(" * 120 + "1" + ")" * 120 + " == 1", "nested deeper"),
        ("-" * 300 + "1 == 1", "symbols"),
        ("a" + " + a" * 400 + " == 1", "symbols"),
        ("f == f " * 1500, "characters"),
        ("x" * 10_000, "10000 characters"),
        ("conv(f, g) == " + "f + " * 2500, "characters"),
        ("conv(f, g) == softmax(z)", "state two claims"),
        ("conv(f, g) == floor(a)", "state two claims"),
        ("conv(f, 3) == f", "takes a sequence"),
        ("conv(f, g) == 3", "compared with a sequence"),
        ("f + 1 == conv(f, g)", "added to a sequence"),
        ("up(f, 0) == f", "at least 1"),
        ("up(f, 2) == f on Z_3", "defined on Z"),
        ("shift(f, 1/2) == f", "no index"),
        ("shift(f, f) == f", "as a sequence and as an integer"),
        ("shift(f, (1, 2)) == shift(f, (1, 2, 3))", "different rank"),
        ("W//0 == 1", "division by 0"),
        ("floor(f[0]) == 1", "does not apply to integers"),
        ("KL(p, q) == corr(p, q)", "state two claims"),
        ("p <= 1", "may be"),
        ("\x1b[31m == 1", "not in the language"),
        ("f == g\x00", "not in the language"),
    ],
)
def test_bad_text_is_one_usage_error(text, says):
    with pytest.raises(UsageError) as refusal:
        claim(text)
    message = str(refusal.value)
    assert says in message
    assert len(message) < 500
    assert "\x1b" not in message and "\x00" not in message


def test_the_longest_claim_that_is_read_is_decided():
    text = "conv(f, g) == conv(g, f)"
    padded = text + " " * (MAX_CHARACTERS - len(text))
    assert claim(padded).statement == text


def test_an_error_points_at_the_place():
    with pytest.raises(UsageError) as refusal:
        claim("conv(f, g) == foo")
    line, caret = refusal.value.where.split("\n")
    assert line[caret.index("^") - 7] == "f"
