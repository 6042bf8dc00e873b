"""Waits for the node, stage by stage; if a stage is late, the last lines of the components
at fault are shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cluster.native.api import has_default_account, is_api_ready, is_node_ready
from cluster.native.layout import NODE_NAME, Layout
from cluster.native.namespaces import running_node
from cluster.native.plan import S3_ENDPOINT
from cluster.progress import ClusterError
from cluster.store import is_s3_ready
from cluster.waiting import wait_until

_LINES = 12


@dataclass(frozen=True)
class Stage:
    """Something that must become true, and which components make it so."""

    name: str
    is_done: Callable[[], bool]
    at_fault: tuple[str, ...]


def stages(layout: Layout) -> list[Stage]:
    """The stages of the node's start, in order."""
    config = layout.kubeconfig
    return [
        Stage("the container runtime answers", layout.containerd_socket.exists, ("containerd",)),
        Stage("the API server is ready", lambda: is_api_ready(config), ("etcd", "kube-apiserver")),
        Stage("S3 is ready", lambda: is_s3_ready(S3_ENDPOINT), ("store",)),
        Stage("the node is Ready", lambda: is_node_ready(config, NODE_NAME), ("kubelet", "containerd")),
        Stage("service accounts are made", lambda: has_default_account(config), ("kube-controller-manager",)),
    ]


def await_stages(layout: Layout, wanted: list[Stage], seconds: float = 90) -> None:
    """Returns when all stages are done; a ClusterError with the logs of who is late otherwise."""
    for stage in wanted:
        in_time = wait_until(partial(_is_over, stage, layout), seconds)
        if running_node(layout) is None:
            raise ClusterError(
                f"the node's first process has ended:\n{_tail(layout.logs / 'supervisor.log')}"
            )
        if not in_time:
            said = "\n".join(_tail(layout.logs / f"{name}.log") for name in stage.at_fault)
            raise ClusterError(f"after {seconds:.0f} s it is still not so that {stage.name}:\n{said}")


def _is_over(stage: Stage, layout: Layout) -> bool:
    return stage.is_done() or running_node(layout) is None


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LINES:] if log.exists() else ["(no log)"]
    return "\n".join([f"--- {log}", *(line[:400] for line in lines)])
