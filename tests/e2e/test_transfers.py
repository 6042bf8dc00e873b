"""A user's own machine and a cluster's datastore: through a pod of its own and port-forwards, with the role `edit`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.tenant import Tenant
from remote.users import with_cluster_role
from towpath.backend import Kind
from towpath.cluster import ClusterBackend, open_backend
from towpath.errors import NotFoundError, UserErrorException
from towpath.flow import names, store_keys

pytestmark = pytest.mark.story

MiB = 1 << 20


@pytest.fixture(scope="module")
def user(tenant: Tenant, default_store: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kubeconfig of somebody with the cluster's role `edit` in the namespace, to which the chart adds ours."""
    del default_store
    file = tmp_path_factory.mktemp("user") / "config"
    return with_cluster_role(tenant.tools.kubectl, tenant.namespace, "edit", file)


@pytest.fixture(scope="module")
def backend(user: Path) -> ClusterBackend:
    return open_backend(kubeconfig=user)


def transfer_pods(tenant: Tenant) -> list[str]:
    selector = f"{names.COMPONENT_LABEL}={names.TRANSFER_COMPONENT}"
    return tenant.names("pods", selector)


def chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), MiB):
        yield content[start : start + MiB]


def test_bytes_go_to_the_store_and_come_back_and_no_pod_is_left(
    tenant: Tenant, space: Space, backend: ClusterBackend
) -> None:
    small, large = b"x" * 100, os.urandom(40 * MiB + 7)
    with backend.open_store("default") as store:
        (pod,) = transfer_pods(tenant)
        store.write("mine/small file.txt", [small], len(small))
        store.write("mine/large.bin", chunks(large), len(large))
        assert [(found.path, found.size) for found in store.list_files("mine/")] == [
            ("mine/large.bin", len(large)),
            ("mine/small file.txt", 100),
        ]
        assert b"".join(store.read("mine/large.bin")) == large
        with pytest.raises(NotFoundError, match="mine/none"):
            store.state("mine/none")
        spec = tenant.get("pods", pod)["spec"]
    assert sha256(space.get("mine/large.bin")).digest() == sha256(large).digest()
    assert (space.get("mine/small file.txt"), space.keys("mine/")) == (
        small,
        ["mine/large.bin", "mine/small file.txt"],
    )
    assert wait_until(lambda: transfer_pods(tenant) == [], 120)
    # The namespace enforces `restricted`; and what opens the pod stands nowhere in it.
    assert spec["automountServiceAccountToken"] is False
    assert [volume.get("secret", {}).get("secretName") for volume in spec["volumes"]] == [None, "store"]


def test_a_pod_that_is_deleted_in_the_middle_is_replaced(
    tenant: Tenant, space: Space, backend: ClusterBackend
) -> None:
    content = os.urandom(64 * MiB)

    def deleting() -> Iterator[bytes]:
        for number, chunk in enumerate(chunks(content)):
            if number == 30:
                tenant.kubectl("delete", "pod", *transfer_pods(tenant), "--grace-period=0", "--force")
            yield chunk

    with backend.open_store("default") as store:
        store.write("mine/killed.bin", deleting(), len(content))
        assert store.state("mine/killed.bin").size == len(content)
    assert space.get("mine/killed.bin") == content


PROGRAM = """
import sys, time
from towpath.cluster import open_backend
path, size, stops = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "stops"
def chunks():
    block = bytes(range(256)) * 4096
    for number in range(size // len(block)):
        yield number.to_bytes(8, "big") + block[8:]
        if number == 30 and stops:
            time.sleep(300)
with open_backend().open_store("default") as store:
    store.write(path, chunks(), size)
print("done", flush=True)
"""


def test_an_upload_that_was_killed_on_the_laptop_goes_on_where_it_was(
    tenant: Tenant, space: Space, user: Path
) -> None:
    command = [sys.executable, "-c", PROGRAM, "mine/resumed.bin", str(96 * MiB)]
    environment = os.environ | {"KUBECONFIG": str(user)}
    first = subprocess.Popen([*command, "stops"], env=environment)
    there = store_keys.upload_parts_prefix(tenant.namespace)
    assert wait_until(lambda: len(space.keys(there)) == 3, 90, 0.5)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert "mine/resumed.bin" not in space.keys("mine/")
    done = subprocess.run([*command, "goes on"], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("done\n")
    assert len(space.get("mine/resumed.bin")) == 96 * MiB
    assert space.keys(there) == []


def test_a_datastore_that_is_not_ready_is_told_before_any_pod_is_made(
    tenant: Tenant, space: Space, backend: ClusterBackend
) -> None:
    spec = tenant.s3_datastore(space, bucket="no-such-bucket-here")
    tenant.apply("Datastore", "not-ready", spec)
    reason = lambda status: any(  # noqa: E731 - as short as it can be
        one["reason"] == "BucketNotFound" for one in status.get("conditions", [])
    )
    tenant.until("datastores", "not-ready", reason)
    with pytest.raises(UserErrorException, match="cannot be entered"), backend.open_store("not-ready"):
        pass
    with pytest.raises(NotFoundError, match="Did you mean default"), backend.open_store("defualt"):
        pass
    assert backend.get(Kind.DATASTORE, "not-ready") is not None


def test_how_fast_it_is(backend: ClusterBackend) -> None:
    content = os.urandom(128 * MiB)
    with backend.open_store("default") as store:
        began = time.monotonic()
        store.write("mine/speed.bin", chunks(content), len(content))
        sent = time.monotonic()
        assert sum(map(len, store.read("mine/speed.bin"))) == len(content)
        read = time.monotonic()
        store.delete("mine/speed.bin")
    print(f"up {128 / (sent - began):.0f} MiB/s, down {128 / (read - sent):.0f} MiB/s")
