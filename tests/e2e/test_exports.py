"""Where an output is written, and where a copy of it goes: where the program wants it, and where its user does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story

TRAIN = """
mkdir /data/out/model && echo weights > /data/out/model/weights
echo card > /opt/ml/model/card
"""
COMPARE = 'test "$(cat /data/in/weights)" = weights && cat "$1" > /data/out/log.txt'


def pipeline(fixed: str) -> list[dict[str, Any]]:
    """Two steps with ports wherever their programs want them; of two outputs a copy is kept."""
    train = {
        "name": "train",
        "command": ["sh", "-ec", TRAIN],
        "outputs": [
            {
                "name": "model",
                "mountPath": "/data/out/model",
                "export": {"datastore": "exports", "path": "models/{run-id}/{output-name}"},
            },
            {
                "name": "sagemaker",
                "mountPath": "/opt/ml/model",
                "makeDirectory": True,
                "export": {"datastore": "exports", "path": fixed},
            },
        ],
    }
    compare = {
        "name": "compare",
        "command": ["sh", "-ec", COMPARE, "sh", "$(inputs.card.path)/card"],
        "inputs": [
            {"name": "weights", "mountPath": "/data/in", "from": {"step": "train", "output": "model"}},
            {"name": "card", "from": {"step": "train", "output": "sagemaker"}},
        ],
        "outputs": [{"name": "log", "mountPath": "/data/out/log.txt"}],
    }
    return [train, compare]


def test_outputs_are_written_where_programs_want_and_copied_where_users_want_once(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    place = tenant.s3_datastore(space, prefix=f"{space.prefix}archive/")
    tenant.apply("Datastore", "exports", place)
    # On a machine with much to do a pod may take a minute to be set up, and here are ten.
    tenant.until("datastores", "exports", is_ready, 120)
    run = tenant.start_steps(*pipeline("latest/card"))
    status = tenant.finish(run, 240)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    outputs = {output["name"]: output for output in step_of(status, "train")["outputs"]}
    assert {output["export"]["state"] for output in outputs.values()} == {"Exported"}
    [log] = step_of(status, "compare")["outputs"]
    assert space.get(log["inventory"].replace("inventory.jsonl.gz", "data/log")) == b"card\n"

    uid = tenant.get("pipelineruns", run)["metadata"]["uid"][:8]
    copy = f"archive/models/{run}-{uid}/model"
    assert space.keys(copy) == [f"{copy}/claim.json", f"{copy}/data/weights", f"{copy}/inventory.jsonl.gz"]
    assert space.get(f"{copy}/data/weights") == b"weights\n"
    assert json.loads(space.get("archive/latest/card/claim.json"))["run"] == run

    again = tenant.start_steps(*pipeline("latest/card"))
    status = tenant.finish(again, 240)
    assert step_of(status, "train")["reason"] == "ExportTaken", json.dumps(status, indent=1)
    assert run in step_of(status, "train")["message"]
    assert space.keys(f"{tenant.namespace}/runs/{again}") == []
    assert json.loads(space.get("archive/latest/card/claim.json"))["run"] == run


TAKEN = 'until test -e /tmp/go; do sleep 0.2; done; echo weights > "$0"'


def test_a_place_that_somebody_takes_after_the_step_began_ends_the_run_as_export_failed_and_nothing_else(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    train = {
        "name": "train",
        "command": ["sh", "-ec", TAKEN, "$(outputs.model.path)"],
        "outputs": [
            {"name": "model", "export": {"path": "shared/model"}, "register": {"name": "taken-model"}},
        ],
    }
    use = {
        "name": "use",
        "command": ["sh", "-ec", 'cat "$0" > "$1"', "$(inputs.model.path)", "$(outputs.copy.path)"],
        "inputs": [{"name": "model", "from": {"step": "train"}}],
        "outputs": [{"name": "copy"}],
    }
    run = tenant.start_steps(train, use)
    tenant.until("pipelineruns", run, lambda status: step_of(status, "train").get("reason") == "Running", 120)
    # Nothing was there when stage-in looked.
    space.put("shared/model/theirs.txt", b"somebody else's")
    tenant.touch(run, "train", "/tmp/go")

    status = tenant.finish(run, 240)

    said = condition(status, "Succeeded")
    assert (said["status"], said["reason"]) == ("False", "ExportFailed"), json.dumps(status, indent=1)
    assert "step train, output model was not exported: ExportTaken" in said["message"]
    states = {step["name"]: step["state"] for step in status["steps"]}
    assert states == {"train": "Succeeded", "use": "Succeeded"}
    [model] = step_of(status, "train")["outputs"]
    assert (model["export"]["state"], model["export"]["reason"]) == ("Failed", "ExportTaken")
    # What was registered stays, and nothing of theirs was touched.
    assert tenant.get("datasetversions", f"taken-model-v{model['version']}")["spec"]["files"] == 1
    assert space.keys("shared/") == ["shared/model/theirs.txt"]
    notes = [note for reason, note in tenant.events(run) if reason == "ExportFailed"]
    assert any(note.startswith("step train, output model was not exported: ExportTaken") for note in notes)


MANY = 'mkdir "$0"; i=0; while [ $i -lt 6000 ]; do echo $i > "$0/$i"; i=$((i+1)); done'


def test_a_run_that_is_deleted_while_its_output_is_copied_leaves_a_claim_and_no_copy_that_is_taken_for_whole(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    export = {"export": {"path": "cut/many"}}
    step: dict[str, Any] = {"name": "write", "command": ["sh", "-ec", MANY, "$(outputs.many.path)"]}
    step["outputs"] = [{"name": "many"} | export]
    run = tenant.start_steps(step)
    uid = tenant.get("pipelineruns", run)["metadata"]["uid"]
    assert wait_until(lambda: bool(space.keys("cut/many/data/")), 240, 0.05)

    tenant.delete("pipelineruns", run, wait=False)

    owned = f"towpath.dev/run-uid={uid}"
    assert wait_until(lambda: not (tenant.names("pods", owned) or tenant.names("jobs", owned)), 120)
    left = space.keys("cut/many/")
    assert "cut/many/inventory.jsonl.gz" not in left
    assert json.loads(space.get("cut/many/claim.json"))["run"] == run
    assert 0 < len(space.keys("cut/many/data/")) < 6000
    # Whoever wants the place is told whose it was: nothing is written over what might be looked at.
    status = tenant.finish(tenant.start_steps(step), 240)
    assert step_of(status, "write")["reason"] == "ExportTaken", json.dumps(status, indent=1)
    assert run in step_of(status, "write")["message"]
