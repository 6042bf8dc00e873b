"""The node's addresses, names and folders: one place, so that rendering, starting and cleaning agree.
All addresses are of 198.18.0.0/15, the range kept for benchmarks, which belongs to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOST_ADDRESS = "198.18.0.1"
NODE_ADDRESS = "198.18.0.2"
POD_RANGE = "198.18.16.0/20"
SERVICE_RANGE = "198.19.0.0/16"
API_SERVICE_ADDRESS = "198.19.0.1"
DNS_SERVICE_ADDRESS = "198.19.0.10"

API_URL = f"https://{NODE_ADDRESS}:6443"
NODE_NAME = "towpath-node"
HOST_LINK = "towpath-host"
NODE_LINK = "towpath-node"
CGROUP = "towpath-test-cluster"
PAUSE_IMAGE = "localhost/towpath-tests/pause:1"


@dataclass(frozen=True)
class Layout:
    """The two folders of the node: what it stores, and its sockets (whose paths must stay short)."""

    state: Path = Path("/var/lib/towpath-test-cluster")
    sockets: Path = Path("/run/towpath-test-cluster")

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def certificates(self) -> Path:
        return self.state / "certificates"

    @property
    def config(self) -> Path:
        return self.state / "config"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "kubeconfig"

    def kubeconfig_of(self, user: str) -> Path:
        """The kubeconfig of one component."""
        return self.config / f"{user.replace(':', '-')}.kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.logs / "audit.log"

    @property
    def containerd_socket(self) -> Path:
        return self.sockets / "containerd.sock"

    @property
    def plan(self) -> Path:
        """What the node's first process reads: its folders and components."""
        return self.state / "node.json"

    @property
    def identity(self) -> Path:
        """Which process the running node is."""
        return self.state / "process.json"
