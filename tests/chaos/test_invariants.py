"""Each rule of chaos sees what breaks it, and nothing where nothing is broken: or its silence would mean nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from chaos import invariants
from chaos.history import broken_by
from chaos.stories import Step, Story

Json = dict[str, Any]
STORY = Story("run", {}, {"a": Step("a", "m", "well"), "b": Step("b", "m", "well", reads=("a",))})


@dataclass
class Seen:
    """What there is, by kind."""

    objects: dict[str, list[Json]] = field(default_factory=dict)
    leading: list[int] = field(default_factory=lambda: [0])

    def leaders(self) -> list[int]:
        return self.leading

    def all(self, kind: str) -> list[Json]:
        return self.objects.get(kind, [])


def run(a: str, b: str, **status: Any) -> Json:
    steps = [{"name": "a", "state": a}, {"name": "b", "state": b}]
    return {"metadata": {"name": "run"}, "status": {"steps": steps, **status}}


def job(name: str, step: str) -> Json:
    labels = {"run": "run", "step": step, "attempt": "1"}
    return {
        "metadata": {"name": name, "labels": {f"towpath.dev/{key}": text for key, text in labels.items()}}
    }


def version(number: int, attempt: str, step: str = "a") -> Json:
    made = {"run": "run", "step": step, "output": "out", "attempt": attempt}
    spec = {"dataset": "kept", "version": number, "producedBy": made}
    return {"metadata": {"name": f"kept-v{number}"}, "spec": spec}


def told(*runs: Json, jobs: list[Json] | None = None, versions: list[Json] | None = None) -> list[str]:
    objects = {"pipelineruns": list(runs), "jobs": jobs or [], "datasetversions": versions or []}
    return invariants.now(Seen(objects), {"run": STORY})


def test_what_is_right_is_not_told() -> None:
    jobs, versions = [job("x", "a"), job("y", "b")], [version(1, "1-p"), version(2, "1-q")]
    ended = run("Succeeded", "Succeeded", state="Succeeded", completionTime="now")
    assert told(ended, jobs=jobs, versions=versions) == []


def test_two_leaders_are_told() -> None:
    assert invariants.now(Seen(leading=[0, 1]), {}) == ["[[0, 1], [0, 1]] lead at once"]


def test_a_job_that_began_before_what_it_reads_was_recorded_is_told() -> None:
    [words] = told(run("Running", "Waiting"), jobs=[job("y", "b")])
    assert words == "Job y began before run/a was recorded as Succeeded"


def test_two_jobs_of_one_attempt_are_told() -> None:
    [words] = told(run("Running", "Waiting"), jobs=[job("x", "a"), job("z", "a")])
    assert words.startswith("2 Jobs are attempt")


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ([version(1, "1-p"), version(1, "1-q")], "2 versions are ('kept', 1)"),
        ([version(1, "1-p"), version(2, "1-p")], "2 versions are [("),
        ([version(1, "1-p", step="b")], "kept-v1 is registered of"),
    ],
)
def test_a_version_too_many_or_too_early_is_told(versions: list[Json], words: str) -> None:
    [said] = told(run("Succeeded", "Running"), versions=versions)
    assert said.startswith(words)


@pytest.mark.parametrize(
    ("state", "b"), [("Succeeded", "Failed"), ("Succeeded", "Skipped"), ("Failed", "Succeeded")]
)
def test_a_run_that_ends_otherwise_than_its_steps_is_told(state: str, b: str) -> None:
    [words] = told(run("Succeeded", b, state=state, completionTime="now"))
    assert words.startswith(f"run says {state}")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"completionTime": "1", "state": "Failed"}, {"completionTime": "1", "state": "Succeeded"}),
        ({"planDigest": "x"}, {"planDigest": "y"}),
        ({"steps": [{"name": "a", "state": "Running", "attempt": 2}]},
         {"steps": [{"name": "a", "state": "Running", "attempt": 1}]}),
        ({"steps": [{"name": "a", "state": "Succeeded", "attempt": 1, "attemptId": "1-p"}]},
         {"steps": [{"name": "a", "state": "Succeeded", "attempt": 1, "attemptId": "1-q"}]}),
    ],
)  # fmt: skip
def test_what_goes_back_or_changes_after_its_end_is_told(before: Json, after: Json) -> None:
    assert len(broken_by(before, after, "run")) == 1
    assert broken_by(before, before, "run") == []
