"""The verbs that look at a run or change one: describe, logs, cancel, retry, refresh."""

from __future__ import annotations

import json
from typing import Any

import pytest

import builders
from cli.command_line import towpath
from cli.memory import MemoryBackend
from cli.scenes import finished, namespace
from towpath.backend import Container, Kind, LogLine
from towpath.cli.asked import LOOK
from towpath.flow import names

PROGRESS = (
    '{"transfer": "iris", "filesTotal": 4, "bytesTotal": 40000000, "files": 1, "bytes": 10000000, "seconds": 2.0, '
    '"bytesPerSecond": 5000000, "secondsLeft": 6}'
)


def test_a_run_is_described_with_what_its_steps_read_and_wrote() -> None:
    out = towpath(namespace(), "describe", "run", "iris-1").out
    assert "Param      share = 80" in out
    assert "in         iris <- iris@1  1 file, 3.9 kB" in out
    assert "in         clean <- prep/clean  10 files, 2.0 MB" in out
    assert "out        model -> iris-model@1  10 files, 2.0 MB in 0.5s (4.0 MB/s)" in out
    assert "metric     accuracy = 0.94" in out
    assert "staged in  1.0 MB in 1.0s" in out


def test_a_failed_step_shows_its_reason_and_last_lines() -> None:
    backend = namespace()
    step = backend.objects["PipelineRun", "iris-1"]["status"]["steps"][1]
    step |= {
        "state": "Failed",
        "reason": "ExitCode",
        "message": "the command ended with 3",
        "logTail": "one\ntwo",
    }
    out = towpath(backend, "describe", "runs", "iris-1").out
    assert "why        ExitCode: the command ended with 3" in out
    assert "    one\n    two" in out


def test_a_run_whose_plan_is_gone_is_described_by_what_is_left() -> None:
    backend = namespace()
    del backend.plans["iris-1"]
    out = towpath(backend, "describe", "run", "iris-1").out
    assert "Step prep  Succeeded" in out
    assert "2.0 MB" in out


@pytest.mark.parametrize("kind", ["dataset", "datastore", "pipeline", "version"])
def test_every_kind_can_be_described(kind: str) -> None:
    name = {"datastore": "default", "version": "iris@1"}.get(kind, "iris")
    called = towpath(namespace(), "describe", kind, name)
    assert called.code == 0
    assert "\nSpec\n" in called.out


def logged() -> MemoryBackend:
    backend = namespace()
    backend.lines = [
        LogLine("prep", 1, Container.STAGE_IN, PROGRESS),
        LogLine("prep", 1, Container.STEP, "150 rows \x1b[31mread\x1b[0m\x1b]0;x\x07"),
        LogLine("train", 2, Container.STEP, "epoch 1"),
        LogLine("train", 2, Container.PUBLISH, "done"),
    ]
    return backend


def test_lines_of_a_run_say_whose_they_are_and_progress_is_put_into_words() -> None:
    assert towpath(logged(), "logs", "iris-1").lines == [
        "prep stage-in | iris: 10.0 MB of 40.0 MB, 1 of 4 files, 5.0 MB/s, 6.0s left",
        "prep | 150 rows \x1b[31mread\x1b[0m\x1b]0;x\x07",
        "train#2 | epoch 1",
        "train#2 publish | done",
    ]


def test_the_log_of_one_container_is_what_it_wrote() -> None:
    assert towpath(logged(), "logs", "iris-1/train", "-c", "step").lines == ["epoch 1"]
    assert towpath(logged(), "logs", "iris-1", "train", "-c", "step").lines == ["epoch 1"]


def test_a_step_that_is_not_there_is_named_with_near_ones() -> None:
    called = towpath(logged(), "logs", "iris-1", "trian")
    assert called.code == 2
    assert "Run iris-1 has no step trian. Did you mean train?" in called.err


def test_json_lines_hold_every_line_as_it_is() -> None:
    lines = [json.loads(line) for line in towpath(logged(), "logs", "iris-1", "-o", "json").lines]
    assert lines[0] == {"step": "prep", "attempt": 1, "container": "stage-in", "text": PROGRESS}


def test_a_log_of_which_nothing_is_kept_says_so_on_stderr() -> None:
    called = towpath(namespace(), "logs", "iris-1")
    assert (called.code, called.out, called.err) == (0, "", "Nothing is kept of what run iris-1 wrote.\n")


def test_cancelling_asks_a_run_that_goes_on_and_leaves_one_that_has_ended() -> None:
    backend = namespace()
    going = builders.make_run("iris-2")
    backend.hold(going)
    called = towpath(backend, "cancel", "iris-1", "iris-2")
    assert called.out == "pipelineruns.towpath.dev/iris-2\n"
    assert "Run iris-1 has ended already: Succeeded." in called.err
    assert backend.objects["PipelineRun", "iris-2"]["spec"]["cancel"] is True
    assert "cancel" not in backend.objects["PipelineRun", "iris-1"]["spec"]


def test_nothing_is_cancelled_where_one_name_is_wrong() -> None:
    backend = namespace().hold(builders.make_run("iris-2"))
    assert towpath(backend, "cancel", "iris-2", "irsi-1").code == 2
    assert "cancel" not in backend.objects["PipelineRun", "iris-2"]["spec"]


def test_a_retry_is_a_run_of_the_same_plan() -> None:
    backend = namespace()
    called = towpath(backend, "retry", "iris-1", "-o", "json")
    made = json.loads(called.out)
    assert made["spec"] == {"retryOf": {"name": "iris-1"}}
    assert made["metadata"]["name"].startswith("iris-")
    assert ("PipelineRun", made["metadata"]["name"]) in backend.objects
    assert towpath(backend, "retry", "iris-1", "--again").code == 0
    again = [one["spec"] for (kind, _), one in backend.objects.items() if kind == "PipelineRun"][-1]
    assert again == {"retryOf": {"name": "iris-1"}, "reuse": False}


def test_a_run_that_goes_on_cannot_be_retried() -> None:
    called = towpath(namespace().hold(builders.make_run("iris-2")), "retry", "iris-2")
    assert (called.code, called.out) == (2, "")
    assert "has not ended: wait for it, or stop it with `towpath cancel` first" in called.err


class Answering(MemoryBackend):
    """An operator that answers what it is asked at once."""

    found: dict[str, Any] = {}  # noqa: RUF012

    def patch(self, kind: Kind, name: str, patch: Any) -> Any:
        value = patch.get("metadata", {}).get("annotations", {}).get(names.REQUESTED_AT_ANNOTATION)
        if value:
            status = {LOOK.answered: value, **self.found}
            self.changes[kind, name] = [{"status": {"message": "at it"}}, {"status": status}]
        return super().patch(kind, name, patch)


def answering(**found: Any) -> Answering:
    backend = Answering(namespace().objects)
    backend.found = found
    return backend


def test_a_refreshed_dataset_prints_its_version() -> None:
    assert towpath(answering(latestVersion=2), "refresh", "dataset", "iris").out == "iris@2\n"


def test_a_refreshed_datastore_that_is_not_ready_fails_with_its_reason() -> None:
    said = {"type": "Ready", "status": "False", "reason": "CredentialsRefused", "message": "as AKIA: 403"}
    called = towpath(answering(conditions=[said]), "refresh", "datastore", "default")
    assert (called.code, called.out) == (1, "")
    assert "default is not Ready: CredentialsRefused: as AKIA: 403" in called.err


def test_a_refresh_that_nobody_answers_times_out() -> None:
    called = towpath(namespace(), "refresh", "dataset", "iris", "--timeout", "0.1")
    assert called.code == 3
    assert "was not looked at within 0.1 s in namespace team-a of cluster test" in called.err


def test_only_what_can_be_looked_at_is_refreshed() -> None:
    assert towpath(namespace(), "refresh", "run", "iris-1").code == 2


def test_the_scene_is_a_plan_of_the_real_planner() -> None:
    plan, run = finished()
    assert [step.name for step in plan.steps] == ["prep", "train"]
    assert run["status"]["steps"][0]["fingerprint"].startswith("sha256:")
