"""What holds for every test: the fixtures of the test cluster, the option for long tests, and the count of
tests by ring at the end."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings

# A busy machine is no defect of a law.
settings.register_profile("towpath", deadline=None)
settings.load_profile("towpath")

pytest_plugins = ["cluster.fixtures"]

RINGS = ("1 pure", "2 server", "3 story", "4 fault")
_OUTCOMES = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped"}
_ring_of: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--run-long` also runs tests of more than a minute."""
    parser.addoption("--run-long", action="store_true", help="also run the tests marked long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips long tests unless asked for, and notes the ring of each test."""
    for item in items:
        _ring_of[item.nodeid] = ring(item)
        if item.get_closest_marker("long") and not config.getoption("--run-long"):
            item.add_marker(
                pytest.mark.skip(reason="takes more than a minute: --run-long or `make test-long`")
            )


def ring(item: pytest.Item) -> str:
    """The ring of a test by its markers, the outermost first."""
    marked = (name for name in reversed(RINGS) if item.get_closest_marker(name.split()[1]))
    return next(marked, RINGS[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per ring: how many passed, failed and were skipped."""
    counts: Counter[tuple[str, str]] = Counter()
    for key, outcome in _OUTCOMES.items():
        for report in terminalreporter.stats.get(key, []):
            if getattr(report, "nodeid", None) in _ring_of:
                counts[_ring_of[report.nodeid], outcome] += 1
    terminalreporter.section("tests by ring")
    for name in RINGS:
        words = (f"{counts[name, outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))
        terminalreporter.write_line(f"ring {name:9} {', '.join(words)}")
