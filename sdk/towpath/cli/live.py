"""A run that goes on → how far its transfers are, on stderr: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from towpath.backend import Backend, Container, LogLine, Manifest
from towpath.cli.output import console, say
from towpath.cli.printable import printable
from towpath.cli.transfers import Transfer, read_transfer, transfer_words
from towpath.errors import TowpathError

# Without a terminal a transfer is told of so seldom, in seconds of its own.
LINE_SECONDS = 10.0


class Lines:
    """Transfers as lines, now and then."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str, str], float] = {}

    def show(self, line: LogLine, moved: Transfer) -> None:
        """How far a transfer is."""
        key = line.step, str(line.container), moved.name
        if moved.seconds - self._told.get(key, 0.0) >= LINE_SECONDS:
            self._told[key] = moved.seconds
            say(f"{line.step} {line.container}: {transfer_words(moved)}")


class Bars:
    """Transfers as bars that move."""

    def __init__(self, screen: Console) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
        )
        self.progress = Progress(*columns, TimeRemainingColumn(), console=screen, transient=True)
        self._tasks: dict[tuple[str, str, str], TaskID] = {}

    def show(self, line: LogLine, moved: Transfer) -> None:
        """How far a transfer is; one that is done makes room."""
        key = line.step, str(line.container), moved.name
        if key not in self._tasks:
            words = printable(f"{line.step} {line.container} {moved.name}")
            self._tasks[key] = self.progress.add_task(words, total=moved.bytes_total)
        self.progress.update(self._tasks[key], completed=moved.bytes, visible=not moved.is_done)


@contextmanager
def transfers_shown(backend: Backend, run: Manifest | None) -> Iterator[threading.Thread | None]:
    """Read the movers' logs beside what is done meanwhile, and show how far transfers are; of no run nothing."""
    if run is None:
        yield None
        return
    screen = console(sys.stderr)
    bars = Bars(screen) if screen.is_terminal else None
    shown = bars or Lines()
    # It ends with the process: nothing waits for a log that does not end.
    reading = threading.Thread(target=_read, args=(backend, run, shown), daemon=True)
    reading.start()
    with bars.progress if bars else nullcontext():
        yield reading


def _read(backend: Backend, run: Manifest, shown: Bars | Lines) -> None:
    try:
        for line in backend.logs(run, follow=True):
            moved = read_transfer(line.text) if line.container is not Container.STEP else None
            if moved is not None:
                shown.show(line, moved)
    except (TowpathError, OSError):
        # Progress is for people: that a log cannot be read stops no run, and `towpath logs` says why.
        return
