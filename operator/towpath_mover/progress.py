"""How far a transfer is, as one JSON line every two seconds: people and the CLI read it in the mover's log."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from threading import Lock
from typing import TextIO

EVERY = 2.0


class Progress:
    """Counts what has been moved; `report` writes a line when two seconds have passed since the last."""

    def __init__(
        self,
        transfer: str,
        files: int | None = None,
        size: int | None = None,
        output: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.files = 0
        self.bytes = 0
        self._labels = {"transfer": transfer, "filesTotal": files, "bytesTotal": size}
        self.size = size
        self._output = output or sys.stderr
        self._clock = clock
        self._started = self._reported = clock()
        self._lock = Lock()

    def add(self, files: int, size: int) -> None:
        """Count files that are finished, and bytes that are safe."""
        with self._lock:
            self.files += files
            self.bytes += size

    def seconds(self) -> float:
        """Return the time since the start."""
        return self._clock() - self._started

    def report(self) -> None:
        """Write a line if the last is two seconds old."""
        if self._clock() - self._reported >= EVERY:
            self.write()

    def write(self) -> None:
        """Write a line now."""
        self._reported = self._clock()
        seconds = max(self.seconds(), 1e-3)
        rate = self.bytes / seconds
        left = round((self.size - self.bytes) / rate) if self.size and rate else None
        line = {
            **self._labels,
            "files": self.files,
            "bytes": self.bytes,
            "seconds": round(seconds, 1),
            "bytesPerSecond": round(rate),
            "secondsLeft": left,
        }
        known = {name: value for name, value in line.items() if value is not None}
        print(json.dumps(known), file=self._output, flush=True)
