"""The node seen from the host: starts its first process in namespaces of its own, hands it one end of a veth
pair, and ends it again. The process is known by its id and its start time, so no other is ever killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.native.layout import HOST_ADDRESS, HOST_LINK, NODE_ADDRESS, NODE_LINK, POD_RANGE, Layout
from cluster.progress import ClusterError, run
from cluster.waiting import wait_until

_TESTS = Path(__file__).parents[2]
_NAMESPACES = ("--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", "--kill-child")


@dataclass(frozen=True)
class Process:
    """A process that cannot be taken for a later one with the same id."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this id now, if it is alive."""
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else cls(pid, fields[19])

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return Process.of(self.pid) == self


def start_node(layout: Layout) -> Process:
    """Starts the node's first process and connects it with the host."""
    _make_link()
    output = (layout.logs / "supervisor.log").open("ab")
    supervisor = [sys.executable, "-m", "cluster.native.supervisor", str(layout.state), str(layout.sockets)]
    starter = subprocess.Popen(
        ["unshare", *_NAMESPACES, *supervisor],
        cwd=layout.state,
        env={**os.environ, "PYTHONPATH": str(_TESTS)},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    first = _only_child(starter.pid, layout)
    layout.identity.write_text(json.dumps(asdict(first)))
    run(["ip", "link", "set", NODE_LINK, "netns", str(first.pid)])
    return first


def running_node(layout: Layout) -> Process | None:
    """The node's first process, if it is alive."""
    if not layout.identity.exists():
        return None
    known = Process(**json.loads(layout.identity.read_text()))
    return known if known.is_alive() else None


def stop_node(layout: Layout) -> None:
    """Ends the node: with its first process the kernel ends all others in it, mounts and links included."""
    first = running_node(layout)
    if first is None:
        return
    os.kill(first.pid, signal.SIGKILL)
    if not wait_until(lambda: not first.is_alive(), 30):
        raise ClusterError(f"the node's first process {first.pid} is still there 30 s after SIGKILL")


def lead_to_pods() -> None:
    """Lets pods speak to servers of tests on the host: answers find their way back. It goes with the link."""
    run(["ip", "route", "replace", POD_RANGE, "via", NODE_ADDRESS, "dev", HOST_LINK])


def _make_link() -> None:
    run(["ip", "link", "add", HOST_LINK, "type", "veth", "peer", "name", NODE_LINK])
    run(["ip", "address", "add", f"{HOST_ADDRESS}/24", "dev", HOST_LINK])
    run(["ip", "link", "set", HOST_LINK, "up"])


def _only_child(parent: int, layout: Layout) -> Process:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    if not wait_until(lambda: children.exists() and bool(children.read_text().split()), 10, pause=0.02):
        said = (layout.logs / "supervisor.log").read_text()[-2000:]
        raise ClusterError(f"`unshare` made no node (are namespaces allowed on this machine?):\n{said}")
    first = Process.of(int(children.read_text().split()[0]))
    if first is None:
        raise ClusterError(
            "the node's first process ended at once; see " + str(layout.logs / "supervisor.log")
        )
    return first
