"""What a process that was killed has left behind: folders of pods, and processes of theirs that may still run."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

from towpath.local.descendants import descendants_of, started_at
from towpath.local.places import LocalPlaces

_PROCESS = "process.json"


def remember(folder: Path, pid: int) -> None:
    """Note which process runs the pod of this folder."""
    (folder / _PROCESS).write_text(json.dumps({"pid": pid, "started": started_at(pid)}))


def clear(places: LocalPlaces) -> None:
    """End what still runs of pods that nobody keeps any more, and take their folders away.

    To be called by who holds the operator's lock: all pods are of an earlier process then.
    """
    for folder in places.pods.iterdir() if places.pods.is_dir() else ():
        _kill(folder / _PROCESS)
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a pod's folder, also what stands in it read-only."""
    for path, _, _ in os.walk(folder):
        with suppress(OSError):
            Path(path).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _kill(note: Path) -> None:
    try:
        process = json.loads(note.read_text())
    except (FileNotFoundError, ValueError):
        return
    pid = int(process["pid"])
    if not process["started"] or started_at(pid) != process["started"]:
        return
    for one in (*descendants_of(pid), pid):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)
