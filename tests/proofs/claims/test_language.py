"""The grammar: what is read, and one clear refusal for everything else."""

import pytest

from convcheck.core.errors import UsageError
from convcheck.proofs import Open, claim
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


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("2f == f + f", "write * for a product"),
        ("conv(f, g)) == f", "closes no bracket"),
        ("f ∗ g == g ∗ f", "conv(f, g)"),
        ("KL(p||q) >= 0", "KL(p, q)"),
        ("ln(p) <= 0", "write log"),
        ("W mod s == W % s", "write %"),
        ("f == g, g == h", "join formulas with and"),
        ("W >= 1 given k >= 1 given s >= 1", "commas"),
        ("z_i <= max(z)", "write z[i]"),
        ("kernel == 3", "write k"),
        ("∀ W: W >= 1", "leave the quantifier out"),
    ],
)
def test_a_refusal_says_what_to_write(text, fix):
    with pytest.raises(UsageError) as refusal:
        claim(text)
    assert fix in refusal.value.fix


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("⌊W/s⌋ ≤ W/s ∧ W² ≥ W", "floor(W/s) <= W/s and W^2 >= W"),
        ("⌈W/s⌉ ≡ (W+s−1)//s", "ceil(W/s) == (W+s-1)//s"),
        ("¬(W ≠ k) ⇒ k ≥ W && W ≥ k", "not (W != k) implies k >= W and W >= k"),
    ],
)
def test_signs_of_mathematics_mean_what_they_mean(text, plain):
    assert parse_claim(text).goal == parse_claim(plain).goal


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("f == f given 1 == 2", "contradict each other"),
        ("W >= 5 given W >= 3, W <= 2", "contradict each other"),
        ("KL(p, q) == 3 given sum(p) == 2", "contradict each other"),
        ("f == 0 given f > 0", "may say nothing"),
    ],
)
def test_a_claim_that_says_nothing_is_told_so(text, says):
    decision = claim(text, seconds=60)
    assert isinstance(decision, Open) and says in decision.reason
