"""Was a mount there to the end? What a step computed of one that was not is nobody's result, and nobody's mistake.

`stage-in` leaves a list of some files of each mounted input; `publish` looks at them again, in the same way, and hears
what our own FUSE mount says of reads that it could not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from towpath.flow import names
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.mount_look import MountGoneError, line_of, look_again
from towpath_mover.mounted_places import FusePlace
from towpath_mover.pod_paths import PodPaths

# A mount dies as a whole: a few hundred files tell it.
_AT_MOST = 256
PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 5.0


@contextmanager
def explained(
    name: str, datastores: Collection[str], mounted: Mapping[str, str], paths: PodPaths
) -> Iterator[None]:
    """Raise a MoverFailure where our own mount of one of these is not there; add its words to what fails there."""
    places = [FusePlace.of(datastore, paths) for datastore in sorted(_ours(mounted) & set(datastores))]
    for place in places:
        why = place.failed()
        if why is not None:
            message = f"Input {name!r}: Datastore {place.name} could not be mounted: {why}"
            raise MoverFailure(Reason.MOUNT_UNREADABLE, message)
    try:
        yield
    except MoverFailure as failed:
        said = [
            f"The mount of Datastore {place.name} says: {words}"
            for place in places
            if (words := place.lost())
        ]
        # Where there is no mount, nothing is said of the data.
        is_there = all(place.lost() is None and place.is_mounted() for place in places)
        is_of_data = failed.reason in (Reason.MOUNT_EMPTY, Reason.MOUNT_INCOMPLETE)
        reason = Reason.MOUNT_UNREADABLE if is_of_data and not is_there else failed.reason
        raise MoverFailure(reason, " ".join([failed.message, *said])) from failed


def leave_for_later(
    name: str, entries: Iterable[Entry], path_of: Callable[[Entry], str], paths: PodPaths
) -> None:
    """Write down some files of an input, from all over it, where the step cannot change it."""
    kept: list[Entry] = []
    stride = 1
    for number, entry in enumerate(entries):
        if number % stride == 0 and not entry.executable:
            kept.append(entry)
        if len(kept) > _AT_MOST:
            kept, stride = kept[::2], stride * 2
    folder = _lists(paths)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(line_of(entry, path_of) for entry in kept))


def check_ours(mounted: Mapping[str, str], paths: PodPaths) -> None:
    """Raise MountLost if one of our own mounts went, or could not answer a read, at any time until now."""
    for datastore in sorted(_ours(mounted)):
        lost = FusePlace.of(datastore, paths).lost()
        if lost is not None:
            raise _lost(f"of Datastore {datastore}: {lost}")


def check_kept(
    mounted: Mapping[str, str], paths: PodPaths, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Raise MountLost unless every mount that the step read through is as it was before it."""
    check_ours(mounted, paths)
    folder = _lists(paths)
    until = time.monotonic() + patience_seconds
    for file in sorted(folder.iterdir()) if folder.exists() else ():
        # Ours told of every read that failed. Of others only a read shows whether there is anything behind them.
        reads = f"{paths.here(names.CONTAINER_FUSE)}/" not in file.read_text()
        try:
            _look_patiently(file, until, reads=reads)
        except MoverFailure as failed:
            raise _lost(f"{failed.reason}: {failed.message}") from failed


def _look_patiently(file: Path, until: float, *, reads: bool) -> None:
    while True:
        try:
            look_again(file.name, file, reads=reads)
        except MoverFailure as failed:
            # The step has read what it needed: a store that is away for a while takes nothing from it.
            passing = failed.reason in (Reason.MOUNT_UNREADABLE, Reason.MOUNT_HANGS)
            if isinstance(failed, MountGoneError) or not passing or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _lost(words: str) -> MoverFailure:
    message = f"A mount was lost: nothing is published, and the step is run again in a new pod. {words}"
    return MoverFailure(Reason.MOUNT_LOST, message)


def _ours(mounted: Mapping[str, str]) -> set[str]:
    return {name for name, folder in mounted.items() if folder.startswith(f"{names.CONTAINER_FUSE}/")}


def _lists(paths: PodPaths) -> Path:
    return paths.bin / "mounted"
