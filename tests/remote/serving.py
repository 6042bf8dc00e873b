"""`serve` as processes of this machine in the place of pods: the same mover, order and requests, without a cluster."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from towpath.cluster.link import ServingPod
from towpath.cluster.remote_store import RemoteStore, served_by
from towpath.flow.documents import datastore_document
from towpath.flow.planned import FORMAT_VERSION
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.transfer_protocol import digest_of

TOKEN = "a token of this test"


@dataclass
class Processes:
    """Starts one `serve` after another for a datastore whose credentials lie below `root`."""

    datastore: PlannedDatastore
    root: Path
    idle_seconds: int = 60
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    where: str = "Datastore default of a test"

    def start(self) -> ServingPod:
        """Start one; it may not listen yet."""
        port = free_port()
        document = {
            "formatVersion": FORMAT_VERSION,
            "namespace": "team-a",
            "datastore": datastore_document(self.datastore),
            "tokenSHA256": digest_of(TOKEN.encode()),
            "idleSeconds": self.idle_seconds,
        }
        environment = os.environ | {
            "TOWPATH_ROOT": str(self.root),
            "TOWPATH_ORDER": json.dumps(document),
            "TOWPATH_SERVE_PORT": str(port),
            "TOWPATH_TERMINATION_LOG": str(self.root / "last-words"),
        }
        command = [sys.executable, "-m", "towpath_mover", "serve"]
        self.processes.append(subprocess.Popen(command, env=environment))
        serving = ServingPod("job", str(len(self.processes) - 1), TOKEN)
        self.ports[serving.pod] = port
        return serving

    def is_running(self, serving: ServingPod) -> bool:
        return self.processes[int(serving.pod)].poll() is None

    def stop(self, serving: ServingPod) -> None:
        process = self.processes[int(serving.pod)]
        process.terminate()
        process.wait()

    def connect(self, serving: ServingPod) -> Any:
        return socket.create_connection(("127.0.0.1", self.ports[serving.pod]))

    def kill(self) -> None:
        """End the one that runs as an eviction would, at once."""
        self.processes[-1].send_signal(signal.SIGKILL)
        self.processes[-1].wait()

    def memory_peak(self) -> int:
        """The most that the one that runs has held, in bytes."""
        status = Path(f"/proc/{self.processes[-1].pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    @contextmanager
    def open(self) -> Iterator[RemoteStore]:
        """The store that they serve."""
        (self.root / "tmp").mkdir(exist_ok=True)
        with served_by(self) as store:
            yield store


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def seconds(action: Any) -> float:
    """How long it takes."""
    began = time.monotonic()
    action()
    return time.monotonic() - began
