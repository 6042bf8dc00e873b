"""KWOK from its Go module: a program that plays the kubelets of as many nodes as one likes, and runs nothing."""

from __future__ import annotations

import os
from pathlib import Path

from cluster.cache import cache_folder, one_at_a_time
from cluster.native.binary import find_go
from cluster.progress import long_work, run

VERSION = "v0.8.0"
STAGES = Path(__file__).with_name("stages.yaml")
_LABEL = "simulated"


def kwok_program() -> Path:
    """The program, built the first time."""
    folder = cache_folder() / f"kwok-{VERSION}"
    with one_at_a_time("kwok"):
        if not (folder / "kwok").exists():
            unfinished = folder / "unfinished"
            unfinished.mkdir(parents=True, exist_ok=True)
            environment = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(unfinished)}
            with long_work("building KWOK", "2 minutes on two cores"):
                run([find_go(), "install", f"sigs.k8s.io/kwok/cmd/kwok@{VERSION}"], environment=environment)
            (unfinished / "kwok").rename(folder / "kwok")
    return folder / "kwok"


def kwok_command(kubeconfig: Path) -> list[str]:
    """Its command line: it plays the nodes that are made by `node`, as `stages.yaml` says."""
    return [
        str(kwok_program()),
        f"--kubeconfig={kubeconfig}",
        f"--config={STAGES}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-label-selector=type={_LABEL}",
        "--server-address=",
    ]


def node(name: str) -> dict[str, object]:
    """A node that KWOK plays."""
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"type": _LABEL}}}
