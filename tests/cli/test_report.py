"""The report command's own work: order, failures, interruption, resumption, bad input."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from convcheck.cli.main import main
from convcheck.cli.sections import catalogue
from convcheck.core.finding import Finding
from convcheck.core.verdict import Verdict
from convcheck.report.document import Section

Builder = Callable[[object], Section]


def section(key: str, verdict: Verdict = Verdict.PASS) -> Section:
    finding = Finding(verdict=verdict, where=key, what="found")
    return Section(key=key, title=key, says=f"{key} says", findings=(finding,))


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Builder]], None]:
    def install(builders: dict[str, Builder]) -> None:
        monkeypatch.setattr(catalogue, "SECTIONS", tuple((key, key) for key in builders))
        monkeypatch.setattr(catalogue, "builder", builders.__getitem__)

    return install


def read(out: Path) -> dict:
    return json.loads((out / "report.json").read_text())


def test_a_report_is_written_whole(use, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    use({"a": lambda _: section("a"), "b": lambda _: section("b")})
    assert main(["report", "--out", str(tmp_path)]) == 0
    assert read(tmp_path)["verdict"] == "PASS"
    text = (tmp_path / "report.md").read_text()
    assert text.index("## 1. a") < text.index("## 2. b") < text.index("## Environment")


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.FAIL, 1), (Verdict.UNKNOWN, 3), (Verdict.ERROR, 4)]
)
def test_the_exit_code_is_that_of_the_worst(use, tmp_path: Path, verdict, code) -> None:  # type: ignore[no-untyped-def]
    use({"a": lambda _: section("a"), "b": lambda _: section("b", verdict)})
    assert main(["report", "--out", str(tmp_path)]) == code


def test_a_failing_section_does_not_lose_the_others(use, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    def broken(_: object) -> Section:
        raise ZeroDivisionError("our own fault")

    use({"a": broken, "b": lambda _: section("b")})
    assert main(["report", "--out", str(tmp_path)]) == 4
    first, second = read(tmp_path)["sections"]
    assert first["verdict"] == "ERROR" and "our own fault" in first["findings"][0]["what"]
    assert second["verdict"] == "PASS"
    assert "ZeroDivisionError" in (tmp_path / "report.md").read_text()


def test_an_interrupted_report_keeps_what_it_has_and_goes_on(use, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    built = []

    def build(key: str) -> Builder:
        def run(_: object) -> Section:
            built.append(key)
            return section(key)

        return run

    def interrupted(_: object) -> Section:
        raise KeyboardInterrupt

    use({"a": build("a"), "b": interrupted, "c": build("c")})
    assert main(["report", "--out", str(tmp_path)]) == 130
    assert [part["key"] for part in read(tmp_path)["sections"]] == ["a"]
    assert "INCOMPLETE" in (tmp_path / "report.md").read_text()

    use({"a": build("a"), "b": build("b"), "c": build("c")})
    assert main(["report", "--out", str(tmp_path), "--resume"]) == 0
    assert built == ["a", "b", "c"]
    assert not read(tmp_path)["incomplete"]


def test_a_stored_section_of_other_settings_is_not_used(use, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    built = []

    def build(_: object) -> Section:
        built.append(1)
        return section("a")

    use({"a": build})
    main(["report", "--out", str(tmp_path)])
    main(["report", "--out", str(tmp_path), "--resume", "--seed", "1"])
    (tmp_path / ".sections" / "a.json").write_text("{torn")
    main(["report", "--out", str(tmp_path), "--resume", "--seed", "1"])
    assert len(built) == 3


def test_bad_input_is_one_message(use, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    use({"a": lambda _: section("a")})
    occupied = tmp_path / "file"
    occupied.write_text("")
    for arguments in (
        ["--data", str(tmp_path / "missing")],
        ["--out", str(occupied)],
        ["--out", "/proc/nowhere"],
        ["--profile", "slow"],
        ["--sede", "1"],
    ):
        assert main(["report", *arguments]) == 2
        error = capsys.readouterr().err
        assert error and "Traceback" not in error


def test_json_alone_on_stdout(use, tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    use({"a": lambda _: section("a")})
    assert main(["report", "--out", str(tmp_path), "--json", "-", "-q"]) == 0
    assert json.loads(capsys.readouterr().out)["sections"][0]["key"] == "a"
