"""A chain of transforms and files of rows → files with the selected rows, written while the rows are read.

Memory does not grow with the rows. Exact views read all files once more, to count their rows. A file without a
selected row is left out, like a file that a view of files does not select.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import takewhile
from typing import Any, BinaryIO, NamedTuple, TypeAlias

from towpath.flow.subsets import select_files, select_rows
from towpath.flow.transforms import Filter, Sample, Split, Transform
from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing
from towpath_mover.opened_file import OpenedFile
from towpath_mover.row_formats import Pieces, RowFormat, RowWriter
from towpath_mover.transfer import MiB

Entries: TypeAlias = Callable[[], Iterable[Entry]]
ReadFiles: TypeAlias = Callable[[Iterable[Entry]], Iterable[tuple[Entry, Pieces]]]


class Delivered(NamedTuple):
    """What a view of rows came to; `of` is how many rows were read for it."""

    files: int
    bytes: int
    rows: int
    of: int


class FileRow(NamedTuple):
    """One row of a file."""

    path: str
    size: int
    row: int


class RowView(NamedTuple):
    """A view of the rows of files: `entries` gives all files in order, `read` their bytes, `format_` a new pass."""

    chain: Sequence[Transform]
    entries: Entries
    read: ReadFiles
    format_: Callable[[], RowFormat]

    def deliver(self, landing: Landing, *, keep_empty: bool) -> Delivered:
        """Write all selected rows; `keep_empty` also the files of which none is selected, without rows."""
        counts = array("Q")
        if any(isinstance(one, Sample | Split) and one.exact for one in self.chain):
            counts.extend(self._counts())
        with closing(_Delivery(self._opened, landing, keep_empty)) as delivery:
            counted = partial(self._counted, counts) if counts else delivery.rows
            for row in select_rows(self.chain, delivery.rows, counted):
                delivery.keep(row)
            return delivery.end()

    def _opened(self) -> Iterator[OpenedFile]:
        format_ = self.format_()
        for entry, pieces in self.read(self._wanted()):
            yield OpenedFile(entry, pieces, format_.open(entry, pieces))

    def _wanted(self) -> Iterable[Entry]:
        """All files but those that filters leave out before anything else: these need not be read."""
        filters = tuple(takewhile(lambda one: isinstance(one, Filter), self.chain))
        return select_files(filters, self.entries) if self.format_().is_by_file else self.entries()

    def _counts(self) -> Iterator[int]:
        for opened in self._opened():
            with opened.named():
                yield sum(map(len, opened.rows.batches()))

    def _counted(self, counts: Sequence[int]) -> Iterator[FileRow]:
        for entry, count in zip(self._wanted(), counts, strict=True):
            yield from map(partial(FileRow, entry.path, entry.size), range(count))


class _Delivery:
    """One pass over all rows. `rows` gives them; of the row that was given last, `keep` notes that it is selected."""

    def __init__(
        self, open_files: Callable[[], Iterator[OpenedFile]], landing: Landing, keep_empty: bool
    ) -> None:
        self._open_files = open_files
        self._landing = landing
        self._keep_empty = keep_empty
        self._copy: _Copy | None = None
        self._delivered = Delivered(0, 0, 0, 0)

    def rows(self) -> Iterator[FileRow]:
        """Yield the rows of all files; a file is complete when the next one is asked for."""
        for opened in self._open_files():
            self._copy = _Copy(opened, self._landing)
            with opened.named():
                yield from self._copy.rows()
            self._complete(self._copy)

    def keep(self, row: FileRow) -> None:
        """Note that a row is selected."""
        if self._copy is not None:
            self._copy.keep(row)

    def end(self) -> Delivered:
        """Complete the file in which the view ended, and return what all came to."""
        if self._copy is not None:
            self._copy.end_early()
            self._complete(self._copy)
        return self._delivered

    def close(self) -> None:
        """Close the file that a failure has left open."""
        if self._copy is not None:
            self._copy.abandon()

    def _complete(self, copy: _Copy) -> None:
        size = copy.close(self._keep_empty)
        self._copy = None
        files, total, rows, of = self._delivered
        of += copy.seen
        if size is not None:
            files, total, rows = files + 1, total + size, rows + copy.written
        self._delivered = Delivered(files, total, rows, of)


class _Copy:
    """One file, and the file of its selected rows, which begins with the first of them. `seen` rows were read."""

    def __init__(self, opened: OpenedFile, landing: Landing) -> None:
        self.seen = 0
        self.written = 0
        self._opened = opened
        self._entry = opened.entry
        self._landing = landing
        self._batches = opened.rows.batches()
        self._batch: Any = ()
        self._kept: list[int] = []
        self._place: BinaryIO | None = None
        self._writer: RowWriter | None = None

    def rows(self) -> Iterator[FileRow]:
        row = partial(FileRow, self._entry.path, self._entry.size)
        for batch in self._batches:
            self._batch = batch
            yield from map(row, range(self.seen, self.seen + len(batch)))
            self._write()

    def keep(self, row: FileRow) -> None:
        self._kept.append(row.row - self.seen)

    def end_early(self) -> None:
        """Write what is selected of the last batch; read on only where the rest is needed to verify it."""
        self._write()
        if self._entry.sha256 is not None:
            with self._opened.named():
                for batch in self._batches:
                    self.seen += len(batch)

    def close(self, keep_empty: bool) -> int | None:
        """End the file and return its size, or None if there is none."""
        if self._writer is None and not keep_empty:
            return None
        try:
            writer, place = self._begun()
            writer.close()
            with place:
                return place.tell()
        except OSError as error:
            raise self._landing.failure(error, self._entry) from error

    def abandon(self) -> None:
        if self._place is not None:
            with suppress(OSError):
                self._place.close()

    def _write(self) -> None:
        if self._kept:
            try:
                self._begun()[0].write(self._batch, self._kept)
            except OSError as error:
                raise self._landing.failure(error, self._entry) from error
        self.written += len(self._kept)
        self.seen += len(self._batch)
        self._batch, self._kept = (), []

    def _begun(self) -> tuple[RowWriter, BinaryIO]:
        if self._writer is None or self._place is None:
            self._place = os.fdopen(self._landing.create(self._entry), "wb", MiB)
            self._writer = self._opened.rows.writer(self._place)
        return self._writer, self._place
