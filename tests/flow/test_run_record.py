"""The record of a run: what stays to be read of it, what became a version, and that it fits into a ConfigMap."""

from __future__ import annotations

import gzip
import random
from typing import Any

import builders
from flow.sightings import planned
from towpath.flow.documents import canonical, write
from towpath.flow.run_record import LIMIT_BYTES, record_of

Json = dict[str, Any]
TOP = f"{builders.NAMESPACE}/datasets/model/iris-1-11111111/train/1-pod/"
OTHER = f"{builders.NAMESPACE}/datasets/model/older-0a1b2c3d/train/1-pod/"


def a_run(*outputs: Json, **step: Any) -> Json:
    body = builders.make_run("iris-1")
    train = {"name": "train", "state": "Succeeded", "outputs": list(outputs)} | step
    meta = body["metadata"] | {"uid": "11111111-2222", "managedFields": ["no"]}
    return body | {"metadata": meta, "status": {"state": "Succeeded", "steps": [train]}}


def an_output(name: str, **fields: Any) -> Json:
    return {"name": name, "inventory": f"{TOP}{name}/inventory.jsonl.gz", "digest": builders.DIGEST} | fields


def test_a_record_holds_the_run_its_plan_and_its_lineage() -> None:
    step = builders.make_step(
        "train", inputs=[{"name": "iris"}], outputs=[{"name": "out", "register": {"name": "model"}}]
    )
    plan = planned(step)
    run = a_run(an_output("out", version=2), fingerprint="sha256:f")

    record = record_of(run, write(plan), {"model-v2": an_output("out")["inventory"]})

    assert (record["folder"], record["status"], record["spec"]) == (
        "iris-1-11111111",
        run["status"],
        run["spec"],
    )
    assert "managedFields" not in record["run"]
    assert record["plan"] == write(plan)
    [line] = record["lineage"]
    pinned = plan.steps[0].inputs[0].pinned
    assert pinned is not None
    assert line["inputs"] == [
        {"name": "iris", "digest": pinned.inventory.digest, "dataset": "iris", "version": 1}
    ]
    made = {"name": "out", "digest": builders.DIGEST, "dataset": "model", "version": 2, "object": "model-v2"}
    assert (line["step"], line["fingerprint"], line["outputs"]) == ("train", "sha256:f", [made])


def test_what_became_a_version_is_told_from_what_only_equals_one() -> None:
    def registered(output: Json, **versions: str) -> list[str]:
        found: list[str] = record_of(a_run(output), {}, versions)["registered"]
        return found

    path = an_output("out")["inventory"]
    assert registered(an_output("out", version=2), **{"model-v2": path}) == [TOP]
    assert registered(an_output("out", version=2), **{"model-v2": f"{OTHER}out/inventory.jsonl.gz"}) == []
    # Nobody knows any more: it is left alone.
    assert registered(an_output("out", version=2)) == [TOP]
    assert registered(an_output("out")) == []


def test_a_record_of_any_size_fits_and_says_what_was_left_out() -> None:
    def noise(size: int) -> str:
        return random.Random(size).randbytes(size // 2).hex()

    tails = record_of(a_run(an_output("out"), logTail=noise(4 << 20)), {}, {})
    plan = record_of(a_run(an_output("out")), {"step-train": {"code": noise(4 << 20)}}, {})

    assert (tails["leftOut"], plan["leftOut"]) == ("log tails", "log tails, plan")
    for record in (tails, plan):
        assert len(gzip.compress(canonical(record))) <= LIMIT_BYTES
        assert record["status"]["steps"][0]["outputs"]
