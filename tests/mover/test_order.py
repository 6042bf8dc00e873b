"""Orders are read strictly: what the operator writes is understood, and what does not fit is named by its place."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mover.pods import POD_UID
from towpath.flow import documents, store_keys
from towpath.flow.contents import Content, InventoryRef, PinnedVersion
from towpath.flow.planned import (
    Plan,
    PlannedCode,
    PlannedInput,
    PlannedOutput,
    PlannedStep,
    RunIdentity,
    StepOutputRef,
)
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import OrderError
from towpath_mover.inventory_order import ArchiveOrder, SourceOrder, inventory_order
from towpath_mover.order import CodeOrder, InputOrder, OutputOrder, probe_order, step_order
from towpath_mover.order import InventoryRef as Pinned
from towpath_mover.pod_paths import PodPaths
from towpath_mover.stores import Datastore, Kind

DIGEST = "sha256:" + "0" * 64
IRIS = Content(
    InventoryRef("default", "team-a/inventories/x.jsonl.gz", DIGEST), 1, 10, 8192, False, "iris.csv"
)
STEP = PlannedStep(
    name="prep",
    image="python:3.12-slim",
    command=("python", "prep.py"),
    args=(),
    inputs=(
        PlannedInput("raw", "/towpath/inputs/raw", PinnedVersion("iris", 3, IRIS)),
        PlannedInput(
            "clean",
            "/data/clean",
            StepOutputRef("before", "out"),
            allow_empty=True,
            transforms=({"take": {"count": 2}},),
        ),
    ),
    outputs=(
        PlannedOutput("model", "/towpath/outputs/model", "default", "p/", make_directory=True),
        PlannedOutput("log", "/towpath/outputs/log", "default", "q/", optional=True, directory=False),
    ),
    depends_on=(),
    result_prefix="r/",
    contract={},
    code=PlannedCode(DIGEST, inline={"prep.py": "print()"}),
)
STORE = PlannedDatastore(
    "default", {"bucket": "b", "prefix": "team-a/", "endpoint": "http://s3:8333"}, credentials_secret="keys"
)
PLAN = Plan(
    RunIdentity("iris", "uid-1", "team-a"), "iris", {"share": "80"}, (STEP,), (STORE,), "mover", "cluster"
)
ATTEMPT: dict[str, Any] = {
    "attempt": 2,
    "inputs": [
        {
            "name": "raw",
            "inventory": {"datastore": "default", "path": "a", "digest": DIGEST},
            "file": "iris.csv",
        },
        {"name": "clean", "inventory": {"datastore": "default", "path": "b", "digest": DIGEST}},
    ],
}


@pytest.fixture
def paths(tmp_path: Path) -> PodPaths:
    packed = documents.pack(documents.write(PLAN))
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan/run.json.gz").write_bytes(packed["run"])
    (tmp_path / "plan/step.json.gz").write_bytes(packed["step-prep"])
    return PodPaths(tmp_path)


def environ(attempt: object = ATTEMPT) -> dict[str, str]:
    return {"TOWPATH_ATTEMPT": json.dumps(attempt), "TOWPATH_POD_UID": POD_UID}


def test_what_the_planner_writes_is_understood(paths: PodPaths) -> None:
    order = step_order(paths, environ())
    assert (order.namespace, order.run, order.run_uid, order.step) == ("team-a", "iris", "uid-1", "prep")
    assert (order.attempt, order.attempt_id, order.result_prefix) == (2, f"2-{POD_UID}", "r/")
    assert order.params == {"share": "80"}
    assert order.datastores == {
        "default": Datastore("default", Kind.S3, STORE.location, "team-a/", credentials_secret="keys")
    }
    raw, clean = order.inputs
    assert raw == InputOrder(
        "raw",
        "/towpath/inputs/raw",
        Pinned("default", "a", DIGEST),
        "iris.csv",
        False,
        {"dataset": "iris", "version": 3},
        files=1,
        bytes=10,
    )
    assert (clean.file, clean.allow_empty, clean.origin) == (None, True, {"step": "before", "output": "out"})
    assert clean.transforms == ({"take": {"count": 2}},)
    assert order.outputs == (
        OutputOrder("model", "/towpath/outputs/model", "default", "p/", False, False, None, True),
        OutputOrder("log", "/towpath/outputs/log", "default", "q/", True, False, False, False),
    )
    assert order.code == CodeOrder(DIGEST, {"prep.py": "print()"}, None)


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        ({"inputs": []}, "TOWPATH_ATTEMPT has no attempt"),
        ({"attempt": True, "inputs": []}, "TOWPATH_ATTEMPT.attempt is not a number"),
        ({"attempt": "1"}, "TOWPATH_ATTEMPT.attempt is not a int"),
        ({"attempt": 1, "inputs": {}}, "TOWPATH_ATTEMPT.inputs is not a list"),
        ({"attempt": 1, "inputs": [3]}, "TOWPATH_ATTEMPT.inputs[0] is not a JSON object"),
        ({"attempt": 1, "inputs": ATTEMPT["inputs"][:1]}, "says nothing of the input 'clean'"),
        ([], "TOWPATH_ATTEMPT is not a JSON object"),
    ],
)
def test_an_attempt_that_does_not_fit_is_named_by_its_place(
    paths: PodPaths, attempt: object, said: str
) -> None:
    with pytest.raises(OrderError) as refused:
        step_order(paths, environ(attempt))
    assert said in str(refused.value)


def test_a_transform_that_is_no_object_is_named_by_its_place(paths: PodPaths) -> None:
    step = documents.write(PLAN)["step-prep"]
    step["inputs"][1]["transforms"] = ["take"]
    paths.step_document.write_bytes(gzip.compress(documents.canonical(step)))
    with pytest.raises(OrderError) as refused:
        step_order(paths, environ())
    assert "inputs[1].transforms[0] is not a JSON object" in str(refused.value)


def test_a_plan_of_another_format_is_not_read(paths: PodPaths) -> None:
    paths.step_document.write_bytes(gzip.compress(b'{"formatVersion": 2}', mtime=0))
    with pytest.raises(OrderError) as refused:
        step_order(paths, environ())
    assert "step.json.gz has formatVersion 2" in str(refused.value)


def told_of(plan: Plan) -> dict[str, str]:
    """What an operator with this plan tells a pod's movers."""
    digested = documents.digested_plan(plan)
    return environ(ATTEMPT | {"plan": {"run": digested.digest, "step": documents.digested(STEP).digest}})


def test_the_plan_that_the_operator_has_is_read(paths: PodPaths) -> None:
    assert step_order(paths, told_of(PLAN)) == step_order(paths, environ())


@pytest.mark.parametrize("name", ["run", "step"])
def test_a_plan_that_somebody_put_in_the_place_of_the_planned_one_is_not_read(
    paths: PodPaths, name: str
) -> None:
    place = paths.run_document if name == "run" else paths.step_document
    document = json.loads(gzip.decompress(place.read_bytes()))
    place.write_bytes(gzip.compress(documents.canonical(document | {"params": {"share": "81"}})))
    with pytest.raises(MoverFailure) as refused:
        step_order(paths, told_of(PLAN))
    assert (refused.value.reason, refused.value.exit) == (Reason.PLAN_DRIFT, 41)
    assert f"{name}.json.gz" in refused.value.message


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"no json", mtime=0), gzip.compress(b"{}", mtime=0)[:-4], b""]
)
def test_a_damaged_plan_is_not_read(paths: PodPaths, content: bytes) -> None:
    paths.run_document.write_bytes(content)
    with pytest.raises(OrderError) as refused:
        step_order(paths, environ())
    assert "run.json" in str(refused.value)


def test_a_mover_started_by_hand_says_what_it_lacks(paths: PodPaths) -> None:
    with pytest.raises(OrderError) as refused:
        step_order(paths, {})
    assert "TOWPATH_ATTEMPT is not set" in str(refused.value)


def test_the_orders_of_probe_and_take_inventory(paths: PodPaths) -> None:
    store = documents.datastore_document(STORE)
    probe = {"formatVersion": 1, "namespace": "team-a", "clusterID": "c", "datastore": store}
    assert probe_order({"TOWPATH_ORDER": json.dumps(probe)}).datastore.location["bucket"] == "b"
    listing = {
        "formatVersion": 1,
        "namespace": "team-a",
        "dataset": "iris",
        "type": "File",
        "sources": [
            {"path": "iris.csv", "datastore": "default", "hash": "Reported"},
            {"path": "x/", "datastore": "default", "hash": "Content", "partitionFormat": "/{a}/x"},
            {"url": "https://h/a.zip", "archive": {"type": "Zip", "maxRatio": 9}, "caConfigMap": "ca"},
        ],
        "into": "default",
        "datastores": [store],
    }
    order = inventory_order({"TOWPATH_ORDER": json.dumps(listing)})
    assert (order.dataset, order.into) == ("iris", "default")
    assert order.sources == (
        SourceOrder("iris.csv", "default"),
        SourceOrder("x/", "default", by_content=True, partition_format="/{a}/x"),
        SourceOrder(
            url="https://h/a.zip",
            archive=ArchiveOrder("Zip", max_ratio=9),
            ca_config_map="ca",
            copied_as=store_keys.copied_source(
                {"url": "https://h/a.zip", "archive": {"type": "Zip", "maxRatio": 9}}
            ),
        ),
    )
