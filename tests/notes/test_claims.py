"""The verdicts that a careful reader reaches, to compare with what the checks decide."""

import pytest

from convcheck.notes import CLAIMS, Reading, Status, decide, status

TRUE, UNDER, IMPRECISE, FALSE = (
    Status.TRUE,
    Status.HYPOTHESES,
    Status.IMPRECISE,
    Status.FALSE,
)
NONE = Status.NOT_CHECKABLE
EXPECTED = {
    "S01": UNDER, "S02": TRUE, "S03": UNDER, "S04": TRUE, "S05": TRUE, "S06": IMPRECISE,
    "S07": TRUE, "S08": UNDER, "S09": NONE, "S10": FALSE, "S11": IMPRECISE, "S12": NONE,
    "S13": TRUE, "S14": UNDER, "S15": TRUE, "S16": IMPRECISE, "S17": UNDER, "S18": TRUE,
    "S19": TRUE, "S20": IMPRECISE, "S21": IMPRECISE, "S22": NONE, "S23a": TRUE, "S23b": FALSE,
    "S24": TRUE, "S25": UNDER, "S26": UNDER, "S27": UNDER, "S28": TRUE, "S29": UNDER,
    "S30": TRUE, "S31": TRUE, "S32": UNDER, "S33": UNDER, "S34": UNDER, "S35": UNDER,
    "S36": NONE, "S37": TRUE, "S38": TRUE, "S39": UNDER, "S40": TRUE, "S41": UNDER,
    "S42": UNDER, "S43": FALSE, "S44": TRUE, "S45": TRUE, "S46": UNDER, "S47": TRUE,
    "S48": UNDER, "S49": UNDER, "S50": IMPRECISE, "S51": IMPRECISE, "S52": TRUE, "S53": TRUE,
    "S54": TRUE, "S55": TRUE, "S56": FALSE, "S57": UNDER, "S58": TRUE, "S59": UNDER,
    "S60": TRUE, "S61": FALSE, "S62": TRUE, "S63": IMPRECISE, "S64": NONE,
}  # fmt: skip


def test_every_claim_is_there_once() -> None:
    assert [claim.id for claim in CLAIMS] == list(EXPECTED)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_checks_reach_the_verdict_of_a_careful_reader(claim) -> None:  # type: ignore[no-untyped-def]
    decided = decide(claim)
    assert decided.status is EXPECTED[claim.id], decided.readings
    assert all(reading.says and reading.evidence for reading in decided.readings)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_hypothesis_is_shown_to_be_needed(claim) -> None:  # type: ignore[no-untyped-def]
    readings = decide(claim).readings
    if any(reading.under for reading in readings):
        assert any(not reading.under and not reading.holds for reading in readings)


def reading(holds: bool | None, under: str = "") -> Reading:
    return Reading(says="s", holds=holds, evidence="e", under=under)


@pytest.mark.parametrize(
    ("readings", "verdict"),
    [
        ([], NONE),
        ([reading(True)], TRUE),
        ([reading(False)], FALSE),
        ([reading(True), reading(False)], IMPRECISE),
        ([reading(False), reading(True, "h")], UNDER),
        ([reading(False), reading(False, "h")], FALSE),
        ([reading(True), reading(None)], Status.OPEN),
    ],
)
def test_the_verdict_follows_from_the_readings(readings: list[Reading], verdict: Status) -> None:
    assert status(readings) is verdict
