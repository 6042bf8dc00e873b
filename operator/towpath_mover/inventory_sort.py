"""Entries in any order → the same in the order of their paths, by sorted runs on disk when they are many."""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from operator import attrgetter
from pathlib import Path

from towpath_mover.inventory import Entry
from towpath_mover.inventory_format import encode_entry

# 50,000 entries are about 25 MB; a million are 20 runs.
RUN = 50_000
_by_path = attrgetter("path")


def in_order(entries: Iterable[Entry], folder: Path, run: int = RUN) -> Iterator[Entry]:
    """Yield the entries by path; more than one run of them goes through files in the folder, which are removed."""
    source = iter(entries)
    first = _sorted_run(source, run)
    if len(first) < run:
        yield from first
        return
    with ExitStack() as open_runs:
        runs = [open_runs.enter_context(_Run(folder, first))]
        del first
        while (more := _next_run(source, run, folder)) is not None:
            runs.append(open_runs.enter_context(more))
        yield from heapq.merge(*runs, key=_by_path)


def _sorted_run(source: Iterator[Entry], run: int) -> list[Entry]:
    return sorted(islice(source, run), key=_by_path)


def _next_run(source: Iterator[Entry], run: int, folder: Path) -> _Run | None:
    # A function of its own: its list is gone before the next one is made.
    entries = _sorted_run(source, run)
    return _Run(folder, entries) if entries else None


class _Run:
    """One sorted run in a file without a name: nothing is left behind however the process ends."""

    def __init__(self, folder: Path, entries: list[Entry]) -> None:
        place = folder / f".sort-{os.getpid()}-{id(self):x}"
        self._file = place.open("x+b")
        place.unlink()
        self._file.writelines(map(encode_entry, entries))
        self._file.seek(0)

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Entry]:
        for line in self._file:
            yield Entry(**json.loads(line))
