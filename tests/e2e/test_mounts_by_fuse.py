"""`mode: Mount` by our own FUSE sidecar on a real kubelet: as a download looks; its death is nobody's mistake; and
where it may not be, the run says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.mounted_views import (
    FILES,
    TABLE,
    compare,
    make_datasets,
    pods_of,
    published_last_words,
    put_files,
    reads_when_told,
    tell,
    tells,
    waits_in,
)
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story

SIDECAR: dict[str, Any] = {"mount": [{"fuseSidecar": {}}]}


@pytest.fixture(scope="module")
def mountable(roomy: Tenant, space: Space) -> str:
    """A Datastore of files that a sidecar mounts; outputs go to another."""
    put_files(space, "by-fuse")
    roomy.apply("Datastore", "default", roomy.s3_datastore(space, prefix=f"{space.prefix}outputs/"))
    location = roomy.s3_datastore(space, prefix=f"{space.prefix}by-fuse/")
    roomy.apply("Datastore", "mountable", location | SIDECAR)
    for name in ("default", "mountable"):
        roomy.until("datastores", name, is_ready, 120)
    return "mountable"


def test_a_mounted_input_looks_as_a_downloaded_one(roomy: Tenant, mountable: str) -> None:
    told = compare(roomy, make_datasets(roomy, mountable, "fuse"))
    assert (len(told["data"]["seen"]), told["data"]["links"]) == (len(FILES | TABLE),) * 2
    assert told["table"]["links"] == len(TABLE)
    assert told["notes"][0] == "input data: mounted through fuseSidecar"


def test_the_sidecar_alone_has_the_credentials_and_ends_with_the_step(roomy: Tenant, mountable: str) -> None:
    source = {"sources": [{"path": "d.txt", "datastore": mountable}]}
    run = roomy.start_steps(tells("Mount", name="single", source=source))
    assert roomy.finish(run, 240)["state"] == "Succeeded"
    [pod] = pods_of(roomy, run)
    step = next(one for one in pod["spec"]["containers"] if one["name"] == "step")
    assert not any("credentials" in one["name"] for one in step["volumeMounts"])
    assert not step["securityContext"].get("privileged")
    sidecar = pod["spec"]["initContainers"][0]
    assert (sidecar["name"], sidecar["securityContext"]["privileged"]) == ("mount-0", True)
    assert sidecar["resources"]["limits"] == {"memory": "512Mi"}

    def ended() -> bool:
        statuses = pods_of(roomy, run)[0]["status"]["initContainerStatuses"]
        return all("terminated" in one["state"] for one in statuses)

    assert wait_until(ended, 90)
    assert wait_until(lambda: pods_of(roomy, run)[0]["status"]["phase"] == "Succeeded", 60)


@pytest.mark.fault
def test_a_sidecar_that_dies_in_mid_step_is_no_failure_of_the_step_s(
    roomy: Tenant, mountable: str, space: Space
) -> None:
    run = roomy.start_steps(reads_when_told(mountable))
    assert wait_until(lambda: waits_in(roomy, run, 1), 120)
    [pod] = pods_of(roomy, run)
    name = pod["metadata"]["name"]
    # The program that serves the mount is killed while the step runs; then the step goes on.
    kill = "for pid in $(pidof rclone); do kill -9 $pid; done"
    roomy.kubectl("exec", name, "-c", "mount-0", "--", "/bin/busybox", "sh", "-c", kill)
    lost = "test -e /towpath/fuse/lost/mountable"
    roomy.kubectl(
        "exec", name, "-c", "mount-0", "--", "/bin/busybox", "sh", "-c", f"until {lost}; do sleep 0.1; done"
    )
    tell(roomy, pod)
    assert wait_until(lambda: waits_in(roomy, run, 2), 120)
    retrying = step_of(roomy.status("pipelineruns", run), "waits")
    assert retrying["attempt"] == 2
    tell(roomy, pods_of(roomy, run)[-1])
    status = roomy.finish(run, 240)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    first = published_last_words(roomy, run)
    assert '"reason":"MountLost"' in first.replace(" ", "")
    # The step itself ended well, with what it read of the new mount; and nothing of that attempt was published.
    attempts = {
        key.split(f"{run}-")[1].split("/")[2] for key in space.keys(f"outputs/{roomy.namespace}/runs/{run}")
    }
    assert {attempt[0] for attempt in attempts} == {"2"}, attempts


def test_where_pod_security_forbids_it_the_run_says_so(
    tenant: Tenant, default_store: str, space: Space
) -> None:
    del default_store
    space.put("forbidden/d.txt", b"four")
    location = tenant.s3_datastore(space, prefix=f"{space.prefix}forbidden/")
    tenant.apply("Datastore", "forbidden", location | SIDECAR)
    tenant.until("datastores", "forbidden", is_ready, 120)
    given = {"source": {"sources": [{"path": "d.txt", "datastore": "forbidden"}]}}
    refused = condition(
        tenant.finish(tenant.start_steps(tells("Mount", name="file", **given)), 120), "Succeeded"
    )
    assert refused["reason"] == "MountUnavailable"
    assert "fuseSidecar: PodSecurityForbids" in refused["message"]
    assert "the namespace enforces restricted" in refused["message"]
