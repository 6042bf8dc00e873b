"""The example, as `make demo-cluster` runs it: from the manifests to the bytes of the registered model."""

from __future__ import annotations

import csv
import json

import pytest

from cluster.space import Space
from demo.fetch import fetch_version
from demo.iris import FOLDER, KINDS
from e2e.tenant import Tenant, condition, step_of

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def finished(tenant: Tenant, space: Space, default_store: str) -> str:
    """A run of the iris pipeline that has ended; its name."""
    space.put("raw/iris.csv", (FOLDER / "iris.csv").read_bytes())
    for name in ("dataset.yaml", "pipeline.yaml"):
        tenant.kubectl("apply", "-f", str(FOLDER / name))
    run = tenant.kubectl("create", "-o", "name", "-f", str(FOLDER / "run.yaml")).strip().split("/")[-1]
    status = tenant.finish(run)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    return run


def test_the_example_runs_to_its_end_and_its_model_can_be_fetched(tenant: Tenant, finished: str) -> None:
    files = fetch_version(tenant.tools, tenant.access, tenant.namespace, "iris-model-v1")
    assert sorted(files) == ["metrics.json", "model.json"]
    metrics = json.loads(files["metrics.json"])
    with (FOLDER / "iris.csv").open(newline="") as rows:
        different = {tuple(row) for row in list(csv.reader(rows))[1:]}
    assert metrics["train_rows"] + metrics["test_rows"] == len(different)
    assert metrics["accuracy"] > 0.8
    assert sorted(json.loads(files["model.json"])) == ["setosa", "versicolor", "virginica"]


def test_the_version_says_what_made_it(tenant: Tenant, finished: str) -> None:
    spec = tenant.get("datasetversions", "iris-model-v1")["spec"]
    assert (spec["dataset"], spec["version"], spec["directory"]) == ("iris-model", 1, True)
    assert (spec["producedBy"]["run"], spec["producedBy"]["step"]) == (finished, "train")
    assert spec["tags"] == {"team": "a"}


def test_a_run_without_new_content_registers_no_new_version(tenant: Tenant, finished: str) -> None:
    again = tenant.start({"pipelineRef": {"name": "iris"}, "params": {"holdout": 4}})
    status = tenant.finish(again)
    assert status["state"] == "Succeeded"
    assert step_of(status, "train")["outputs"][0]["version"] == 1
    listed = tenant.kubectl("get", "datasetversions.towpath.dev", "-o", "name").split()
    assert [name for name in listed if "iris-model" in name] == ["datasetversion.towpath.dev/iris-model-v1"]


def test_kubectl_waits_for_the_condition_and_shows_every_kind_in_useful_columns(
    tenant: Tenant, finished: str
) -> None:
    tenant.kubectl(
        "wait", "--for=condition=Succeeded", f"pipelineruns.towpath.dev/{finished}", "--timeout=10s"
    )
    tables = {kind: tenant.kubectl("get", f"{kind}.towpath.dev") for kind in KINDS}
    run = next(line for line in tables["pipelineruns"].splitlines() if finished in line)
    assert "Succeeded" in run
    assert "2/2" in run
    for kind, table in tables.items():
        header, *rows = table.splitlines()
        assert len(header.split()) >= 4, table
        assert rows, kind


def test_a_step_registers_and_reports_what_it_moved(tenant: Tenant, finished: str) -> None:
    status = tenant.status("pipelineruns", finished)
    prep = step_of(status, "prep")
    assert prep["outputs"][0] | {"seconds": 0} == prep["outputs"][0] | {
        "name": "clean",
        "files": 1,
        "directory": False,
        "seconds": 0,
    }
    assert condition(status, "Succeeded")["reason"] == "Succeeded"
    assert prep["fingerprint"].startswith("sha256:")
