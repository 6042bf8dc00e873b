"""A FUSE sidecar without a kubelet: the mover `mount` as a process of this machine. Needs root and /dev/fuse."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cluster.store import Identity
from cluster.waiting import wait_until
from mover.pods import Pod
from towpath.flow.documents import datastore_document
from towpath_mover.inventory import Entry
from towpath_mover.mount import detach
from towpath_mover.mounted_places import FusePlace

SECONDS = 60.0


class Sidecar:
    """The container, as a process of this machine; it can be started again as a kubelet would."""

    def __init__(self, pod: Pod, identity: Identity | None = None, **location: Any) -> None:
        self.root = pod.root
        described = replace(pod.datastore, location={**pod.datastore.location, **location})
        order = {"formatVersion": 1, "datastore": datastore_document(described), "cacheBytes": 0}
        (self.root / "fuse").mkdir(exist_ok=True)
        keys = self.root
        if identity:
            # Its own Secret: what stage-in is given is right.
            keys = pod.root.with_name(f"{pod.root.name}-sidecar")
            Pod(keys, pod.datastore, identity)
            (keys / "fuse").symlink_to(self.root / "fuse")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environ = {**pod.environ, "PATH": path, "TOWPATH_ORDER": json.dumps(order)}
        self._environ |= {"TOWPATH_ROOT": str(keys), "TOWPATH_TERMINATION_LOG": str(keys / "sidecar-log")}
        self.place = FusePlace(self.root / "fuse", pod.datastore.name)
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, perhaps once more."""
        command = [sys.executable, "-m", "towpath_mover", "mount"]
        self.process = subprocess.Popen(command, env=self._environ)
        return self.process

    def rclone(self) -> int:
        """The process that serves the mount."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(
            int(child) for child in children if b"rclone" in Path(f"/proc/{child}/cmdline").read_bytes()
        )

    def path_of(self, entry: Entry) -> str:
        """Where a file lies."""
        return f"{self.place.folder}/{entry.path}"

    def until(self, is_so: Callable[[FusePlace], object]) -> None:
        """Wait for what it says."""
        assert wait_until(lambda: bool(is_so(self.place)), SECONDS, pause=0.02)


@contextmanager
def beside(pod: Pod, identity: Identity | None = None, **location: Any) -> Iterator[Sidecar]:
    """A sidecar beside the pod's other containers, until they have ended."""
    sidecar = Sidecar(pod, identity, **location)
    try:
        yield sidecar
    finally:
        # Not killed: an rclone that had not mounted yet would do so when nobody is left to take it away.
        sidecar.process.terminate()
        sidecar.process.wait(60)
        detach(sidecar.place.folder)
