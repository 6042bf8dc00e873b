"""An input whose files lie in mounts: looked at first, then laid out as a tree of links. No byte is moved.

What a mount shows is not trusted. Before user code starts, each file that was pinned must be there with its size, and
a byte of one be readable: an empty folder, another one, and one that never answers are failures with a name. Bytes are
not verified: whoever needs that downloads.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple

from towpath.flow import names
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.mount_look import look_at
from towpath_mover.paths import shown
from towpath_mover.pod_paths import PodPaths

_PARTIAL = ".partial"


class Mounts(NamedTuple):
    """Where the roots of one inventory lie in the pod, by their numbers."""

    places: tuple[str, ...]

    def path(self, entry: Entry) -> str:
        """Return where a file lies."""
        return self.places[entry.root] + entry.path


def mounts_of(roots: Sequence[Root], paths: PodPaths) -> Mounts | None:
    """Return where these roots are mounted; None where one of them is not: then the input is downloaded."""
    folders = [paths.here(f"{names.CONTAINER_MOUNTS}/{root.datastore}") for root in roots]
    if not all(folder.is_dir() for folder in folders):
        return None
    return Mounts(tuple(f"{folder}/{root.prefix}" for folder, root in zip(folders, roots, strict=True)))


def link_input(
    name: str, entries: Callable[[], Iterable[Entry]], mounts: Mounts, target: Path, scratch: Path
) -> None:
    """Look at the files, then make `target` a tree of links to them; a MoverFailure names what is not as pinned.

    What can be executed is copied, for a mount shows one mode for all; its bytes are verified.
    """
    if target.exists():
        # A pod whose sandbox was lost is set up again, with what the first time left.
        return
    look_at(name, entries(), mounts.path, scratch / f"look-{name}")
    partial = target.with_name(f".{target.name}{_PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    made = {""}
    for entry in entries():
        folder = entry.path.rpartition("/")[0]
        if folder not in made:
            (partial / folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        _place(entry, mounts.path(entry), f"{partial}/{entry.path}")
    partial.rename(target)


def _place(entry: Entry, source: str, place: str) -> None:
    try:
        if entry.executable:
            _copy(entry, source, place)
        else:
            Path(place).symlink_to(source)
    except OSError as error:
        message = f"{shown(entry.path)} cannot be laid out at {place}: {error.strerror}."
        raise MoverFailure(Reason.DISK_REFUSED, message) from error


def _copy(entry: Entry, source: str, place: str) -> None:
    shutil.copyfile(source, place)
    with Path(place).open("rb") as copied:
        digest = file_digest(copied, "sha256").hexdigest()
    if entry.sha256 not in (None, digest):
        message = f"{shown(entry.path)} has other bytes in its mount than were pinned. See who writes there."
        raise MoverFailure(Reason.INPUT_DRIFT, message)
    Path(place).chmod(0o755)
