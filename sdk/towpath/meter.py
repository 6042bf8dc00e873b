"""How far a transfer of this machine is, and who is told: a terminal, plain lines, the CLI, or nobody."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from threading import Lock
from typing import TextIO

from towpath.flow.status import size_for_people

_TERMINAL_SECONDS = 0.2
_LINES_SECONDS = 5.0


class StoppedError(Exception):
    """Ends a file whose transfer has failed with another."""


class Meter:
    """Counts files and bytes of one transfer; many threads add to it. Totals are None where they are not known."""

    def __init__(self, what: str, files_total: int | None = None, bytes_total: int | None = None) -> None:
        self.what = what
        self.files_total, self.bytes_total = files_total, bytes_total
        self.files = self.bytes = 0
        self.is_over = False
        self._began = time.monotonic()
        self._lock = Lock()
        self._is_stopped = False

    def add(self, files: int, size: int) -> None:
        """Count files that are complete, and bytes that have arrived; ends who counts once the transfer has failed."""
        if self._is_stopped:
            raise StoppedError("Another file of this transfer has failed.")
        with self._lock:
            self.files += files
            self.bytes += size

    def stop(self) -> None:
        """End whoever goes on counting."""
        self._is_stopped = True

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._began

    @property
    def seconds_left(self) -> float | None:
        """As the bytes so far let expect; None before there are any, or where the total is not known."""
        if not self.bytes or self.bytes_total is None:
            return None
        return max(0, self.bytes_total - self.bytes) * self.seconds / self.bytes


# Called some ten times a second while the transfer lasts, and once when it is over.
Show = Callable[[Meter], None]


def silent(meter: Meter) -> None:
    """Tell nobody."""


def shown(show_progress: bool | None = True, stream: TextIO | None = None) -> Show:
    """Tell people on standard error: one line that changes on a terminal, else a line now and then."""
    return _Shown(stream or sys.stderr) if show_progress is not False else silent


class _Shown:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._next = 0.0 if self._is_terminal else _LINES_SECONDS

    def __call__(self, meter: Meter) -> None:
        if not meter.is_over and meter.seconds < self._next:
            return
        self._next = meter.seconds + (_TERMINAL_SECONDS if self._is_terminal else _LINES_SECONDS)
        if self._is_terminal:
            end = "\n" if meter.is_over else ""
            self._stream.write(f"\r\x1b[K{words(meter)}{end}")
        else:
            self._stream.write(f"{words(meter)}\n")
        self._stream.flush()


def words(meter: Meter) -> str:
    """Such as `iris: 12.3 MB of 40.0 MB, 3 of 10 files, 8.1 MB/s, 4 s left`."""
    size = size_for_people(meter.bytes) + _of(meter.bytes_total, size_for_people)
    rate = size_for_people(round(meter.bytes / max(meter.seconds, 1e-3)))
    left = meter.seconds_left
    end = f", {left:.0f} s left" if left and not meter.is_over else ""
    return f"{meter.what}: {size}, {meter.files}{_of(meter.files_total, str)} files, {rate}/s{end}"


def _of(total: int | None, text: Callable[[int], str]) -> str:
    return "" if total is None else f" of {text(total)}"
