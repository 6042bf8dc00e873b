"""The end of things, in an installation of its own: a stubborn step, and all that can be deleted but for the data."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.access import Access
from cluster.installation import Tools, create_namespace, install, uninstall
from cluster.kubectl import KubectlError
from cluster.space import Space, fresh_space
from cluster.towpath_image import load_image
from cluster.waiting import wait_until
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story

GRACE = 10
# It ignores what it is told, and so does its child.
STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[2]).write_text(pathlib.Path(sys.argv[1]).read_text())
time.sleep(600)
"""


class Installed:
    """A namespace, and the release whose operator watches it."""

    def __init__(self, tools: Tools, cluster: Access, space: Space) -> None:
        mark = secrets.token_hex(3)
        self.release, self.system, self.space = f"ends-{mark}", f"towpath-ends-{mark}", space
        self.tenant = Tenant(tools, cluster, f"ends-{mark}")
        self.tools = tools

    def begin(self) -> None:
        """Install it, with a Datastore and a Dataset that are Ready."""
        load_image()
        create_namespace(self.tools, self.tenant.namespace)
        limits = {"cancelGraceSeconds": GRACE}
        install(self.tools, self.release, self.system, [self.tenant.namespace], limits=limits)
        self.tenant.secret("store", self.tenant.access.s3.admin)
        self.space.put("raw/iris.csv", b"5.1,3.5\n")
        self.tenant.apply("Datastore", "default", self.tenant.s3_datastore(self.space))
        self.tenant.until("datastores", "default", is_ready, 120)
        self.tenant.apply(
            "Dataset", "iris", {"sources": [{"path": "raw/iris.csv"}], "deletionPolicy": "Delete"}
        )
        self.tenant.until("datasets", "iris", is_ready, 120)

    def end(self) -> None:
        """Take away whatever is still there."""
        for namespace in (self.tenant.namespace, self.system):
            self.tools.kubectl("delete", "namespace", namespace, "--wait=false", "--ignore-not-found")

    def stored(self) -> dict[str, tuple[str, int]]:
        """Every object of the space, with what the store says of its bytes."""
        found = self.space.client.list_objects(self.space.bucket, self.space.prefix, recursive=True)
        return {str(one.object_name): (str(one.etag), int(one.size or 0)) for one in found}

    def kinds(self) -> list[str]:
        """What is left of our kinds in the namespace."""
        kinds = (
            "datasets.towpath.dev,datasetversions.towpath.dev,datastores.towpath.dev,pipelineruns.towpath.dev"
        )
        return self.tenant.kubectl("get", kinds, "-o", "name").split()


@pytest.fixture(scope="module")
def installed(tools: Tools, cluster: Access) -> Iterator[Installed]:
    with fresh_space(cluster.s3) as space:
        there = Installed(tools, cluster, space)
        try:
            there.begin()
            yield there
        finally:
            there.end()


def test_a_cancelled_step_that_ignores_its_signal_is_gone_with_its_movers_when_its_grace_is_over(
    installed: Installed,
) -> None:
    tenant = installed.tenant
    step: dict[str, Any] = {
        "name": "stubborn",
        "command": ["python3", "-c", STUBBORN, "$(inputs.iris.path)", "$(outputs.out.path)"],
        "inputs": [{"name": "iris"}],
        "outputs": [{"name": "out", "register": {"name": "never"}}],
        "terminationGracePeriodSeconds": 300,
    }
    run = tenant.start_steps(step)
    tenant.until(
        "pipelineruns", run, lambda status: step_of(status, "stubborn").get("reason") == "Running", 120
    )
    began = time.monotonic()
    tenant.cancel(run)

    def is_gone() -> bool:
        return not any(tenant.names(plural, f"towpath.dev/run={run}") for plural in ("pods", "jobs"))

    assert wait_until(is_gone, GRACE + 60, 0.2)
    took = time.monotonic() - began
    print(f"a stubborn step with a grace of {GRACE} s was gone after {took:.1f} s")
    status = tenant.finish(run, 30)
    # Five seconds are ours; as many are the node's, which may have much to do.
    assert GRACE - 1 < took < GRACE + 10
    assert (status["state"], step_of(status, "stubborn")["state"]) == ("Cancelled", "Cancelled")
    assert "outputs" not in step_of(status, "stubborn")
    written = installed.space.keys(f"{tenant.namespace}/datasets/never/")
    assert [key for key in written if not key.endswith("write-check")] == []


def test_deleting_dataset_datastore_chart_and_namespace_leaves_the_store_as_it_was_byte_for_byte(
    installed: Installed,
) -> None:
    tenant = installed.tenant
    out = {"name": "out", "register": {"name": "model"}}
    train = {
        "name": "train",
        "command": ["sh", "-ec", 'cat "$0" > "$1"', "$(inputs.iris.path)", "$(outputs.out.path)"],
        "inputs": [{"name": "iris"}],
        "outputs": [out, {"name": "log", "optional": True}],
    }
    run = tenant.start_steps(train)
    status = tenant.finish(run, 180)
    assert status["state"] == "Succeeded", condition(status, "Succeeded")
    before = installed.stored()
    assert {key.split("/")[2] for key in before} >= {"owner.json", "inventories", "datasets"}, sorted(before)

    # A Dataset: its versions stay, and all data.
    tenant.delete("datasets", "iris", "model")
    names = [name for name in installed.kinds() if name.startswith("datasetversion.")]
    assert sorted(name.rpartition("/")[2] for name in names) == ["iris-v1", "model-v1"]
    assert installed.stored() == before
    # A Datastore, with all that names it still there.
    tenant.delete("datastores", "default")
    assert installed.stored() == before
    # The chart, with the operator: the users' objects stay, too.
    uninstall(installed.tools, installed.release, installed.system)
    assert f"pipelinerun.towpath.dev/{run}" in installed.kinds()
    assert installed.stored() == before
    # The namespace, with no operator there: nothing of ours holds it up.
    began = time.monotonic()
    tenant.kubectl("delete", "namespace", tenant.namespace, "--timeout=120s")
    print(f"the namespace was gone after {time.monotonic() - began:.1f} s")
    with pytest.raises(KubectlError, match="not found"):
        tenant.kubectl("get", "namespace", tenant.namespace)
    assert installed.stored() == before
