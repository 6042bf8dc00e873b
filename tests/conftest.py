"""What holds for every test: the fixtures of the test cluster, the option for long tests, who runs beside whom,
and the count of tests by ring at the end."""

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
# Most of their time is waiting for pods, so they come first, and what is pure fills the gaps.
SLOW_FIRST = ("e2e", "chart", "controller", "cluster", "stores", "mover", "jobs", "api")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--run-long` also runs tests of more than a minute."""
    parser.addoption("--run-long", action="store_true", help="also run the tests marked long")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips long tests unless asked for, and notes the ring of each test and its group: the tests that share
    an installation, or else a file, run one after another in one process."""
    items.sort(key=_slowness)
    for item in items:
        item.user_properties.append(("ring", ring(item)))
        item.add_marker(pytest.mark.xdist_group(_group(item)))
        if item.get_closest_marker("long") and not config.getoption("--run-long"):
            item.add_marker(
                pytest.mark.skip(reason="takes more than a minute: --run-long or `make test-long`")
            )


def _slowness(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return SLOW_FIRST.index(folder) if folder in SLOW_FIRST else len(SLOW_FIRST)


def _group(item: pytest.Item) -> str:
    return item.path.parent.name if item.path.parent.name == "e2e" else item.nodeid.partition("::")[0]


def ring(item: pytest.Item) -> str:
    """The ring of a test by its markers, the outermost first."""
    marked = (name for name in reversed(RINGS) if item.get_closest_marker(name.split()[1]))
    return next(marked, RINGS[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per ring: how many passed, failed and were skipped."""
    counts: Counter[tuple[str, str]] = Counter()
    for key, outcome in _OUTCOMES.items():
        for report in terminalreporter.stats.get(key, []):
            # What came back from another process is known by what was noted on it.
            noted = dict(getattr(report, "user_properties", ()))
            if "ring" in noted:
                counts[str(noted["ring"]), outcome] += 1
    terminalreporter.section("tests by ring")
    for name in RINGS:
        words = (f"{counts[name, outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))
        terminalreporter.write_line(f"ring {name:9} {', '.join(words)}")
