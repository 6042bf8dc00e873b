"""Large files on disk: whatever order their ranges come in, one thread closes the file, and only when all is hashed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mover.deep import removed_at_the_end
from mover.transfers import MiB, noise
from towpath_mover.download import download
from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing, LargeFile
from towpath_mover.progress import Progress
from towpath_mover.room import reserve

CONTENT = b"first half, second half"
ON_A_SMALL_DISK = """
import json, subprocess, sys
from pathlib import Path
from towpath_mover.failures import MoverFailure
from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", sys.argv[1]], check=True)
try:
    Landing(Path(sys.argv[1]), None).open_large(Entry("file", 3 << 20), 1)
except MoverFailure as failed:
    print(json.dumps([failed.reason, failed.message.partition("full ")[2].partition(":")[0]]))
"""
HALF = len(CONTENT) // 2


class _Gate:
    """A lock that, when its holder leaves it for the n-th time, lets others go on before the holder does."""

    def __init__(self, lock: Any, leaving: int, others: Any) -> None:
        self._lock, self._left, self._others = lock, leaving, others

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._left -= 1
        last = self._left == 0
        self._lock.release()
        if last:
            self._others()


def test_a_range_that_lands_while_another_thread_leaves_does_not_close_the_file_twice(tmp_path: Path) -> None:
    entry = Entry("file", len(CONTENT), sha256(CONTENT).hexdigest())
    file = Landing(tmp_path, None).open_large(entry, 2)
    file.write(0, [CONTENT])
    hashing, may_hash, completed = Event(), Event(), []
    second = Thread(target=lambda: completed.append(_land_slowly(file, hashing, may_hash)))

    def second_begins_to_hash() -> None:
        second.start()
        assert hashing.wait(10)

    # Leaves the lock: after noting its range, after taking it to be hashed, and after finding no other.
    file._lock = _Gate(file._lock, 3, second_begins_to_hash)  # type: ignore[assignment]
    first_completed = file.land(0, 0, HALF)
    may_hash.set()
    second.join(10)
    assert (first_completed, completed) == (False, [True])
    assert file.close() == entry.sha256


def _land_slowly(file: LargeFile, hashing: Event, may_hash: Event) -> bool:
    at_once = file._hash

    def hash_late(start: int, end: int) -> None:
        hashing.set()
        assert may_hash.wait(10)
        at_once(start, end)

    file._hash = hash_late  # type: ignore[method-assign]
    return file.land(1, HALF, len(CONTENT))


def test_ranges_in_any_order_give_the_digest_of_the_whole(tmp_path: Path) -> None:
    entry = Entry("file", len(CONTENT), sha256(CONTENT).hexdigest())
    file = Landing(tmp_path, None).open_large(entry, 3)
    file.write(0, [CONTENT])
    landed = [file.land(*piece) for piece in [(2, 20, len(CONTENT)), (0, 0, 7), (1, 7, 20)]]
    assert landed == [False, False, True]
    assert file.close() == entry.sha256
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_a_large_file_has_its_room_before_a_byte_has_come_and_the_size_of_what_came(tmp_path: Path) -> None:
    file = Landing(tmp_path, None).open_large(Entry("file", 3 * MiB), 1)
    begun = (tmp_path / "file").stat()
    assert (begun.st_size, begun.st_blocks * 512 >= 3 * MiB) == (0, True)
    content = noise(MiB + 3)
    assert file.write(0, [content[:7], content[7:]]) == len(content)
    assert (tmp_path / "file").read_bytes() == content


def test_a_disk_that_is_too_small_is_full_before_a_byte_has_come(tmp_path: Path) -> None:
    said = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", ON_A_SMALL_DISK, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in said.stderr:
        pytest.skip(f"no mount of one's own here: {said.stderr.strip()}")
    assert json.loads(said.stdout) == ["DiskFull", "while writing 'file' (3145728 bytes)"], said.stderr


def test_where_no_room_can_be_reserved_the_file_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As where a sandbox or a file system knows no such call, or a C library has none.
    reading = os.open("/dev/null", os.O_RDONLY)
    reserve(reading, MiB)
    os.close(reading)
    monkeypatch.setattr("ctypes.CDLL", lambda *_, **__: object())
    file = Landing(tmp_path, None).open_large(Entry("file", 3), 1)
    assert file.write(0, [b"abc"]) == 3
    assert (tmp_path / "file").read_bytes() == b"abc"


def test_a_tree_of_two_thousand_levels_is_made_and_what_a_killed_download_left_of_it_goes(
    tmp_path: Path,
) -> None:
    with removed_at_the_end(tmp_path / ".input.partial") as left:
        left.mkdir()
        Landing(left, None).write_whole(Entry(f"{'d/' * 1900}file", 1), b"x")
        assert Path(f"{left}/{'d/' * 1900}file").read_bytes() == b"x"
        download([], [], tmp_path / "input", Progress("input"))
        assert [found.name for found in tmp_path.iterdir()] == ["input"]
