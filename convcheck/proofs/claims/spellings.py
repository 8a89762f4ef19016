"""Other ways to write what the claims language says, and what to write where it is not in it."""

SPELLINGS = {"=": "==", "**": "^", "=>": "implies", "->": "implies", "<=>": "iff", "&&": "and"}
UNICODE = str.maketrans(
    {"≤": "<=", "≥": ">=", "≠": "!=", "·": "*", "×": "*", "−": "-", "⇒": "=>", "⇔": "<=>",
     "≡": "==", "²": "^2", "³": "^3", "⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")",
     "∧": " and ", "∨": " or ", "¬": " not ",
     "δ": "delta", "α": "alpha", "β": "beta", "λ": "lambda", "τ": "tau", "γ": "gamma"}
)  # fmt: skip
_NO_QUANTIFIER = "leave the quantifier out: names stand for all values"
INSTEAD = {
    "∗": "write conv(f, g) for a convolution, * for a product", "⋆": "write corr(f, g)",
    "|": "write KL(p, q) for a divergence; formulas are joined with or",
    "&": "formulas are joined with and", "!": "write not, or !=",
    "∑": "write sum(f)", "Σ": "write sum(f)", "_": "write z[i]",
    "∀": _NO_QUANTIFIER, "for": _NO_QUANTIFIER, "forall": _NO_QUANTIFIER,
    "mod": "write %", "div": "write //", "ln": "write log", "lse": "write logsumexp",
    "kl": "write KL", "CE": "write H(p, q), or nll(z, y) for a label",
    "cross_entropy": "write nll(z, y), or H(p, q)", "mean": "write sum(z)/n",
    "argmax": "write max(z)", "stride": "write down(f, s), or s for a number",
    "dilate": "write up(f, d)", "dilation": "write d", "kernel": "write k", "padding": "write p",
    "transpose": "the transposed layer of w is conv(up(f, s), w)",
    ",": "join formulas with and", "given": "separate hypotheses with commas",
    ")": "it closes no bracket",
}  # fmt: skip
