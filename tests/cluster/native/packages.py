"""The Debian packages that the node is made of: installs what is missing, or says what to install."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from cluster.progress import ClusterError, run, say

# Package → a file or a program that shows it is there.
NEEDED = {
    "containerd": "containerd",
    "runc": "runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "iproute2": "ip",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "fuse3": "fusermount3",
    "zstd": "zstd",
    "openssl": "openssl",
    "util-linux": "unshare",
    # Not of the node: what our image has of it, for tests of the launcher on this machine.
    "busybox-static": "/bin/busybox",
}


def is_present(evidence: str) -> bool:
    """Whether a program is on the PATH (or in an administrator's folder), or a file exists."""
    search = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    return (
        Path(evidence).exists()
        if evidence.startswith("/")
        else shutil.which(evidence, path=search) is not None
    )


def missing_packages(
    needed: Mapping[str, str] = NEEDED, present: Callable[[str], bool] = is_present
) -> list[str]:
    """The packages whose evidence is not there."""
    return [package for package, evidence in needed.items() if not present(evidence)]


def install_packages() -> None:
    """Installs what is missing; asks for root where it may not."""
    missing = missing_packages()
    if not missing:
        return
    hint = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0:
        raise ClusterError(f"packages are missing and only root may install them. As root: {hint}")
    if shutil.which("apt-get") is None:
        raise ClusterError(
            f"packages are missing and there is no apt-get. Install by hand: {' '.join(missing)}"
        )
    say(f"installing Debian packages, about 20 s: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], environment=environment)
    run(hint.split(), environment=environment)
