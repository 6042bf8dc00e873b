"""Runs are started and things are broken, one fault after another, by one seed; then all must end, and be right."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from chaos import invariants
from chaos.faults import FAULTS, Cure, weights
from chaos.history import History, watched
from chaos.scene import Scene
from chaos.stories import Story, story
from cluster.audit import AuditLog
from cluster.waiting import wait_until

AT_ONCE = 4
END_SECONDS = 900


@dataclass
class Report:
    """What was done, and what was wrong."""

    faults: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    versions: int = 0
    violations: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report, as it is printed."""
        told = [f"{number:5} x {name}" for name, number in sorted(self.faults.items())]
        ends = ", ".join(f"{number} {state}" for state, number in sorted(self.runs.items()))
        return [
            *told,
            f"{self.faults.total()} faults; {self.runs.total()} runs ({ends}) in {self.attempts} attempts of steps; "
            f"{self.versions} versions; {len(self.violations)} violations",
            *(f"VIOLATED: {one}" for one in self.violations),
        ]


class Chaos:
    """One session in a scene."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.report = Report()
        self._scene = scene
        self._seed = seed
        self._dice = Random(seed)
        self._stories: dict[str, Story] = {}
        # What ends which fault, and when.
        self._cures: list[tuple[float, str, Cure]] = []

    def run(self, faults: int, *, stop_at_first: bool = False) -> Report:
        """Break so many things; with `stop_at_first` no more than until something is wrong."""
        log = AuditLog(self._scene.access.audit_log).from_now() if self._scene.access.audit_log else None
        with watched(self._scene.kubectl, self._scene.namespace) as history:
            while self.report.faults.total() < faults and not (stop_at_first and self._violations(history)):
                self._go_on()
            self._cure_all()
            self._await_end()
        self.report.violations += invariants.now(self._scene, self._stories)
        self.report.violations += invariants.at_the_end(self._scene, self._stories, log)
        self.report.violations = self._violations(history)
        self._count()
        return self.report

    def _violations(self, history: History) -> list[str]:
        return list(dict.fromkeys([*self.report.violations, *history.violations]))

    def _go_on(self) -> None:
        self._start_runs()
        time.sleep(self._dice.uniform(0.0, 2.0))
        self._cure(time.monotonic())
        self._scene.restart()
        self._break_something()
        self.report.violations += invariants.now(self._scene, self._stories)

    def _start_runs(self) -> None:
        runs = self._scene.all(invariants.RUNS)
        going = sum(not invariants.is_over(run) for run in runs)
        for _ in range(AT_ONCE - going):
            told = story(self._seed, len(self._stories))
            self._stories[told.name] = told
            self._scene.create(told.name, told.spec)

    def _break_something(self) -> None:
        chances = weights()
        [name] = self._dice.choices(list(chances), list(chances.values()))
        # What is broken already is not broken once more.
        if any(other == name for _, other, _ in self._cures):
            return
        done = FAULTS[name](self._scene, self._dice)
        if isinstance(done, tuple):
            self._cures.append((time.monotonic() + done[0], name, done))
        self.report.faults[name] += bool(done)

    def _cure(self, until: float) -> None:
        due = [one for one in self._cures if one[0] <= until]
        self._cures = [one for one in self._cures if one[0] > until]
        for _, _, (_, end) in due:
            end()

    def _cure_all(self) -> None:
        self._cure(float("inf"))
        for number in range(len(self._scene.operators)):
            self._scene.start(number)

    def _await_end(self) -> None:
        def are_over() -> bool:
            self._scene.restart()
            return all(map(invariants.is_over, self._scene.all(invariants.RUNS)))

        if not wait_until(are_over, END_SECONDS, 1):
            runs = self._scene.all(invariants.RUNS)
            hanging = [run["metadata"]["name"] for run in runs if not invariants.is_over(run)]
            self.report.violations.append(f"{hanging} never ended, though nothing is broken any more")

    def _count(self) -> None:
        for run in self._scene.all(invariants.RUNS):
            self.report.runs[run.get("status", {}).get("state", "none")] += 1
            self.report.attempts += sum(step.get("attempt", 0) for step in run["status"].get("steps", []))
        self.report.versions = len(self._scene.all(invariants.VERSIONS))
