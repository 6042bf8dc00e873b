"""What holds for every test: the fixtures of the test cluster, the option for long tests, who runs beside whom,
and the count of tests by ring at the end."""

from __future__ import annotations

import os
from bisect import bisect
from collections import Counter

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# A busy machine is no defect of a law. With the long tests a law is tried on six times as many examples.
settings.register_profile("towpath", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=300)
settings.load_profile("towpath")

# No test asks the registries of the world; those of a test's own say so.
os.environ["TOWPATH_PIN_IMAGES"] = "never"

pytest_plugins = ["cluster.fixtures"]

RINGS = ("1 pure", "2 server", "3 story", "4 fault")
_OUTCOMES = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped"}
SHARING = ("tests/e2e/", "tests/stores/")
# One after another the stories are what all others are waited for with: three installations tell a part of them each.
PARTS_OF_STORIES = ("tests/e2e/test_l", "tests/e2e/test_q")
# Most of their time is waiting for pods or processes, so they come first, and what is pure fills the gaps.
SLOW_FIRST = (
    "e2e",
    "chart",
    "controller",
    "cluster",
    "stores",
    "remote",
    "sdk",
    "local",
    "cli",
    "mover",
    "jobs",
    "api",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--run-long` also runs tests of more than a minute, `--run-alone` those that nothing else may run beside."""
    parser.addoption("--run-long", action="store_true", help="also run the tests marked long")
    parser.addoption("--run-alone", action="store_true", help="also run the tests marked alone")


class ByInstallation(LoadScopeScheduling):
    """Who runs beside whom: tests that share an installation or servers, or else a file, run in one process, in order.

    Not by the mark `xdist_group`, which pytest-xdist 3.8 does not see with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        shared = next((folder for folder in SHARING if file.startswith(folder)), file)
        return f"{shared} {bisect(PARTS_OF_STORIES, file)}" if shared == "tests/e2e/" else shared


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByInstallation:
    """For `pytest -n`."""
    return ByInstallation(config, log)


def pytest_configure(config: pytest.Config) -> None:
    """Chooses how thoroughly laws are tried."""
    if config.getoption("--run-long"):
        settings.load_profile("long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Puts slow tests first, skips long ones unless asked for, and notes the ring of each test."""
    items.sort(key=_slowness)
    for item in items:
        item.user_properties.append(("ring", ring(item)))
        if item.get_closest_marker("long") and not config.getoption("--run-long"):
            item.add_marker(
                pytest.mark.skip(reason="takes more than a minute: --run-long or `make test-long`")
            )
        if item.get_closest_marker("alone") and not config.getoption("--run-alone"):
            item.add_marker(pytest.mark.skip(reason="breaks the cluster for others: `make test-long`"))


def _slowness(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return SLOW_FIRST.index(folder) if folder in SLOW_FIRST else len(SLOW_FIRST)


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
