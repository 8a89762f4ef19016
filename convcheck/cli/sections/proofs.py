"""Section: the catalogue of theorems, each proved, its false siblings refused and refuted."""

from __future__ import annotations

from itertools import groupby

from convcheck.cli.sections.context import Context
from convcheck.core.finding import Finding
from convcheck.core.text import for_markdown, for_markdown_code
from convcheck.core.verdict import Verdict
from convcheck.proofs import Decision, Open, Proved, Refuted, Theorem, claim, theorems
from convcheck.proofs.conclude import ARITHMETIC, prove_theorems
from convcheck.proofs.lines import to_markdown
from convcheck.proofs.mutation import run_mutation_test
from convcheck.proofs.sympy_latex import print_latex, sympy_latex
from convcheck.report.document import Block, Folded, Formula, Paragraph, Section, Table

SHOWN = (
    "convolution_commutes_as_in_the_notes",
    "convolution_commutes",
    "conv_output_size",
    "winograd_for_all_distinct_points",
    "kl_is_cross_entropy_minus_entropy",
    "log_likelihood_is_minus_m_cross_entropy",
)
CLAIMS = (
    "corr(f, g) == corr(g, f)",
    "dot(conv(f, w), g) == dot(f, corr(w, g))",
    "count(W,k,s,p,d) == floor((W+2*p-d*(k-1)-1)/s)+1",
    "count(W,k,s,p,d) == max(0, floor((W+2*p-d*(k-1)-1)/s)+1)",
    "KL(p, q) == KL(q, p)",
    "softmax(z) == softmax(z + 1)",
)

_INTRO = """\
A theorem counts as proved when a small kernel, which knows neither SymPy nor a solver, recomputes
every line of its derivation; when SymPy reaches the same statement by the same lines, or has no
form for it, which is said; when an evaluation that shares nothing with either agrees; when
each false sibling is refused by the kernel and refuted by a model; and when dropping any hypothesis
leaves a statement that a model refutes. Z3 is asked too about integers, and must not contradict.
`convcheck prove --certificate all.json` writes the derivations, `convcheck verify all.json`
re-checks them with the standard library alone."""


def build(context: Context) -> Section:
    """Returns the section."""
    known = theorems()
    decided = list(zip(known, prove_theorems(known), strict=True))
    proved = sum(isinstance(decision, Proved) for _, decision in decided)
    checks = sum(len(d.checks) for _, d in decided if isinstance(d, Proved))
    blocks: list[Block] = [Paragraph(_INTRO)]
    by_name = {theorem.name: (theorem, decision) for theorem, decision in decided}
    for name in SHOWN:
        blocks.extend(_derivation(*by_name[name]))
    blocks.extend(_second_checks(decided))
    blocks.append(Paragraph("### The whole catalogue"))
    for topic, group in groupby(decided, key=lambda pair: pair[0].topic):
        blocks.append(Folded(f"<b>{topic}</b>", (_table(list(group)),)))
    blocks.extend(_claims())
    findings = [_finding(theorem, decision) for theorem, decision in decided]
    told, mutants = _mutation(context, known)
    blocks.append(told)
    findings.append(mutants)
    return Section(
        key="proofs",
        title="Proofs",
        says=f"{proved} of {len(known)} theorems proved; {checks} checks beside them: "
        "second evaluations, false siblings and dropped hypotheses refuted",
        blocks=tuple(blocks),
        findings=tuple(findings),
        data={theorem.name: str(decision.verdict) for theorem, decision in decided},
    )


def _second_checks(decided: list[tuple[Theorem, Decision]]) -> list[Block]:
    """Returns how many theorems each further check covers, and what an engine cannot follow."""
    proved = [decision for _, decision in decided if isinstance(decision, Proved)]
    kinds = (*(f"evaluated, {how}" for how in ARITHMETIC.values()), "SymPy reaches", "Z3 finds no")
    rows = []
    for kind in kinds:
        start, _, end = kind.partition(", ")
        count = sum(
            any(check.startswith(start) and check.endswith(end) for check in decision.checks)
            for decision in proved
        )
        rows.append((f"{kind} ..." if kind[0] in "SZ" else kind, str(count)))
    remarks = "; ".join(f"{d.name}: {remark}" for d in proved for remark in d.remarks)
    printed = sum(sympy_latex(theorem.statement) is not None for theorem, _ in decided)
    return [
        Paragraph("### Second, independent checks"),
        Table(("check", "theorems"), tuple(rows)),
        Paragraph(
            f"SymPy prints {printed} of the {len(decided)} statements; the others, sums over a "
            "group or an unordered set and counts, have no SymPy form and are printed by convcheck."
            + (f" Not followed: {for_markdown(remarks)}." if remarks else "")
        ),
    ]


def _derivation(theorem: Theorem, decision: Decision) -> list[Block]:
    under = ", ".join(theorem.hypotheses)
    told = f"### {theorem.title[0].upper()}{theorem.title[1:]}\n\n{theorem.says}"
    verdict = type(decision).__name__
    return [
        Paragraph(told),
        Formula(print_latex(theorem.statement)),
        Paragraph(f"**{verdict}**" + (f" under {for_markdown(under)}" if under else "")),
        Paragraph(to_markdown(theorem)),
    ]


def _table(decided: list[tuple[Theorem, Decision]]) -> Table:
    return Table(
        ("theorem", "statement", "under", "verdict", "refuted beside it"),
        tuple(
            (
                f"{for_markdown(theorem.title)} (`{theorem.name}`)",
                for_markdown_code(theorem.statement),
                for_markdown(", ".join(theorem.hypotheses)),
                type(decision).__name__,
                for_markdown("; ".join(s.says for s in theorem.siblings)),
            )
            for theorem, decision in decided
        ),
    )


def _claims() -> list[Block]:
    """Returns statements that a reader might believe, decided by `convcheck claim`."""
    rows = []
    for text in CLAIMS:
        decision = claim(text)
        if isinstance(decision, Refuted):
            witness = ", ".join(f"{name} = {value}" for name, value in decision.witness.items())
            told = f"{witness}: {decision.shows}"
        elif isinstance(decision, Open):
            told = decision.reason
        else:
            told = "; ".join(decision.hypotheses)
        rows.append((for_markdown_code(text), type(decision).__name__, for_markdown(told)))
    text = "### Statements that one might believe\n\nDecided by `convcheck claim`:"
    header = ("statement", "verdict", "hypotheses, or the smallest counterexample")
    return [Paragraph(text), Table(header, tuple(rows))]


def _mutation(context: Context, known: tuple[Theorem, ...]) -> tuple[Paragraph, Finding]:
    """Returns what the kernel makes of mutants; of every fortieth in the quick profile."""
    context.say("mutants of the certificates")
    report = run_mutation_test(known, every=1 if context.full else 40)
    says = (
        f"{report.mutants:,} mutants of the certificates' lines and statements: "
        f"{report.refused:,} refused; {len(report.rederived)} accepted as other derivations of the "
        f"same statement; {len(report.evaluated)} accepted with another statement that is true "
        "wherever it was evaluated (n >= 3, all free indices swept); "
        f"{len(report.accepted_false)} accepted and false; {len(report.undecided)} undecided"
    )
    finding = Finding(
        verdict=Verdict.PASS if report.passed else Verdict.FAIL,
        where="mutants of the certificates",
        what=says,
    )
    return Paragraph(f"### Mutants of the certificates\n\n{says}."), finding


def _finding(theorem: Theorem, decision: Decision) -> Finding:
    what = theorem.statement if isinstance(decision, Proved) else str(decision)
    return Finding(verdict=decision.verdict, where=theorem.name, what=what)
