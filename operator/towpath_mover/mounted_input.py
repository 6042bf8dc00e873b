"""An input whose files lie in mounts: looked at first, then laid out as a tree of links. Next to no byte is moved.

What a mount shows is not trusted. Before user code starts, each file that was pinned must be there with its size, and
a byte of one be readable: an empty folder, another one, and one that never answers are failures with a name. Bytes are
not verified: whoever needs that downloads. This process, which has credentials, never enters a mount.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from towpath_mover.download import download
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.mount_look import look_at
from towpath_mover.mount_loss import leave_for_later
from towpath_mover.paths import shown
from towpath_mover.pinned import Source
from towpath_mover.pod_paths import PodPaths
from towpath_mover.progress import Progress

_PARTIAL = ".partial"


class Mounts(NamedTuple):
    """Where the roots of one inventory lie in the pod, by their numbers."""

    places: tuple[str, ...]

    def path(self, entry: Entry) -> str:
        """Return where a file lies."""
        return self.places[entry.root] + entry.path


def mounts_of(roots: Sequence[Root], mounted: Mapping[str, str], paths: PodPaths) -> Mounts | None:
    """Return where these roots lie; None where one's datastore is not among those `mounted`: then all is downloaded."""
    if any(root.datastore not in mounted for root in roots):
        return None
    for root in roots:
        if ".." in root.prefix.split("/"):
            raise MoverFailure(
                Reason.UNSAFE_PATH, f"The inventory's root {shown(root.prefix)} leaves its datastore."
            )
    return Mounts(tuple(f"{paths.here(mounted[root.datastore])}/{root.prefix}" for root in roots))


def link_input(
    name: str,
    entries: Callable[[], Iterable[Entry]],
    mounts: Mounts,
    sources: Sequence[Source],
    target: Path,
    paths: PodPaths,
) -> None:
    """Look at the files, then make `target` a tree of links to them; a MoverFailure names what is not as pinned.

    What can be executed is brought from `sources`, for a mount shows one mode for all.
    """
    if target.exists():
        # A pod whose sandbox was lost is set up again, with what the first time left.
        return
    look_at(name, entries(), mounts.path, paths.scratch / f"look-{name}")
    leave_for_later(name, entries(), mounts.path, paths)
    partial = target.with_name(f".{target.name}{_PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    download((one for one in entries() if one.executable), sources, partial, Progress(f"input {name}"))
    made = {""}
    for entry in entries():
        if not entry.executable:
            folder = entry.path.rpartition("/")[0]
            if folder not in made:
                (partial / folder).mkdir(parents=True, exist_ok=True)
                made.add(folder)
            _link(entry, mounts.path(entry), f"{partial}/{entry.path}")
    partial.rename(target)


def _link(entry: Entry, source: str, place: str) -> None:
    try:
        Path(place).symlink_to(source)
    except OSError as error:
        message = f"{shown(entry.path)} cannot be laid out at {place}: {error.strerror}."
        raise MoverFailure(Reason.DISK_REFUSED, message) from error
