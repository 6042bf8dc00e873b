"""`mode: Mount` by an inline CSI volume on a real kubelet, under `restricted`: by a driver of our own, since public
ones cannot be had on these machines. It mounts a bucket by rclone, with the Secret that the kubelet hands it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from cluster.csi.running import RunningDriver, running_driver
from cluster.installation import Tools
from cluster.progress import ImpossibleHereError
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
    said,
    tell,
    tells,
    waits_in,
)
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def driver(tools: Tools) -> Iterator[RunningDriver]:
    """A driver on the node, known to the kubelet and the API server."""
    try:
        with running_driver(tools.kubectl, f"c{secrets.token_hex(3)}.csi.towpath.test") as running:
            yield running
    except ImpossibleHereError as why:
        pytest.skip(str(why))


def by_csi(driver: RunningDriver, **attributes: str) -> dict[str, Any]:
    shown = {"server": "{endpoint}", "bucketName": "{bucket}"} | attributes
    csi = {"driver": driver.name, "volumeAttributes": shown, "nodePublishSecretRef": {"name": "store"}}
    return {"mount": [{"csi": csi}]}


@pytest.fixture(scope="module")
def mountable(tenant: Tenant, default_store: str, space: Space, driver: RunningDriver) -> str:
    """A Datastore of files that the driver mounts: the folder of its prefix."""
    del default_store
    put_files(space, "by-csi")
    location = tenant.s3_datastore(space, prefix=f"{space.prefix}by-csi/")
    tenant.apply("Datastore", "by-csi", location | by_csi(driver, subDir="{prefix}"))
    # The same, through a volume that shows the whole bucket.
    tenant.apply("Datastore", "by-bucket", location | by_csi(driver))
    for name in ("by-csi", "by-bucket"):
        tenant.until("datastores", name, is_ready, 120)
    return "by-csi"


def test_a_mounted_input_looks_as_a_downloaded_one(
    tenant: Tenant, mountable: str, space: Space, driver: RunningDriver
) -> None:
    told = compare(tenant, make_datasets(tenant, mountable, "csi"))
    assert (len(told["data"]["seen"]), told["data"]["links"]) == (len(FILES | TABLE),) * 2
    assert told["notes"][0] == f"input data: mounted through csi {driver.name}"
    published = driver.wait_for("published")["context"]
    assert published["subDir"] == f"{space.prefix}by-csi"
    assert (published["bucketName"], published["server"]) == (space.bucket, space.s3.endpoint)
    # The kubelet says so of a volume that lies in the pod itself.
    assert published["csi.storage.k8s.io/ephemeral"] == "true"


def test_a_volume_that_shows_the_whole_bucket_is_looked_into_below_the_prefix(
    tenant: Tenant, mountable: str
) -> None:
    del mountable
    given = {"source": {"sources": [{"path": "d.txt", "datastore": "by-bucket"}]}}
    run = tenant.start_steps(tells("Mount", name="file", **given))
    status = tenant.finish(run, 240)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    assert said(tenant, run, "mount_file")["seen"]["d.txt"][0] == 4
    [pod] = pods_of(tenant, run)
    step = next(one for one in pod["spec"]["containers"] if one["name"] == "step")
    assert not any("credentials" in one["name"] for one in step["volumeMounts"])
    [volume] = [one["csi"] for one in pod["spec"]["volumes"] if "csi" in one]
    assert (volume["readOnly"], volume["nodePublishSecretRef"]) == (True, {"name": "store"})


@pytest.mark.fault
def test_a_driver_that_dies_in_mid_step_is_no_failure_of_the_step_s(
    tenant: Tenant, mountable: str, driver: RunningDriver
) -> None:
    run = tenant.start_steps(reads_when_told(mountable))
    assert wait_until(lambda: waits_in(tenant, run, 1), 120)
    driver.on_node("kill", "-9", str(driver.newest("published")["pid"]))
    tenant.touch(run, "waits", "/tmp/go")
    assert wait_until(lambda: waits_in(tenant, run, 2), 120), json.dumps(
        tenant.status("pipelineruns", run), indent=1
    )
    first = published_last_words(tenant, run)
    assert "MountLost" in first
    assert "Transport endpoint is not connected" in first
    tell(tenant, pods_of(tenant, run)[-1])
    status = tenant.finish(run, 240)
    assert (status["state"], step_of(status, "waits")["attempt"]) == ("Succeeded", 2)


def test_the_first_way_that_can_be_gone_is_gone_and_the_others_are_said(
    tenant: Tenant, mountable: str, space: Space, driver: RunningDriver, tools: Tools
) -> None:
    del mountable
    with running_driver(tools.kubectl, f"p{secrets.token_hex(3)}.csi.towpath.test", ("Persistent",)) as other:
        ways = [
            {"fuseSidecar": {}},
            {"csi": {"driver": "missing.csi.towpath.test"}},
            {"csi": {"driver": other.name}},
            *by_csi(driver, subDir="{prefix}")["mount"],
        ]
        location = tenant.s3_datastore(space, prefix=f"{space.prefix}by-csi/")
        tenant.apply("Datastore", "many-ways", location | {"mount": ways})
        tenant.until("datastores", "many-ways", is_ready, 120)
        given = {"source": {"sources": [{"path": "d.txt", "datastore": "many-ways"}]}}
        run = tenant.start_steps(tells("Mount", name="file", **given))
        status = tenant.finish(run, 240)
        assert status["state"] == "Succeeded", json.dumps(status, indent=1)
        [note] = step_of(status, "mount_file")["notes"]
        words = [f"mounted through csi {driver.name}", "PodSecurityForbids", "DriverNotInstalled"]
        assert all(word in note for word in [*words, f"csi {other.name}: InlineNotSupported"]), note

        tenant.apply("Datastore", "many-ways", location | {"mount": ways[:3]})
        tenant.until("datastores", "many-ways", is_ready, 120)
        refused = condition(
            tenant.finish(tenant.start_steps(tells("Mount", name="file", **given)), 120), "Succeeded"
        )
        assert refused["reason"] == "MountUnavailable"
        assert all(word in refused["message"] for word in (*words[1:], "InlineNotSupported"))


def test_a_volume_that_the_driver_refuses_is_said_in_its_words(
    tenant: Tenant, mountable: str, space: Space, driver: RunningDriver
) -> None:
    del mountable
    space.put("no-secret/d.txt", b"four")
    location = tenant.s3_datastore(space, prefix=f"{space.prefix}no-secret/")
    way = by_csi(driver, subDir="{prefix}")["mount"][0]["csi"]
    del way["nodePublishSecretRef"]
    tenant.apply("Datastore", "no-secret", location | {"mount": [{"csi": way}]})
    tenant.until("datastores", "no-secret", is_ready, 120)
    given = {"source": {"sources": [{"path": "d.txt", "datastore": "no-secret"}]}}
    status = tenant.finish(tenant.start_steps(tells("Mount", name="file", **given)), 240)
    step = step_of(status, "mount_file")
    assert step["state"] == "Failed", json.dumps(status, indent=1)
    assert "KeyError: 'AWS_ACCESS_KEY_ID'" in step["message"], step
