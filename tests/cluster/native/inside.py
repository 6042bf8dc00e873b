"""What is set up inside the node's namespaces before its components start: folders of its own over the
shared ones, its address, and its cgroup. Nothing here can be seen from outside but the cgroup."""

from __future__ import annotations

from pathlib import Path

from cluster.native.kubelet import FOLDER as KUBELET_FOLDER
from cluster.native.layout import CGROUP, NODE_ADDRESS, NODE_LINK, NODE_NAME, SERVICE_RANGE, Layout
from cluster.native.links import has_link
from cluster.progress import ClusterError, run
from cluster.waiting import wait_until

CGROUP_ROOT = Path("/sys/fs/cgroup")
# Folders that the runtime and the kubelet write to by fixed names; each is covered by a private one.
COVERED = ("/var/log", "/run/containerd", "/run/netns", "/var/lib/cni", KUBELET_FOLDER)
# The kubelet sets these for the whole machine. It finds them as it wants them, and so leaves them alone.
TUNABLES = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


def prepare_node(layout: Layout) -> None:
    """Makes the namespaces that this process is in a node."""
    run(["hostname", NODE_NAME])
    # Without this a mount made in one container would not reach another (`Bidirectional`).
    run(["mount", "--make-rshared", "/"])
    for path in COVERED:
        _cover(Path(path), layout.state / "private" / path.lstrip("/").replace("/", "-"))
    for name, value in TUNABLES.items():
        _pretend(Path("/proc/sys") / name, value, layout.state / "tunables" / name.replace("/", "-"))
    for folder in cgroup_folders():
        folder.mkdir(exist_ok=True)
    _join_network()


def cgroup_folders(root: Path = CGROUP_ROOT) -> list[Path]:
    """The node's cgroup in each hierarchy: one with the new cgroups, one per controller with the old."""
    if (root / "cgroup.controllers").exists():
        return [root / CGROUP]
    return [entry / CGROUP for entry in sorted(root.iterdir()) if entry.is_dir() and not entry.is_symlink()]


def _cover(path: Path, private: Path) -> None:
    private.mkdir(parents=True, exist_ok=True)
    run(["mount", "--bind", private, path])


def _pretend(setting: Path, value: int, stand_in: Path) -> None:
    if not setting.exists():
        return
    stand_in.parent.mkdir(parents=True, exist_ok=True)
    stand_in.write_text(f"{value}\n")
    run(["mount", "--bind", stand_in, setting])


def _join_network() -> None:
    if not wait_until(lambda: has_link(NODE_LINK), 10):
        raise ClusterError(f"the link {NODE_LINK} was not handed over by the host within 10 s")
    run(["ip", "link", "set", "lo", "up"])
    run(["ip", "address", "add", f"{NODE_ADDRESS}/24", "dev", NODE_LINK])
    run(["ip", "link", "set", NODE_LINK, "up"])
    # kube-proxy's rules apply to the node's own processes only for a packet that has a route.
    run(["ip", "route", "add", SERVICE_RANGE, "dev", "lo", "src", NODE_ADDRESS])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    bridged = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if bridged.exists():
        bridged.write_text("1")
