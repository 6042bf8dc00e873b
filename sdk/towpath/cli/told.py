"""A run of a Backend → what its page tells besides: why steps ran, and the last lines of each."""

from __future__ import annotations

from collections import deque

from towpath.backend import Backend, Container, Manifest
from towpath.cli.explain import explain
from towpath.cli.nouns import RUN
from towpath.cli.pages.run_page import Facts
from towpath.cli.run_view import RunView, view_of
from towpath.errors import TowpathError

MOST_LINES = 40
# A log can be of any length; of longer lines the beginning tells.
MOST_LETTERS = 2000


def told_of(backend: Backend, view: RunView, with_logs: bool = True) -> Facts:
    """The facts of a run's page."""
    others = _compared(backend, view)
    explained = {
        step.name: explain(view, step, others.get(str((step.status.get("reuseMiss") or {}).get("run"))))
        for step in view.steps
    }
    logs = _last_lines(backend, view.manifest) if with_logs else {}
    return Facts(explained, logs, backend.where)


def _compared(backend: Backend, view: RunView) -> dict[str, RunView]:
    names = {(step.status.get("reuseMiss") or {}).get("run") for step in view.steps}
    found = {str(name): backend.get(RUN.kind, str(name)) for name in names if name}
    return {name: view_of(run, backend.plan_of(run)) for name, run in found.items() if run}


def _last_lines(backend: Backend, run: Manifest) -> dict[str, list[str]]:
    """What is kept of the steps' own logs; none where they are gone, which is no failure of a report."""
    kept: dict[str, deque[str]] = {}
    try:
        for line in backend.logs(run, None, Container.STEP):
            kept.setdefault(line.step, deque(maxlen=MOST_LINES)).append(line.text[:MOST_LETTERS])
    except TowpathError:
        pass
    return {step: list(lines) for step, lines in kept.items()}
