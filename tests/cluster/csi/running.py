"""Our CSI driver on the native node: started there, known to the API server, and heard."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any, cast

from cluster.kubectl import Kubectl
from cluster.native.kubelet import FOLDER
from cluster.native.layout import Layout
from cluster.native.namespaces import running_node
from cluster.progress import ImpossibleHereError

_TESTS = Path(__file__).parents[2]
_SECONDS = 60.0


@dataclass
class RunningDriver:
    """A driver that is registered; `said` is what it has said, in order."""

    name: str
    node: int
    _heard: Queue[dict[str, Any]]
    said: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(self, what: str) -> dict[str, Any]:
        """The next line of this kind; a failure with what was said instead."""
        while True:
            try:
                self.said.append(self._heard.get(timeout=_SECONDS))
            except Empty:
                raise AssertionError(f"the driver has not said {what!r}, but {self.said}") from None
            if self.said[-1]["said"] == what:
                return self.said[-1]

    def newest(self, what: str) -> dict[str, Any]:
        """The last line of this kind by now; a failure if there is none."""
        with suppress(Empty):
            while True:
                self.said.append(self._heard.get_nowait())
        found = [one for one in self.said if one["said"] == what]
        assert found, f"the driver has not said {what!r}, but {self.said}"
        return found[-1]

    def on_node(self, *command: str) -> None:
        """Do something among the node's processes."""
        subprocess.run([*_enter(self.node), *command], check=True)


@contextmanager
def running_driver(
    kubectl: Kubectl, name: str, modes: tuple[str, ...] = ("Ephemeral",)
) -> Iterator[RunningDriver]:
    """A driver of this name on the node, until the end of the block; ImpossibleHereError where the node is not ours."""
    node = running_node(Layout())
    if node is None:
        raise ImpossibleHereError("a CSI driver is started among the processes of the native cluster's node")
    rclone = Path(sys.executable).with_name("rclone")
    command = [*_enter(node.pid), sys.executable, "-m", "cluster.csi.driver", name, FOLDER, str(rclone)]
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(_TESTS)}
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
    heard: Queue[dict[str, Any]] = Queue()
    listener = Thread(target=_listen, args=(cast("IO[str]", process.stdout), heard), daemon=True)
    listener.start()
    driver = RunningDriver(name, node.pid, heard)
    try:
        kubectl("apply", "--filename", "-", stdin=json.dumps(_known_as(name, modes)))
        driver.wait_for("registered")
        yield driver
    finally:
        cast("IO[str]", process.stdin).close()
        process.wait(30)
        listener.join()
        cast("IO[str]", process.stdout).close()
        kubectl("delete", "csidriver", name, "--ignore-not-found")


def _enter(pid: int) -> list[str]:
    return ["nsenter", "--target", str(pid), "--mount", "--net", "--pid", "--uts", "--ipc"]


def _known_as(name: str, modes: tuple[str, ...]) -> dict[str, Any]:
    spec = {
        "attachRequired": False,
        "podInfoOnMount": True,
        "fsGroupPolicy": "None",
        "volumeLifecycleModes": list(modes),
    }
    return {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}, "spec": spec}


def _listen(lines: IO[str], heard: Queue[dict[str, Any]]) -> None:
    for line in lines:
        heard.put(json.loads(line))
