"""The `native` provider: a whole Kubernetes node made of namespaces on this machine, from Go modules, Debian
packages and PyPI. Needs root, for namespaces, mounts and links."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster.access import S3, Access
from cluster.cache import one_at_a_time
from cluster.native.api import is_api_ready, is_node_ready
from cluster.native.binary import build_binary
from cluster.native.build import build_all
from cluster.native.dns import apply_dns
from cluster.native.images import image_names, import_image, pin_on_node
from cluster.native.layout import NODE_NAME, Layout
from cluster.native.leftovers import find_leftovers, make_mount_points, remove_leftovers
from cluster.native.namespaces import lead_to_pods, running_node, start_node, stop_node
from cluster.native.packages import install_packages
from cluster.native.plan import FILER, S3_ENDPOINT, write_plan
from cluster.native.readiness import await_stages, stages
from cluster.progress import ClusterError, ImpossibleHereError, say
from cluster.store import SHARED_BUCKET, is_s3_ready, make_bucket
from cluster.weed import find_weed


class NativeProvider:
    """One node on this machine."""

    name = "native"

    def __init__(self, layout: Layout | None = None) -> None:
        self._layout = layout or Layout()

    def up(self) -> Access:
        """Starts the node, finishes a half-started one, or finds it running."""
        _require_root()
        with one_at_a_time("native"):
            binaries = build_binary() if self._is_complete() else self._make_complete()
            lead_to_pods()
        return Access(
            kubeconfig=self._layout.kubeconfig,
            s3=S3(endpoint=S3_ENDPOINT),
            tools=binaries,
            audit_log=self._layout.audit_log,
        )

    def has_image(self, name: str) -> bool:
        """Whether the node's runtime has it."""
        return running_node(self._layout) is not None and name in image_names(self._layout)

    def load_image(self, archive: Path, name: str) -> str:
        """Imports an OCI archive, which must carry this name, into the node's runtime."""
        if running_node(self._layout) is None:
            raise ClusterError(f"the cluster is down, so {name} cannot be loaded: `make cluster` starts it")
        import_image(self._layout, archive)
        if name not in image_names(self._layout):
            raise ClusterError(f"{archive} does not carry {name}: push it to oci-archive:{archive}:{name}")
        return name

    def pinned(self, name: str) -> str:
        """The image's name by its digest, which the node's runtime is told."""
        with one_at_a_time("pinned"):
            return pin_on_node(self._layout, name)

    def status(self) -> str:
        """What runs and what is left."""
        first = running_node(self._layout)
        if first is None:
            left = find_leftovers(self._layout)
            return "native: down" + ("; left over: " + ", ".join(left) if left else "")
        config = self._layout.kubeconfig
        api = "ready" if is_api_ready(config) else "not ready"
        node = "Ready" if is_node_ready(config, NODE_NAME) else "not Ready"
        s3 = "ready" if is_s3_ready(S3_ENDPOINT) else "not ready"
        logs = self._layout.logs
        return f"native: process {first.pid}, API server {api}, node {node}, S3 {s3}, logs in {logs}"

    def down(self) -> None:
        """Ends the node and removes all that it left."""
        _require_root()
        with one_at_a_time("native"):
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
        binaries, archives = build_all()
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
            apply_dns(binaries / "kubectl", self._layout.kubeconfig)
            make_bucket(FILER, SHARED_BUCKET)
            for done in imports:
                done.result()
        self._complete.touch()
        say("the cluster is up")


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ImpossibleHereError(
            "the `native` cluster needs root, for namespaces, mounts and links: run as root"
        )
