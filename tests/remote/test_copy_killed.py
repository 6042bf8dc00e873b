"""`copy` as a process of its own that is killed, as a laptop's lid or an impatient user does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.waiting import wait_until
from remote.folder_store import FolderBackend
from towpath.copying import copy
from towpath.errors import ChangedError

pytestmark = pytest.mark.fault

MiB = 1 << 20
SLOWLY = """
import sys, time
from pathlib import Path
from remote.folder_store import FolderBackend
from towpath.copying import copy
from towpath.opened_store import OpenedStore
real = OpenedStore._block
def slowly(*args):
    time.sleep(0.1)
    return real(*args)
OpenedStore._block = slowly
copy(FolderBackend(Path(sys.argv[1])), sys.argv[2], sys.argv[3])
"""


def killed_in_the_middle(volume: Path, target: Path) -> Path:
    """What a copy left that was killed with 16 MiB on their way."""
    command = [sys.executable, "-c", SLOWLY, str(volume), "folder:/raw/", str(target)]
    process = subprocess.Popen(command)

    def parts() -> list[Path]:
        return [file for file in target.glob(".*.towpath-partial") if file.stat().st_size >= 16 * MiB]

    assert wait_until(lambda: bool(parts()), 120, 0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (part,) = parts()
    return part


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """A store with one large file."""
    (tmp_path / "volume/raw").mkdir(parents=True)
    (tmp_path / "volume/raw/large").write_bytes(os.urandom(48 * MiB))
    return tmp_path / "volume"


def test_a_copy_that_was_killed_goes_on_behind_what_is_there(
    volume: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = killed_in_the_middle(volume, tmp_path / "here")
    there = part.stat().st_size
    assert 16 * MiB <= there < 48 * MiB
    assert not (tmp_path / "here/large").exists()
    backend = FolderBackend(volume)
    starts: list[int] = []
    monkeypatch.setattr(backend, "noted", starts.append)
    copy(backend, "folder:/raw/", str(tmp_path / "here"))
    assert starts[0] == there
    assert (tmp_path / "here/large").read_bytes() == (volume / "raw/large").read_bytes()
    assert [file.name for file in (tmp_path / "here").iterdir()] == ["large"]


def test_what_the_disk_lost_of_it_is_noticed_and_copied_anew(volume: Path, tmp_path: Path) -> None:
    part = killed_in_the_middle(volume, tmp_path / "here")
    with part.open("r+b") as damaged:
        damaged.write(b"\0" * 4096)
    with pytest.raises(ChangedError, match="put together of two tries"):
        copy(FolderBackend(volume), "folder:/raw/", str(tmp_path / "here"))
    assert not (tmp_path / "here/large").exists()
    copy(FolderBackend(volume), "folder:/raw/", str(tmp_path / "here"))
    assert (tmp_path / "here/large").read_bytes() == (volume / "raw/large").read_bytes()
