import json
from xml.etree import ElementTree

import pytest

from convcheck.core.case import parse_case
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.report import (
    Attachment,
    Code,
    Document,
    Figure,
    Folded,
    Formula,
    Paragraph,
    Section,
    Table,
    failed_section,
    render,
)
from convcheck.report.store import section_from_json, section_to_json

HOSTILE = "<img src=x onerror=alert(1)> | `x` \x1b[31m **b**"


def section(*findings: Finding, key: str = "one") -> Section:
    blocks = (
        Paragraph("text"),
        Formula("a^2"),
        Code("``` inside"),
        Table(("a", "b"), (("1", "2"),)),
        Attachment("page.html", "a page", b"<p>"),
        Folded("more", (Figure("f.svg", "a picture", b"<svg/>"),)),
    )
    return Section(key=key, title="One thing", says="it says", blocks=blocks, findings=findings)


def document(*sections: Section, incomplete: str = "") -> Document:
    return Document(
        title="T", intro="I", sections=sections, environment={"os": "x|y"}, incomplete=incomplete
    )


def finding(verdict: Verdict = Verdict.PASS, **fields: object) -> Finding:
    return Finding(verdict=verdict, where="here", what="what", **fields)  # type: ignore[arg-type]


def test_a_section_without_findings_is_unknown() -> None:
    assert section().verdict is Verdict.UNKNOWN
    assert document().verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("worst", [Verdict.FAIL, Verdict.ERROR, Verdict.UNKNOWN])
def test_the_document_is_as_bad_as_its_worst_finding(worst: Verdict) -> None:
    good, bad = section(finding()), section(finding(), finding(worst), key="two")
    assert document(good, bad).verdict is worst


def test_every_file_is_rendered() -> None:
    files = render(document(section(finding())))
    assert set(files) == {
        "report.md",
        "report.json",
        "report.junit.xml",
        "figures/f.svg",
        "page.html",
    }


def test_a_failed_finding_is_shown_in_full_and_a_passed_one_is_not() -> None:
    bad = finding(
        Verdict.FAIL,
        why="because",
        fix="do this",
        diagnosis="flips",
        script="print(1)",
        picture="[x]",
        case=parse_case("conv1d n1 c1 w5 f1 k3"),
    )
    text = render(document(section(bad)))["report.md"].decode()
    for part in ("because", "do this", "flips", "print(1)", "[x]", "conv1d n1 c1 w5 f1 k3"):
        assert part in text
    assert "because" not in render(document(section(finding(why="because"))))["report.md"].decode()


def test_hostile_text_cannot_change_the_page() -> None:
    text = render(document(section(finding(Verdict.FAIL, why=HOSTILE))))["report.md"].decode()
    assert "<img" not in text.replace("\\<img", "") and "\x1b" not in text


def test_a_code_block_cannot_be_closed_from_inside() -> None:
    text = render(document(section(finding())))["report.md"].decode()
    assert "````\n``` inside\n````" in text


def test_json_and_junit_can_be_read_and_count() -> None:
    files = render(document(section(finding(), finding(Verdict.FAIL), finding(Verdict.SKIP))))
    value = json.loads(files["report.json"])
    assert value["sections"][0]["counts"] == {"PASS": 1, "FAIL": 1, "SKIP": 1}
    suite = ElementTree.fromstring(files["report.junit.xml"]).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")


def test_an_incomplete_report_says_so() -> None:
    text = render(document(section(finding()), incomplete="interrupted"))["report.md"].decode()
    assert "**INCOMPLETE**: interrupted" in text


def test_a_failed_section_is_our_own_error() -> None:
    broken = failed_section("k", "K", ValueError("boom"), "trace")
    assert broken.verdict is Verdict.ERROR and "boom" in broken.findings[0].what


def test_a_stored_section_comes_back_as_it_was() -> None:
    whole = section(
        finding(Verdict.FAIL, case=parse_case("conv1d n1 c1 w5 f1 k3"), details={"a": 1})
    )
    assert section_from_json(json.loads(json.dumps(section_to_json(whole)))) == whole
