"""The one program that holds control plane, node agent, kubectl, DNS and Helm: built from Go modules once
per content of its sources, kept in the cache, and reached through one symbolic link per name."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cluster.cache import cache_folder, digest_of, one_at_a_time
from cluster.progress import ClusterError, long_work, run

SOURCES = Path(__file__).parent / "node"
VERSION = "v1.35.4"
_MAJOR, _MINOR, _ = VERSION.removeprefix("v").split(".")
_STAMP = "k8s.io/component-base/version"
# Without the stamps the node would call itself v0.0.0.
LINKER_FLAGS = (
    f"-s -w -X {_STAMP}.gitVersion={VERSION} -X {_STAMP}.gitMajor={_MAJOR} -X {_STAMP}.gitMinor={_MINOR}"
)
BUILD = ("build", "-trimpath", "-ldflags", LINKER_FLAGS)
NAMES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "coredns",
    "kubectl",
    "helm",
)


def binary_key(sources: Path = SOURCES, build: tuple[str, ...] = BUILD) -> str:
    """The key of the program: its sources, the modules it is built from, and the flags."""
    return digest_of(["go", *build, *(sources / name for name in ("main.go", "go.mod", "go.sum"))])


def build_binary() -> Path:
    """The folder with a link per program name, built first if the cache does not have it."""
    folder = cache_folder() / f"node-{binary_key()}"
    if not (folder / "node").exists():
        with one_at_a_time("node"):
            _build_into(folder)
    for name in NAMES:
        if not (folder / name).is_symlink():
            (folder / name).symlink_to("node")
    return folder


def find_go() -> str:
    """The path of Go, also where it is installed but not on the PATH; says what to install if there is none."""
    path = f"{os.environ.get('PATH', '')}:/usr/local/go/bin:/usr/lib/go/bin"
    go = shutil.which("go", path=path)
    if go is None:
        raise ClusterError("there is no Go on this machine: install Go 1.25 or later and try again")
    return go


def _build_into(folder: Path) -> None:
    if (folder / "node").exists():
        return
    go = find_go()
    folder.mkdir(parents=True, exist_ok=True)
    # Renamed at the end: a build that was cut off leaves no half program behind.
    unfinished = folder / "node.unfinished"
    environment = {**os.environ, "CGO_ENABLED": "0"}
    with long_work(
        "building Kubernetes, etcd, CoreDNS and Helm as one program", "7 to 11 minutes on two cores"
    ):
        run([go, *BUILD, "-o", unfinished, "."], folder=SOURCES, environment=environment)
    unfinished.rename(folder / "node")
