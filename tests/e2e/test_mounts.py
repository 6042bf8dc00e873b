"""`mode: Mount` on a real kubelet, under `restricted`: what a step sees is what a download would give it, or nothing is
started, and its reason says why."""

from __future__ import annotations

import json

import pytest

from cluster.space import Space
from e2e.mounted_views import SPLIT, compare, said, tells
from e2e.node_folder import NodeFolder, make_claim
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story

DATA = """
mkdir -p data/2026/deep && cd data
printf one > 2026/a.csv; printf two > '2026/b c.csv'; printf three > 2026/deep/.hidden; printf four > d.txt
printf '#!/bin/sh\\n' > run.sh; chmod 755 run.sh; : > empty; head -c 1000000 /dev/zero > large.bin
cd .. && mkdir other && cp data/d.txt other
chmod -R a+rX data other
"""


@pytest.fixture(scope="module")
def mountable(tenant: Tenant, folder: NodeFolder, default_store: str) -> str:
    """A Datastore on a claim with files, and Datasets of them."""
    del default_store
    folder.run("data", DATA)
    make_claim(tenant, folder, "mountable")
    claim = {"claimName": "mountable", "subPath": "data"}
    tenant.apply("Datastore", "mountable", {"persistentVolumeClaim": claim, "readOnly": True})
    tenant.apply("Dataset", "data", {"sources": [{"path": "**", "datastore": "mountable"}]})
    tenant.apply("Dataset", "single", {"sources": [{"path": "d.txt", "datastore": "mountable"}]})
    for dataset in ("data", "single"):
        tenant.until("datasets", dataset, is_ready, 120)
    return "mountable"


def test_a_mounted_input_looks_as_a_downloaded_one(tenant: Tenant, mountable: str) -> None:
    del mountable
    part = {"dataset": {"name": "data"}, "transforms": SPLIT}
    told = compare(tenant, {"data": {}, "part": part, "single": {}})
    # What may be executed is copied: a mount has one mode for all.
    assert (len(told["data"]["seen"]), told["data"]["links"]) == (7, 6)
    assert 0 < len(told["part"]["seen"]) < 7
    assert told["notes"][0] == "input data: mounted through persistentVolumeClaim mountable"


def test_the_step_has_no_credential_and_reads_the_store_only_where_it_is_mounted(
    tenant: Tenant, mountable: str
) -> None:
    del mountable
    run = tenant.start_steps(tells("Mount", name="single"))
    assert tenant.finish(run, 240)["state"] == "Succeeded"
    [pod] = tenant.direct.select("pods", tenant.namespace, labels=f"towpath.dev/run={run}")
    [step] = [one for one in pod["spec"]["containers"] if one["name"] == "step"]
    [mount] = [one for one in step["volumeMounts"] if one["mountPath"].startswith("/towpath/mounts/")]
    assert (mount["mountPath"], mount["subPath"], mount["readOnly"]) == (
        "/towpath/mounts/mountable",
        "data",
        True,
    )
    assert not any("credentials" in one["name"] for one in step["volumeMounts"])


def test_a_bucket_is_mounted_through_a_claim_that_shows_the_same(
    tenant: Tenant, mountable: str, space: Space
) -> None:
    del mountable
    space.put("shown/d.txt", b"four")
    location = tenant.s3_datastore(space, prefix=f"{space.prefix}shown/")
    shows = {"persistentVolumeClaim": {"claimName": "mountable", "subPath": "other"}}
    tenant.apply("Datastore", "shown", location | {"mount": [shows]})
    tenant.until("datastores", "shown", is_ready, 120)
    given = {"source": {"sources": [{"path": "d.txt", "datastore": "shown"}]}}
    run = tenant.start_steps(tells("Mount", name="file", **given))
    status = tenant.finish(run, 240)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    assert said(tenant, run, "mount_file")["links"] == 0
    assert said(tenant, run, "mount_file")["seen"]["d.txt"][0] == 4


@pytest.mark.parametrize(
    ("name", "shown", "refused"),
    [
        ("hollow", "data", ("MountEmpty", "none of its 1 files")),
        ("changed", "other", ("MountIncomplete", "'d.txt' (4 bytes, 9 were pinned)")),
    ],
)
def test_a_mount_that_shows_another_place_is_a_named_failure_before_user_code(
    tenant: Tenant, mountable: str, space: Space, name: str, shown: str, refused: tuple[str, str]
) -> None:
    del mountable
    path = "d.txt" if name == "changed" else "elsewhere.txt"
    space.put(f"{name}/{path}", b"otherwise")
    location = tenant.s3_datastore(space, prefix=f"{space.prefix}{name}/")
    shows = {"persistentVolumeClaim": {"claimName": "mountable", "subPath": shown}}
    tenant.apply("Datastore", name, location | {"mount": [shows]})
    tenant.until("datastores", name, is_ready, 120)
    given = {"source": {"sources": [{"path": path, "datastore": name}]}}
    run = tenant.start_steps(tells("Mount", name="file", **given))
    status = tenant.finish(run, 240)
    step = step_of(status, "mount_file")
    assert (step["state"], step["reason"], step["attempt"]) == ("Failed", refused[0], 1), json.dumps(
        status, indent=1
    )
    assert refused[1] in step["message"]
    assert space.keys(f"{tenant.namespace}/runs/{run}") == []


def test_what_cannot_be_mounted_is_refused_or_downloaded_as_the_input_says(
    tenant: Tenant, default_store: str, space: Space
) -> None:
    space.put("plain/a.txt", b"a")
    given = {"source": {"sources": [{"path": "plain/a.txt", "datastore": default_store}]}}
    refused = tenant.finish(tenant.start_steps(tells("Mount", name="file", **given)), 120)
    said_of = condition(refused, "Succeeded")
    assert said_of["reason"] == "MountUnavailable"
    assert "Datastore default has no `mount`" in said_of["message"]
    assert refused.get("steps", []) == []

    run = tenant.start_steps(tells("Mount", name="file", onUnavailable="Download", **given))
    assert tenant.finish(run, 240)["state"] == "Succeeded"
    assert "downloaded, since it cannot be mounted" in tenant.plan(run)["run"]["notes"][0]
