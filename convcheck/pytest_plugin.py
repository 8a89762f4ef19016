"""The pytest plugin: a fixture that tests an implementation, options, a section in the summary.

    def test_my_convolution(convcheck_implementation):
        convcheck_implementation(my_conv, op="conv2d")

Nothing heavy is imported here: the plugin is loaded in every pytest run of whoever has convcheck.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

_LINES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--convcheck-seconds` and `--convcheck-seed`."""
    group = parser.getgroup("convcheck", "implementations tested against an exact oracle")
    group.addoption(
        "--convcheck-seconds", type=float, default=None, help="time for each implementation"
    )
    group.addoption("--convcheck-seed", type=int, default=None, help="seed of the values")


def pytest_configure(config: pytest.Config) -> None:
    """Makes room for the lines of the summary."""
    config.stash[_LINES] = []


@pytest.fixture
def convcheck_implementation(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Callable[..., None]:
    """Returns a function that fails the test if an implementation is not what it claims.

    It takes what `convcheck.check_implementation` takes; `--convcheck-seconds` and
    `--convcheck-seed` override `seconds` and `seed`. Findings become properties in JUnit.
    """

    def check(fn: Any, op: str = "conv2d", **options: Any) -> None:
        from convcheck.conformance.check import check_implementation

        for name in ("seconds", "seed"):
            asked = request.config.getoption(f"--convcheck-{name}")
            if asked is not None:
                options[name] = asked
        report = check_implementation(fn, op, **options)
        line = f"{report.verdict} {op} {report.target}: {report.coverage}"
        request.config.stash[_LINES].append(line)
        for finding in report.findings:
            record_property("convcheck_case", finding.where)
            record_property("convcheck_diagnosis", finding.diagnosis or finding.what)
        if not report.passed:
            pytest.fail(str(report), pytrace=False)

    return check


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tells what was checked, one line for each implementation."""
    if config.stash[_LINES]:
        terminalreporter.section("convcheck")
        for line in config.stash[_LINES]:
            terminalreporter.write_line(line)
