"""A test's folder is its kind: tests/unit/... is marked `unit`, and the summary counts each kind."""

from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
_OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its kind; an unknown folder fails by --strict-markers."""
    for item in items:
        if item.path.is_relative_to(TESTS):
            item.add_marker(_kind(item.path.relative_to(TESTS).as_posix()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests of each kind had which outcome."""
    counts: dict[str, Counter[str]] = {}
    for outcome in _OUTCOMES:
        for report in terminalreporter.stats.get(outcome, []):
            kind = _kind(report.nodeid.removeprefix("tests/"))
            counts.setdefault(kind, Counter())[outcome] += 1
    if not counts:
        return
    terminalreporter.section("tests by kind")
    for kind, outcomes in sorted(counts.items()):
        text = ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in _OUTCOMES if outcomes[outcome])
        terminalreporter.write_line(f"{kind:<14}{text}")


def _kind(path_below_tests: str) -> str:
    return path_below_tests.split("/", 1)[0]
