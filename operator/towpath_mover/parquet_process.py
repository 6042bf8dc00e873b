"""Parquet files on disk → what their footers say, and files of some of their rows: made in a process of its own.

Whatever a file does to the library that reads it, the mover lives and says what happened. No other process of a
mover loads that library.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from towpath.flow.parquet_scratch import waiting_bytes
from towpath_mover.failures import MoverFailure, Reason, package_missing
from towpath_mover.inventory import Entry
from towpath_mover.paths import shown
from towpath_mover.transfer import MiB

_LIMIT = Path("/sys/fs/cgroup/memory.max")
_CONTAINER = 256 * MiB
# What the mover itself takes, and the code of both.
_OURS = 112 * MiB
# Memory that is freed goes back at once, and no thread keeps some of its own.
_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(64 << 10),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 10),
    "OMP_NUM_THREADS": "1",
}
_LONGEST = 300


class ParquetError(ValueError):
    """A file that cannot be read as Parquet; whoever knows that it is the pinned one makes a BadRow of it."""


class Footer(NamedTuple):
    """What a file says of itself."""

    rows: int
    columns: list[tuple[str, str]]


class ParquetProcess:
    """The process, which starts with its first job; `folder` is there, and its own."""

    def __init__(self, folder: Path, memory: int | None = None) -> None:
        self._folder = folder
        self._memory = memory or _memory()
        self._process: subprocess.Popen[str] | None = None

    def footer(self, entry: Entry, source: Path) -> Footer:
        """Read the footer of a file, or of the end of one."""
        return Footer(**self._answer(entry, {"source": str(source)}))

    def footer_of(self, entry: Entry, end: bytes | memoryview) -> Footer:
        """Read the footer that stands at the end of a file."""
        place = self._folder / "end"
        place.write_bytes(end)
        return self.footer(entry, place)

    def copy(
        self, entry: Entry, source: Path, bits: bytes | bytearray, target: Path, columns: list[int] | None
    ) -> None:
        """Write the rows whose bits are set, with the columns at these places or with all."""
        kept = self._folder / "kept"
        kept.write_bytes(bits)
        places = {"source": source, "target": target, "scratch": self._folder}
        job: dict[str, Any] = {name: str(place) for name, place in places.items()}
        taken = {"rows": str(kept), "columns": columns}
        self._answer(entry, job | {"waiting": waiting_bytes(entry.size), "taken": taken})

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _answer(self, entry: Entry, job: dict[str, Any]) -> dict[str, Any]:
        # Once more with a process that has its memory still before it, and takes little at once.
        for careful in (False, True):
            answer = self._asked(job | ({"careful": careful} if "target" in job else {}))
            if answer is None or "large" in answer:
                self.close()
                continue
            if answer.get("errno"):
                raise OSError(answer["errno"], os.strerror(answer["errno"]))
            if "bad" in answer:
                raise ParquetError(answer["bad"].partition("\n")[0].rstrip(".")[:_LONGEST])
            return answer
        message = (
            f"{shown(entry.path)} cannot be read within {self._memory // MiB} MiB: a page, a row or the footer of "
            "it is too large, or it is broken (the container's log may tell more). Write it with smaller pages, or "
            "give the Datastore's mover more memory (mover.resources.limits.memory)."
        )
        raise MoverFailure(Reason.ROWS_TOO_LARGE, message)

    def _asked(self, job: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer, or None of a process that ended without one."""
        if self._process is None:
            self._process = _started(self._memory)
        asking, answering = self._process.stdin, self._process.stdout
        if asking is None or answering is None:
            return None
        with suppress(BrokenPipeError):
            asking.write(json.dumps(job) + "\n")
            asking.flush()
        line = answering.readline()
        return json.loads(line) if line else None


def _started(memory: int) -> subprocess.Popen[str]:
    if find_spec("pyarrow") is None:
        raise package_missing("pyarrow")
    return subprocess.Popen(
        [sys.executable, "-m", "towpath_mover.parquet_child", str(memory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | _ENVIRONMENT,
    )


def _memory() -> int:
    """What the process may take: what this container has, but for our own."""
    try:
        limit = int(_LIMIT.read_text())
    except (OSError, ValueError):
        limit = _CONTAINER
    return max(limit - _OURS, _CONTAINER - _OURS)
