"""What a run's status keeps from being swept, and what another run may still take up of it."""

from __future__ import annotations

from typing import Any

import pytest

import builders
from towpath.flow import store_keys
from towpath.flow.sweep_references import folders_wanted_by, is_settled, named_by, why_lost

Json = dict[str, Any]
NS, UID = builders.NAMESPACE, "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
OTHER = "ffffffff-4e5f-6071-8293-a4b5c6d7e8f9"
RESULT = f"{NS}/runs/later-0a1b2c3d/train/1-pod/"


def an_output(folder: str, attempt: str = "1-pod", **fields: Any) -> Json:
    return {"name": "out", "inventory": f"{NS}/{folder}/train/{attempt}/out/inventory.jsonl.gz"} | fields


def registered(run: str, version: int) -> Json:
    return an_output(f"datasets/model/{run}", version=version)


def a_run(*outputs: Json, done: bool = True, **step: Any) -> Json:
    """The run `later`, whose step `train` succeeded in its first attempt unless said otherwise."""
    train = {"name": "train", "state": "Succeeded", "attempt": 1, "attemptId": "1-pod"}
    status = {"steps": [train | {"outputs": list(outputs)} | step]}
    ended = {"completionTime": "2026-06-01T00:00:00Z"} if done else {}
    body = builders.make_run("later")
    return body | {"metadata": body["metadata"] | {"uid": UID}, "status": status | ended}


def test_an_accepted_attempt_stays_in_every_folder_that_it_wrote_to() -> None:
    run = a_run(an_output("runs/later-0a1b2c3d"), registered("later-0a1b2c3d", 2))

    kept = set(named_by(run, {"model-v2"}))

    assert kept == {RESULT, f"{NS}/datasets/model/later-0a1b2c3d/train/1-pod/"}


def test_of_its_own_outputs_one_whose_version_is_gone_is_not_kept_by_a_run() -> None:
    assert set(named_by(a_run(registered("later-0a1b2c3d", 2)), {"model-v1"})) == {RESULT}


@pytest.mark.parametrize("versions", [{"model-v2"}, set()])
def test_what_was_reused_from_another_run_stays_also_without_its_version(versions: set[str]) -> None:
    kept = set(named_by(a_run(registered("first-ffffffff", 2)), versions))

    assert f"{NS}/datasets/model/first-ffffffff/train/1-pod/" in kept


def test_whatever_field_of_a_status_names_an_object_its_attempt_stays() -> None:
    wanted = [f"{NS}/runs/first-ffffffff/prep/2-pod/out/inventory.jsonl.gz", f"{NS}/runs/too-short", "x"]

    kept = set(named_by(a_run(aFieldOfSomeLaterRelease={"about": wanted}), set()))

    assert kept == {RESULT, f"{NS}/runs/first-ffffffff/prep/2-pod/"}


def test_a_name_that_only_begins_like_the_namespace_is_no_attempt_of_it() -> None:
    assert store_keys.attempt_at("team-a", "team-ab/runs/r-0a1b2c3d/s/1-pod/out/x") is None
    assert store_keys.attempt_at("team-a", "team-a/runs/r-0a1b2c3d/s/1-pod") is None


def test_all_of_a_run_stays_while_another_is_about_to_take_up_a_step_of_it() -> None:
    source = {"run": "first", "uid": OTHER}

    assert list(folders_wanted_by(a_run(done=False, reusedFrom=source))) == ["first-ffffffff"]
    assert list(folders_wanted_by(a_run(done=True, reusedFrom=source))) == []


@pytest.mark.parametrize(
    ("run", "settled"),
    [
        (a_run(registered("later-0a1b2c3d", 2)), True),
        (a_run(attempt=0, state="Skipped", attemptId=None), True),
        (a_run(done=False), False),
        (a_run(attempt=2), False),
        (a_run(state="Failed"), False),
        (a_run(registered("later-0a1b2c3d", 1)), False),
    ],
    ids=["in order", "nothing written", "unfinished", "second attempt", "failed", "its version is gone"],
)
def test_a_run_is_settled_where_nothing_of_it_can_go(run: Json, settled: bool) -> None:
    assert is_settled(run, {"model-v2"}) is settled


def test_outputs_of_a_run_may_be_taken_as_long_as_their_versions_are_there() -> None:
    plain, version = an_output("runs/later-0a1b2c3d"), registered("later-0a1b2c3d", 2)

    def why(*outputs: Json, there: str) -> str | None:
        run = a_run(*outputs)
        return why_lost(run, run["status"]["steps"][0], {there}.__contains__)

    assert why(plain, there="nothing") is None
    assert why(plain, version, there="model-v2") is None
    assert why(plain, version, there="model-v1") == "output out was version model-v2, which is deleted"
