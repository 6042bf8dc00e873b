"""An upgrade in the middle of a run: the run keeps its plan, its Jobs and its mover; the next run has the new one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.access import Access
from cluster.installation import Tools, create_namespace, install, uninstall
from cluster.space import Space
from cluster.towpath_image import NEXT_MARK, image_name, load_image, load_next_image
from cluster.waiting import wait_until
from e2e.tenant import Tenant, is_ready, step_of

pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]

WRITING = {
    "name": "first",
    "command": ["sh", "-c", 'echo so > "$1"', "sh", "$(outputs.out.path)"],
    "outputs": [{"name": "out"}],
}
COPY = 'cat "$1" > "$2"'
WHEN_TOLD = "until [ -e go ]; do sleep 0.2; done; "


@pytest.fixture
def tenant(cluster: Access) -> Iterator[Tenant]:
    """A namespace and an operator for it, which goes in the end."""
    load_image()
    mark = secrets.token_hex(3)
    tenant = Tenant(Tools(cluster), cluster, f"upgraded-{mark}")
    create_namespace(tenant.tools, tenant.namespace)
    install_for(tenant)
    tenant.secret("store", cluster.s3.admin)
    yield tenant
    uninstall(tenant.tools, tenant.namespace, system_of(tenant))
    for namespace in (tenant.namespace, system_of(tenant)):
        tenant.tools.kubectl("delete", "namespace", namespace, "--wait=false")


def system_of(tenant: Tenant) -> str:
    return f"{tenant.namespace}-system"


def install_for(tenant: Tenant, **values: Any) -> None:
    install(tenant.tools, tenant.namespace, system_of(tenant), [tenant.namespace], **values)


def chain() -> list[dict[str, Any]]:
    """A step that writes, one that waits until it is told to go on, and one that reads what that one wrote."""
    return [WRITING, copying("middle", "first", before=WHEN_TOLD), copying("last", "middle")]


def copying(name: str, upstream: str, before: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "command": ["sh", "-c", before + COPY, "sh", "$(inputs.given.path)", "$(outputs.out.path)"],
        "inputs": [{"name": "given", "from": {"step": upstream}}],
        "outputs": [{"name": "out"}],
    }


def is_running(step: str) -> Any:
    return lambda status: step_of(status, step).get("reason") == "Running"


def leader_image(tenant: Tenant) -> str:
    """The image of the operator that leads; empty while nobody does."""
    kubectl, system = tenant.tools.kubectl, system_of(tenant)
    [lease] = kubectl.direct.select("leases", system)
    pods = {pod["metadata"]["name"]: pod for pod in kubectl.direct.select("pods", system)}
    pod = pods.get(lease["spec"].get("holderIdentity") or "")
    return str(pod["spec"]["containers"][0]["image"]) if pod else ""


def pods_of(tenant: Tenant, run: str) -> dict[str, dict[str, Any]]:
    """The pods of a run's steps, by their step."""
    labels = f"towpath.dev/run={run},towpath.dev/component=step"
    listed = tenant.direct.select("pods", tenant.namespace, labels=labels)
    return {pod["metadata"]["labels"]["towpath.dev/step"]: pod for pod in listed}


def movers_of(tenant: Tenant, run: str) -> dict[str, tuple[str, bool]]:
    """Of each step: the image of its publisher, and whether that was the mover of the next release."""
    found = {}
    for step, pod in pods_of(tenant, run).items():
        [image] = [one["image"] for one in pod["spec"]["containers"] if one["name"] == "publish"]
        log = tenant.direct.log(pod["metadata"]["name"], tenant.namespace, "publish")
        found[step] = image, NEXT_MARK in log
    return found


def test_an_upgrade_in_mid_run_leaves_the_run_to_the_mover_of_its_plan(tenant: Tenant, s3: Space) -> None:
    tenant.apply("Datastore", "default", tenant.s3_datastore(s3))
    tenant.until("datastores", "default", is_ready)
    run = tenant.start_steps(*chain())
    tenant.until("pipelineruns", run, is_running("middle"), 60)
    before, plan = pods_of(tenant, run)["middle"]["metadata"], tenant.plan(run)
    jobs = {job["metadata"]["name"]: job["metadata"]["uid"] for job in tenant.jobs(run)}

    new = load_next_image()
    repository, tag = new.rsplit(":", 1)
    install_for(tenant, image={"repository": repository, "tag": tag})
    assert wait_until(lambda: leader_image(tenant) == new, 120)
    tenant.until("pipelineruns", run, is_running("middle"))
    tenant.kubectl("exec", before["name"], "-c", "step", "--", "touch", "go")
    status = tenant.finish(run)

    assert status["state"] == "Succeeded", status
    assert [step["attempt"] for step in status["steps"]] == [1, 1, 1]
    assert pods_of(tenant, run)["middle"]["metadata"]["uid"] == before["uid"]
    after = {job["metadata"]["name"]: job["metadata"]["uid"] for job in tenant.jobs(run)}
    assert len(after) == 3
    assert jobs.items() <= after.items()
    assert tenant.plan(run) == plan
    assert plan["run"]["moverImage"] == image_name()
    assert movers_of(tenant, run) == dict.fromkeys(("first", "middle", "last"), (image_name(), False))

    again = tenant.start_steps(WRITING)
    assert tenant.finish(again)["state"] == "Succeeded"
    assert movers_of(tenant, again) == {"first": (new, True)}
