"""`mount`: a datastore → a folder of the pod in which the step finds its files, as long as the pod lives.

The one mover that runs as root with privileges, beside the step: it makes a FUSE mount that the other containers see.
It never ends by itself before it is told to: a mount that cannot be made is tried again, and what is wrong is left
where `stage-in` and `publish` read it, since nobody looks at the log of a pod that waits.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import IO, NamedTuple, cast

from towpath_mover.failures import MoverFailure
from towpath_mover.mount_words import failed_reads, ready_to_show
from towpath_mover.mounted import hiding, without_tokens
from towpath_mover.mounted_places import FusePlace
from towpath_mover.order import MountOrder, mount_order
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.rclone import MountSettings, Remote, mount_command, remote_of
from towpath_mover.report import Report

# A mount that is not there by then is begun anew.
PATIENCE_SECONDS = 60.0
# After so many tries it is told that there is none; trying goes on. A store that does not answer is waited for within
# one of them: what ends at once was refused.
_TRIES = 2
_PAUSE_SECONDS = 2.0
_LOOK_SECONDS = 0.05
_CALM_SECONDS = 0.5
# rclone asks the store for nothing more when it is told to end; a mount that somebody reads holds it up.
_END_SECONDS = 10.0
_DETACH = 2


class Mount(NamedTuple):
    """One mount: what is to be mounted, where, and where it speaks of itself."""

    order: MountOrder
    place: FusePlace
    paths: PodPaths

    @property
    def cache(self) -> Path:
        """Return the folder of its cache."""
        return self.paths.root / "mount-cache"


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Mount one datastore until this process is told to stop."""
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    paths = pod_paths(environ)
    order = mount_order(environ)
    place = FusePlace.of(order.datastore.name, paths)
    mount = Mount(order, place, paths)
    # What an earlier life of this container left answers no call.
    detach(place.folder)
    place.prepare()
    if place.was_made():
        # Files that were open then have been lost, whatever is mounted now.
        place.tell_lost("its container was started again: it was killed, or used more memory than it may")
    tries = 0
    while not stopped.is_set():
        words = _mount_once(mount, stopped)
        tries += 1
        if stopped.is_set():
            break
        if place.was_made():
            place.tell_lost(words)
        elif tries >= _TRIES:
            place.tell_failed(words)
        stopped.wait(_PAUSE_SECONDS)
    return {"mounted": place.was_made()}


def _mount_once(mount: Mount, stopped: Event) -> str:
    """Mount it and stay until it is told to stop, or the mount is no more; what was the matter then."""
    try:
        remote = remote_of(mount.order.datastore, mount.paths.places)
        rclone = _started(mount, remote)
    except (MoverFailure, OSError) as failed:
        _say(str(failed))
        return f"{failed.reason}: {failed.message}" if isinstance(failed, MoverFailure) else str(failed)
    heard = _Heard(mount.place, hiding(remote.secret))
    listener = Thread(target=heard.listen, args=(cast("IO[str]", rclone.stderr),), daemon=True)
    listener.start()
    try:
        _stay(rclone, mount.place, stopped)
    finally:
        # Who reads there still could hold rclone up until it is killed, and its dead mount would hold up the pod.
        detach(mount.place.folder)
        _end(rclone)
        listener.join(1)
    return heard.last or f"rclone ended with {rclone.returncode} and said nothing"


def _started(mount: Mount, remote: Remote) -> subprocess.Popen[str]:
    settings = MountSettings(mount.place.folder, mount.cache, mount.order.cache_bytes)
    command = mount_command(remote, settings, mount.order.datastore, mount.paths.places)
    environment = {**os.environ, **remote.environment}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace")


class _Heard:
    """What rclone says: handed on to our log without secrets; a read that failed is told where `publish` looks."""

    def __init__(self, place: FusePlace, hidden: Callable[[str], str]) -> None:
        self._place, self._hidden = place, hidden
        self.last = ""

    def listen(self, lines: IO[str]) -> None:
        for line in lines:
            words = without_tokens(self._hidden(ready_to_show(line)))
            _say(words)
            self.last = words or self.last
            failed = failed_reads(words)
            if failed:
                self._place.tell_lost(failed)


def _stay(rclone: subprocess.Popen[str], place: FusePlace, stopped: Event) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not place.is_mounted():
        if rclone.poll() is not None or time.monotonic() > until or stopped.wait(_LOOK_SECONDS):
            return
    place.tell_made()
    while rclone.poll() is None and not stopped.wait(_CALM_SECONDS):
        pass


def _end(rclone: subprocess.Popen[str]) -> None:
    rclone.terminate()
    try:
        rclone.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        rclone.kill()
        rclone.wait()


def detach(folder: Path) -> None:
    """Take a mount away, at once and whoever still reads there; nothing where none is."""
    libc = ctypes.CDLL(None, use_errno=True)
    # One may lie above another, of an earlier life of this container.
    while libc.umount2(os.fsencode(folder), _DETACH) == 0:
        pass


def _say(words: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"{words}\n")
        sys.stderr.flush()
