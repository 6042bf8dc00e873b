"""Is what was pinned there, in a mount? A process of its own asks: a call that no mount answers cannot be ended.

It tells its progress through a pipe; where it tells nothing for a while, it is killed, and the mount has hung.
"""

from __future__ import annotations

import errno
import json
import mmap
import os
import select
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.paths import shown

PATIENCE_SECONDS = 60.0
_FILES_A_SECOND = 1_000
# What calls to a mount end with whose server is gone.
_GONE = (errno.ENOTCONN, errno.ENODEV, errno.ENXIO, errno.ESTALE)
# A mount over a network answers many questions at once.
_AT_ONCE = 16
_BATCH = 256
_NAMED = 3


class MountGoneError(MoverFailure):
    """There is no mount any more: no patience brings it back."""


def look_at(
    name: str,
    entries: Iterable[Entry],
    path_of: Callable[[Entry], str],
    list_file: Path,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Raise a MoverFailure unless every file is where `path_of` says, with its size, and a byte of one can be read.

    What is to be looked at is written to `list_file`, which is gone afterwards.
    """
    files = 0
    with list_file.open("w") as listed:
        for entry in entries:
            listed.write(line_of(entry, path_of))
            files += 1
    try:
        # A mount lists a whole folder before it tells of one file.
        look_again(name, list_file, patience_seconds=patience_seconds + files / _FILES_A_SECOND)
    finally:
        list_file.unlink(missing_ok=True)


def line_of(entry: Entry, path_of: Callable[[Entry], str]) -> str:
    """Return what a list says of one file: its path in the input, where it lies, and its size."""
    return json.dumps([entry.path, path_of(entry), entry.size]) + "\n"


def look_again(
    name: str, list_file: Path, *, reads: bool = True, patience_seconds: float = PATIENCE_SECONDS
) -> None:
    """Raise a MoverFailure unless every file that is listed is there, as `look_at` does; MountGoneError: no mount is.

    Unless it `reads`, nothing is asked of the store that the mount knows already.
    """
    command = [sys.executable, "-m", "towpath_mover.mount_look", str(list_file), *(["read"] if reads else [])]
    looker = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)
    try:
        told = _listen(name, looker, patience_seconds)
    finally:
        looker.kill()
        # One that the mount holds cannot be buried: whoever ends this pod does.
        with suppress(subprocess.TimeoutExpired):
            looker.wait(1)
    _judge(name, told)


def _listen(name: str, looker: subprocess.Popen[bytes], patience_seconds: float) -> dict[str, Any]:
    said, pipe = b"", cast("IO[bytes]", looker.stdout)
    with pipe:
        while not said.endswith(b"\n"):
            if not select.select([pipe], [], [], patience_seconds)[0]:
                message = (
                    f"Input {name!r}: its mount has not answered for {patience_seconds:g} s. See the volume's server "
                    "and, on the node, its mounts; or download the input (mode: Download)."
                )
                raise MoverFailure(Reason.MOUNT_HANGS, message)
            piece = pipe.read(65536)
            if not piece:
                raise MoverFailure(
                    Reason.MOUNT_UNREADABLE, f"Input {name!r}: the look at its mount ended early."
                )
            # Dots are only progress.
            said += piece.lstrip(b".")
    told: dict[str, Any] = json.loads(said)
    return told


def _judge(name: str, told: dict[str, Any]) -> None:
    files, missing, wrong = told["files"], told["count_missing"], told["count_wrong"]
    if told["refused"]:
        who = f"UID {os.getuid()} with the groups {' '.join(map(str, os.getgroups()))}"
        message = (
            f"Input {name!r} cannot be read in its mount as {who}: {told['refused']}. Give that user access on the "
            "volume, or download the input (mode: Download)."
        )
        raise (MountGoneError if told["is_gone"] else MoverFailure)(Reason.MOUNT_UNREADABLE, message)
    if files and missing == files:
        message = (
            f"Input {name!r}: its mount has none of its {files} files, such as {shown(told['missing'][0])}. See "
            "whether claim and folder in the Datastore's `mount` show the same place as the Datastore, and whether "
            "the data were removed."
        )
        raise MoverFailure(Reason.MOUNT_EMPTY, message)
    if missing or wrong:
        named = [f"{shown(path)} is missing" for path in told["missing"]] + told["wrong"]
        message = (
            f"Input {name!r}: of its {files} files {missing} are not in its mount and {wrong} are others than were "
            f"pinned, such as {'; '.join(named[:_NAMED])}. See who writes there, or take a new version of the data."
        )
        raise MoverFailure(Reason.MOUNT_INCOMPLETE, message)


class _Seen:
    """What was found, as it grows."""

    def __init__(self) -> None:
        self.files = self.count_missing = self.count_wrong = 0
        self.missing: list[str] = []
        self.wrong: list[str] = []
        self.refused: str | None = None
        self.to_read: str | None = None
        self.is_gone = False

    def note(self, asked: tuple[str, str, int], found: os.stat_result | OSError) -> None:
        """Note what is there of one file."""
        path, place, size = asked
        self.files += 1
        if isinstance(found, (FileNotFoundError, NotADirectoryError)):
            self.count_missing += 1
            self.missing += [path] if len(self.missing) < _NAMED else []
        elif isinstance(found, OSError):
            self._refuse(shown(path), found)
        elif not stat.S_ISREG(found.st_mode) or found.st_size != size:
            self.count_wrong += 1
            what = (
                f"{found.st_size} bytes, {size} were pinned"
                if stat.S_ISREG(found.st_mode)
                else "it is no file"
            )
            self.wrong += [f"{shown(path)} ({what})"] if len(self.wrong) < _NAMED else []
        elif size and self.to_read is None:
            self.to_read = place

    def read_one(self) -> None:
        """Read a little of one file: who may look need not be one who may read."""
        try:
            if self.to_read is not None:
                _read_a_little(self.to_read)
        except OSError as error:
            self._refuse(str(self.to_read), error)

    def _refuse(self, what: str, error: OSError) -> None:
        self.refused = self.refused or f"{what}: {error.strerror}"
        self.is_gone = self.is_gone or error.errno in _GONE


def _read_a_little(place: str) -> None:
    try:
        # Past what the kernel keeps: of a store that is gone it would still show what was read before.
        file = os.open(place, os.O_RDONLY | os.O_DIRECT)
        try:
            os.preadv(file, [mmap.mmap(-1, mmap.PAGESIZE)], 0)
        finally:
            os.close(file)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        # Not every file system has such reads.
        with Path(place).open("rb") as again:
            again.read(1)


def _status(asked: tuple[str, str, int]) -> os.stat_result | OSError:
    try:
        return os.lstat(asked[1])
    except OSError as error:
        return error


def look(list_file: Path, *, reads: bool) -> dict[str, Any]:
    """Look at what is listed, and return what was found; a dot on stdout for some files each."""
    seen = _Seen()
    with list_file.open() as lines, ThreadPoolExecutor(_AT_ONCE) as pool:
        while some := [json.loads(line) for line in islice(lines, _BATCH)]:
            for asked, found in zip(some, pool.map(_status, some), strict=True):
                seen.note(asked, found)
            os.write(1, b".")
    if reads:
        seen.read_one()
    return vars(seen)


if __name__ == "__main__":
    os.write(1, json.dumps(look(Path(sys.argv[1]), reads="read" in sys.argv[2:])).encode() + b"\n")
