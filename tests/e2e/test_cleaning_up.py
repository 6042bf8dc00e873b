"""What becomes of data: what ended well is a version, what did not is nothing, and what nobody refers to goes."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.tenant import Tenant, is_ready, step_of
from mover.hostile_archives import a_zip
from towpath.flow import store_keys

pytestmark = pytest.mark.story

PROGRAM = """
import os, sys, time
attempt = os.uname().nodename.split("-")[-2]
open(sys.argv[2], "w").write(f"{sys.argv[1]} {attempt}")
time.sleep(600 if sys.argv[1] == "cancelled" else 0)
sys.exit(3 if sys.argv[1] == "fails" or (sys.argv[1] == "retried" and attempt == "1") else 0)
"""


@dataclass(frozen=True)
class Told:
    """The runs of this story, by what becomes of them, once they have ended."""

    tenant: Tenant
    space: Space
    folders: dict[str, str]
    statuses: dict[str, dict[str, Any]]

    def below(self, run: str, kind: str = "runs") -> str:
        """Where what a run wrote lies."""
        return f"{self.tenant.namespace}/{kind}/{self.folders[run]}/"

    def name(self, run: str) -> str:
        return self.folders[run][:-9]

    def sweep(self, value: str) -> str:
        """Ask for a sweep and wait for it; what it says."""
        return self.tenant.sweep(value)


def start(tenant: Tenant, word: str, register: bool = True, **spec: Any) -> str:
    output = {"name": "out"} | ({"register": {"name": "cleaned"}} if register else {})
    step: dict[str, Any] = {
        "name": "make",
        "command": ["python3", "-c", PROGRAM, word, "$(outputs.out.path)"],
    }
    step |= {"outputs": [output], "retries": 1 if word == "retried" else 0}
    return tenant.start({"pipelineSpec": {"steps": [step], **spec}}, f"{word}-")


@pytest.fixture(scope="module")
def told(tenant: Tenant, space: Space, default_store: str) -> Told:
    """Runs that end well, badly, by a cancel, after a second attempt, and one that is to go soon."""
    runs = {word: start(tenant, word) for word in ("retried", "fails", "cancelled")}
    runs["deleted"] = start(tenant, "deleted", register=False)
    tenant.until(
        "pipelineruns",
        runs["cancelled"],
        lambda status: step_of(status, "make").get("state") == "Running",
        90,
    )
    tenant.cancel(runs["cancelled"])
    # Before it is gone.
    soon = start(tenant, "expires", register=False, retention={"keepSeconds": 30})
    statuses = {"expires": tenant.finish(soon, 150)}
    runs["expires"] = soon
    uids = {word: tenant.get("pipelineruns", run)["metadata"]["uid"] for word, run in runs.items()}
    folders = {word: store_keys.run_folder(run, uids[word]) for word, run in runs.items()}
    statuses |= {word: tenant.finish(run, 150) for word, run in runs.items() if word not in statuses}
    return Told(tenant, space, folders, statuses)


def test_row_21_a_finished_step_registers_its_output_as_the_next_version(told: Told) -> None:
    output = step_of(told.statuses["retried"], "make")["outputs"][0]

    spec = told.tenant.get("datasetversions", "cleaned-v1")["spec"]

    assert (output["version"], spec["producedBy"]["run"]) == (1, told.name("retried"))
    assert spec["inventory"] == {
        "datastore": "default",
        "path": output["inventory"],
        "digest": output["digest"],
    }


def test_row_22_failed_and_cancelled_steps_register_nothing_and_overwrite_nothing(told: Told) -> None:
    states = {word: told.statuses[word]["state"] for word in ("fails", "cancelled")}
    assert states == {"fails": "Failed", "cancelled": "Cancelled"}

    assert [name for name in told.tenant.names("datasetversions") if name.startswith("cleaned-")] == [
        "cleaned-v1"
    ]
    written = [
        key for key in told.space.keys(f"{told.tenant.namespace}/datasets/cleaned/") if "/data/" in key
    ]
    assert [told.space.get(key) for key in written] == [b"retried 2"]


def test_row_23_each_attempt_writes_its_own_prefix_and_retries_never_mix_bytes(told: Told) -> None:
    step = step_of(told.statuses["retried"], "make")

    assert (step["attempt"], step["attemptId"].partition("-")[0]) == (2, "2")
    keys = told.space.keys(told.below("retried", "datasets/cleaned"))
    assert {key.split("/")[5] for key in keys} == {step["attemptId"]}


def test_what_killed_publishers_left_is_named_by_a_dry_run_and_goes_by_a_sweep(told: Told) -> None:
    space, left = told.space, f"make/1-{uuid.uuid4()}"
    half = f"{told.below('retried', 'datasets/cleaned')}{left}/out/data/half"
    neighbour = f"{told.tenant.namespace}b/runs/{told.folders['fails']}/{left}/out/data/half"
    for key in (half, neighbour):
        space.put(key, b"half")
    large = f"{told.below('fails')}{left}/out/data/large"
    upload = space.client._create_multipart_upload(space.bucket, space.prefix + large, {})
    before = set(space.keys())
    until_older()

    answer = told.sweep("dry-run-1")

    assert answer.startswith("Would delete ")
    assert half.rsplit("/", 3)[0] in answer
    assert before <= set(space.keys())

    told.sweep("now-1")

    after = set(space.keys())
    assert (half in after, neighbour in after) == (False, True)
    uploads = space.client._list_multipart_uploads(space.bucket, prefix=space.prefix).uploads
    assert upload not in [one.upload_id for one in uploads]
    shown = step_of(told.statuses["retried"], "make")["outputs"][0]["inventory"]
    assert {shown, f"{told.below('deleted')}make/{attempt(told, 'deleted')}/result"} <= after


def test_copies_and_inventories_of_sources_go_by_two_sweeps_when_nothing_refers_to_them(told: Told) -> None:
    tenant, space = told.tenant, told.space
    for name in ("photos", "kept-photos"):
        space.put(f"raw/{name}.zip", a_zip([(f"{name}.jpg", b"one")]))
        source = {"path": f"raw/{name}.zip", "archive": {"type": "Zip"}}
        tenant.apply("Dataset", name, {"sources": [source], "deletionPolicy": "Delete"})
    inventories = {}
    for name in ("photos", "kept-photos"):
        tenant.until("datasets", name, is_ready, 90)
        inventories[name] = tenant.get("datasetversions", f"{name}-v1")["spec"]["inventory"]["path"]
    before = set(space.keys(f"{tenant.namespace}/"))
    tenant.delete("datasets", "photos")
    tenant.delete("datasetversions", "photos-v1")
    # Who looked before something was condemned is waited for as long as his Job is there.
    tenant.kubectl("delete", "jobs", "-l", "towpath.dev/component=inventory", "--wait")
    until_older()

    tenant.sweep("now-sources-1")

    condemned = store_keys.condemned_inventory_key(inventories["photos"])
    assert {condemned, inventories["photos"]} <= set(space.keys(f"{tenant.namespace}/inventories/"))
    until_older()
    answer = tenant.sweep("now-sources-2")

    left = set(space.keys(f"{tenant.namespace}/"))
    gone = {key for key in before - left if "/copies/" in key or "/inventories/" in key}
    assert inventories["photos"] in gone, answer
    assert "photos.jpg" in {key.rpartition("/")[2] for key in gone if "/data/" in key}
    assert inventories["kept-photos"] in left
    assert any(key.endswith("/data/kept-photos.jpg") for key in left)
    assert " copies of sources." in answer


def until_older() -> None:
    """Ages are told in whole seconds: nothing is swept in the second in which it was written."""
    began = time.time()
    assert wait_until(lambda: time.time() > began + 2, 10)


@pytest.mark.long
def test_row_27_unregistered_data_goes_with_its_run_or_retention_and_registered_versions_stay(
    told: Told,
) -> None:
    tenant, space = told.tenant, told.space
    for word in ("deleted", "retried"):
        tenant.delete("pipelineruns", told.name(word))
        assert wait_until(lambda word=word: tenant.jobs(told.name(word)) == [], 30)  # type: ignore[misc]
    assert wait_until(lambda: not is_there(tenant, told.name("expires")), 180, pause=1)
    record = json.loads(space.get(f"{tenant.namespace}/records/{told.folders['expires']}.json"))
    assert (record["status"], record["run"]["name"]) == (told.statuses["expires"], told.name("expires"))
    assert record["lineage"][0]["outputs"][0]["name"] == "out"
    assert record["plan"]["run"]["keepSeconds"] == 30

    told.sweep("now-2")

    for word in ("deleted", "retried", "expires"):
        assert space.keys(told.below(word)) == []
    assert space.keys(f"{tenant.namespace}/records/") == [
        f"{tenant.namespace}/records/{told.folders['expires']}.json"
    ]
    registered = space.keys(told.below("retried", "datasets/cleaned"))
    assert tenant.get("datasetversions", "cleaned-v1")["spec"]["inventory"]["path"] in registered
    assert [space.get(key) for key in registered if "/data/" in key] == [b"retried 2"]


def attempt(told: Told, word: str) -> str:
    return str(step_of(told.statuses[word], "make")["attemptId"])


def is_there(tenant: Tenant, run: str) -> bool:
    return run in tenant.names("pipelineruns")
