"""The verbs that care for a workspace: du, gc, doctor."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

import builders
from cli.command_line import towpath
from cli.memory import MemoryBackend
from cli.scenes import namespace
from flow.sightings import NOON, ready
from towpath import errors
from towpath.backend import Kind
from towpath.cli.asked import SWEEP
from towpath.cli.findings import Verdict, findings
from towpath.flow import names
from towpath.flow.sweep_flow import NOT_SWEPT


def test_what_datasets_and_runs_hold_is_summed_the_largest_first() -> None:
    backend = namespace()
    output = backend.objects[Kind.PIPELINE_RUN, "iris-1"]["status"]["steps"][1]["outputs"][0]
    output["inventory"] = "team-a/runs/x/inventory.jsonl.gz"
    called = towpath(backend, "du", "-o", "json")
    assert [
        (one["owner"], one["files"], one["bytes"], one["writtenByTowpath"]) for one in json.loads(called.out)
    ] == [
        ("dataset:iris-model", 10, 2_000_000, True),
        ("run:iris-1", 10, 2_000_000, True),
        ("dataset:iris", 1, 3858, False),
    ]
    assert "Together 4.0 MB in namespace team-a of cluster test." in towpath(backend, "du").err


def test_what_a_run_took_from_another_counts_once() -> None:
    backend = namespace()
    before = towpath(backend, "du", "-o", "json").out
    second = json.loads(json.dumps(backend.objects[Kind.PIPELINE_RUN, "iris-1"]))
    second["metadata"] |= {"name": "iris-2", "uid": "22222222-0"}
    backend.hold(second)
    assert towpath(backend, "du", "-o", "json").out == before


def test_nothing_is_held_by_nobody() -> None:
    called = towpath(MemoryBackend(), "du")
    assert (called.code, called.out, called.err) == (
        0,
        "",
        "Nothing is held in namespace team-a of cluster test.\n",
    )


class Sweeping(MemoryBackend):
    """An operator that sweeps as it is asked, and keeps the value."""

    asked: tuple[str, ...] = ()
    # What it says instead.
    words: str = ""

    def patch(self, kind: Kind, name: str, patch: Any) -> Any:
        value = patch.get("metadata", {}).get("annotations", {}).get(names.SWEEP_ANNOTATION)
        if value:
            self.asked += (value,)
            doing = "Would delete" if value.startswith(names.DRY_RUN) else "Deleted"
            words = self.words or f"{doing} 2 attempts of steps: 3 objects, 4 bytes."
            status = {SWEEP.answered: value, "swept": words}
            self.changes[kind, name] = [{"status": status}]
        return super().patch(kind, name, patch)


def test_a_dry_run_only_asks_what_would_go() -> None:
    backend = Sweeping(namespace().objects)
    called = towpath(backend, "gc", "--dry-run")
    assert called.out == "default: Would delete 2 attempts of steps: 3 objects, 4 bytes.\n"
    assert [value[:8] for value in backend.asked] == ["dry-run-"]


def test_deleting_asks_first() -> None:
    backend = Sweeping(namespace().objects)
    assert towpath(backend, "gc", given="n\n").code == 1
    assert list(backend.asked) == []
    assert "Deleted 2 attempts" in towpath(backend, "gc", given="y\n").out
    assert "Deleted 2 attempts" in towpath(backend, "gc", "--yes").out
    assert all(value.startswith("now-") for value in backend.asked)


def test_a_sweep_that_failed_is_told_and_ends_the_command_with_a_failure() -> None:
    backend = Sweeping(namespace().objects)
    backend.words = f"{NOT_SWEPT}: StoreUnavailable: 503"
    called = towpath(backend, "gc", "--yes")
    assert (called.code, called.out) == (1, "default: Not swept: StoreUnavailable: 503\n")
    assert "default was not swept" in called.err


def test_a_datastore_that_can_never_be_swept_is_not_waited_for() -> None:
    backend = Sweeping()
    backend.hold(ready(builders.make_datastore(readOnly=True)))
    assert "Datastore default cannot be swept: it is readOnly" in towpath(backend, "gc", "--dry-run").err
    assert towpath(backend, "gc", "default", "--dry-run").code == 2
    backend.hold(ready(builders.make_datastore(), "False"))
    assert "CredentialsRefused" in towpath(backend, "gc", "--dry-run").err
    assert list(backend.asked) == []


def test_a_workspace_in_order_has_nothing_to_complain_of() -> None:
    called = towpath(namespace(), "doctor")
    assert called.code == 0
    assert called.lines[0] == "ok       Reached namespace team-a of cluster test"
    assert "ok       Datastore default is Ready" in called.lines


def test_what_is_wrong_says_what_to_do_and_fails() -> None:
    backend = namespace().hold(ready(builders.make_datastore(), "False"))
    called = towpath(backend, "doctor")
    assert called.code == 1
    assert "wrong    Datastore default is not Ready: CredentialsRefused: as AKIA: 403" in called.lines
    assert "         Do what it says. Then: towpath refresh datastore default" in called.lines


class Unreachable(MemoryBackend):
    """A cluster that does not answer."""

    def list_objects(self, kind: object, labels: object = None) -> list[dict[str, Any]]:
        raise errors.UnreachableError("connection refused at https://x: is the cluster up?")


def test_a_cluster_that_does_not_answer_is_a_finding() -> None:
    called = towpath(Unreachable(), "doctor")
    assert called.code == 1
    assert "connection refused at https://x: is the cluster up?" in called.out


def found(*manifests: dict[str, Any]) -> list[tuple[str, str]]:
    objects = {kind: [one for one in manifests if one["kind"] == kind] for kind in Kind}
    return [(one.verdict, one.what) for one in findings(objects, NOON + timedelta(minutes=5))]


def test_objects_that_nobody_looks_at_say_that_no_operator_is_there() -> None:
    run = builders.make_run()
    run["metadata"]["creationTimestamp"] = "2026-06-01T12:00:00Z"
    assert (Verdict.BAD, "Nobody has looked at 1 objects, such as PipelineRun iris-1") in found(run)
    run["metadata"]["creationTimestamp"] = "2026-06-01T12:04:30Z"
    assert not [one for one in found(run) if one[0] is Verdict.BAD]


def test_a_missing_default_datastore_is_a_warning() -> None:
    assert found() == [(Verdict.WARNING, "There is no Datastore named default")]


@pytest.mark.parametrize(
    ("reason", "is_told"), [("Unschedulable", True), ("QuotaExceeded", True), ("StagingIn", False)]
)
def test_a_step_that_cannot_start_is_told_and_one_that_is_about_to_is_not(reason: str, is_told: bool) -> None:
    run = builders.make_run()
    step = {"name": "prep", "state": "Waiting", "reason": reason, "message": "0/1 nodes"}
    run["status"] = {"state": "Running", "steps": [step]}
    told = (Verdict.WARNING, f"Step prep of run iris-1 waits ({reason}): 0/1 nodes") in found(run)
    assert told is is_told
