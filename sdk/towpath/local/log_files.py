"""What containers of a run said, from the files in which it is kept; followed as it grows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from towpath.backend import Container, LogLine
from towpath.flow import names
from towpath.local.places import LocalPlaces

_LOOK_SECONDS = 0.05
_ORDER = {one: place for place, one in enumerate(Container)}


def run_logs(places: LocalPlaces, run: str, uid: str) -> Path:
    """Where the logs of a run's steps are: below it by step and attempt (`2`, or of shard 7 `2.7`)."""
    return places.logs / f"{run}-{uid[:8]}"


def read_logs(
    places: LocalPlaces,
    run: Mapping[str, Any],
    step: str | None,
    container: Container | None,
    has_ended: Callable[[], bool],
) -> Iterator[LogLine]:
    """Every line, in the order of steps, attempts and containers; then what is added until the run has ended."""
    meta = run["metadata"]
    top = run_logs(places, names.label_value(meta["name"]), meta["uid"])
    read: dict[Path, int] = {}
    while True:
        is_last = has_ended()
        for file in _files(top, step, container):
            start = read.get(file, 0)
            for line, end in _lines(file, start, is_last=is_last):
                read[file] = end
                yield _line(file, line)
        if is_last:
            return
        time.sleep(_LOOK_SECONDS)


def _files(top: Path, step: str | None, container: Container | None) -> list[Path]:
    found = [
        file
        for file in top.glob("*/*/*.log")
        if step in (None, file.parts[-3])
        and file.stem in set(Container)
        and container in (None, Container(file.stem))
    ]
    return sorted(found, key=lambda file: (file.parts[-3], _attempt(file), _ORDER[Container(file.stem)]))


def _attempt(file: Path) -> tuple[int, int]:
    number, _, shard = file.parts[-2].partition(".")
    return int(number), int(shard or 0)


def _lines(file: Path, start: int, *, is_last: bool) -> Iterator[tuple[bytes, int]]:
    with file.open("rb") as log:
        log.seek(start)
        for line in log:
            # The rest of a line that is still being written comes later.
            if not line.endswith(b"\n") and not is_last:
                return
            start += len(line)
            yield line, start


def _line(file: Path, line: bytes) -> LogLine:
    text = line.decode(errors="replace").rstrip("\n")
    return LogLine(file.parts[-3], _attempt(file)[0], Container(file.stem), text)
