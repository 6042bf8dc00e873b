"""The `native` provider: a whole Kubernetes node made of namespaces on this machine, from Go modules, Debian
packages and PyPI. Needs root, for namespaces, mounts and links."""

from __future__ import annotations

import fcntl
import json
import os
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from cluster.access import S3, Access
from cluster.cache import cache_folder
from cluster.native.api import is_api_ready, is_node_ready
from cluster.native.base_image import build_base_image
from cluster.native.binary import build_binary
from cluster.native.dns import dns_objects
from cluster.native.images import build_pause, build_static_step, image_names, import_image
from cluster.native.layout import NODE_ADDRESS, NODE_NAME, Layout
from cluster.native.leftovers import find_leftovers, make_mount_points, remove_leftovers
from cluster.native.namespaces import running_node, start_node, stop_node
from cluster.native.packages import install_packages
from cluster.native.plan import STORE_PORTS, write_plan
from cluster.native.readiness import S3_ENDPOINT, await_stages, stages
from cluster.progress import ClusterError, ImpossibleHereError, run, say
from cluster.store import SHARED_BUCKET
from cluster.weed import find_weed


class NativeProvider:
    """One node on this machine."""

    name = "native"

    def __init__(self, layout: Layout | None = None) -> None:
        self._layout = layout or Layout()

    def up(self) -> Access:
        """Starts the node, finishes a half-started one, or finds it running."""
        _require_root()
        with _one_at_a_time():
            binaries = build_binary() if self._is_complete() else self._make_complete()
        return Access(
            kubeconfig=self._layout.kubeconfig,
            s3=S3(endpoint=S3_ENDPOINT),
            tools=binaries,
            audit_log=self._layout.audit_log,
        )

    def load_image(self, archive: Path, name: str) -> None:
        """Imports an OCI archive, which must carry this name, into the node's runtime."""
        import_image(self._layout, archive)
        if name not in image_names(self._layout):
            raise ClusterError(f"{archive} does not carry {name}: push it to oci-archive:{archive}:{name}")

    def status(self) -> str:
        """What runs and what is left."""
        first = running_node(self._layout)
        if first is None:
            left = find_leftovers(self._layout)
            return "native: down" + ("; left over: " + ", ".join(left) if left else "")
        config = self._layout.kubeconfig
        api = "ready" if is_api_ready(config) else "not ready"
        node = "Ready" if is_node_ready(config, NODE_NAME) else "not Ready"
        return f"native: process {first.pid}, API server {api}, node {node}, logs in {self._layout.logs}"

    def down(self) -> None:
        """Ends the node and removes all that it left."""
        _require_root()
        with _one_at_a_time():
            stop_node(self._layout)
            remove_leftovers(self._layout)
            left = find_leftovers(self._layout)
        if left:
            raise ClusterError("the node is gone but these could not be removed: " + ", ".join(left))

    def _is_complete(self) -> bool:
        return (
            running_node(self._layout) is not None
            and self._complete.exists()
            and is_node_ready(self._layout.kubeconfig, NODE_NAME)
        )

    @property
    def _complete(self) -> Path:
        return self._layout.state / "complete"

    def _make_complete(self) -> Path:
        install_packages()
        binaries, archives = _build_all()
        if running_node(self._layout) is None:
            remove_leftovers(self._layout)
            say("starting the node, about 15 s")
            write_plan(self._layout, binaries, find_weed())
            make_mount_points(self._layout)
            start_node(self._layout)
        self._finish(binaries, archives)
        return binaries

    def _finish(self, binaries: Path, archives: list[Path]) -> None:
        runtime, *others = stages(self._layout)
        await_stages(self._layout, [runtime])
        with ThreadPoolExecutor() as pool:
            imports = [pool.submit(import_image, self._layout, archive) for archive in archives]
            await_stages(self._layout, others)
            _apply_dns(binaries / "kubectl", self._layout.kubeconfig)
            _make_bucket(SHARED_BUCKET)
            for done in imports:
                done.result()
        self._complete.touch()
        say("the cluster is up")


def _build_all() -> tuple[Path, list[Path]]:
    # Side by side: the compiler wants processors, debootstrap mostly the network and the disk.
    with ThreadPoolExecutor() as pool:
        binaries = pool.submit(build_binary)
        base = pool.submit(build_base_image)
        small = [build_pause(), build_static_step()]
        return binaries.result(), [*small, base.result()]


def _apply_dns(kubectl: Path, kubeconfig: Path) -> None:
    objects = {"apiVersion": "v1", "kind": "List", "items": dns_objects()}
    run([kubectl, "--kubeconfig", kubeconfig, "apply", "--filename", "-"], stdin=json.dumps(objects))


def _make_bucket(name: str) -> None:
    # A bucket is a folder of the server's own file tree; this spares signing a request.
    url = f"http://{NODE_ADDRESS}:{STORE_PORTS.filer}/buckets/{name}/"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(urllib.request.Request(url, method="POST"), timeout=10).close()


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ImpossibleHereError(
            "the `native` cluster needs root, for namespaces, mounts and links: run as root"
        )


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "native.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
