"""A chain of transforms and Parquet files → files with the selected rows.

Which rows are selected depends on how many there are, and that stands in the files' footers. Then only files that
hold some are fetched, into scratch space, a few at a time; each is there whole and verified before it is read.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from towpath.flow.projection import Projection
from towpath.flow.subsets import select_files, select_rows
from towpath.flow.transforms import Filter, Sample, Split, Transform
from towpath_mover.download import clear, download
from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing
from towpath_mover.parquet_ends import bad_file, holds_rows, read_ends
from towpath_mover.parquet_process import Footer, ParquetError, ParquetProcess
from towpath_mover.pinned import Source, drifted
from towpath_mover.progress import Progress
from towpath_mover.row_view import Delivered, FileRow
from towpath_mover.transfer import MiB

# Files are fetched together up to here: one after another, small ones would wait for each answer.
_TOGETHER = 32 * MiB
_MOST_FILES = 256
_MOST_BITS = 16 * MiB
# A bit for each is held; more in one file are hardly ever meant.
_MOST_ROWS = 500_000_000


class ParquetView(NamedTuple):
    """A view of the rows of Parquet files: `entries` gives all files in order; `scratch` is a folder to be made."""

    chain: Sequence[Transform]
    entries: Callable[[], Iterable[Entry]]
    sources: Sequence[Source]
    scratch: Path
    progress: Progress

    def deliver(self, landing: Landing, *, keep_empty: bool) -> Delivered:
        """Write all selected rows; `keep_empty` also the files of which none is selected, without rows."""
        is_exact = any(isinstance(one, Sample | Split) and one.exact for one in self.chain)
        with closing(_Delivery(self, landing, keep_empty)) as delivery:
            if is_exact:
                delivery.count()
            for row in select_rows(self.chain, delivery.rows, delivery.counted if is_exact else None):
                delivery.keep(row)
            return delivery.end()

    def wanted(self) -> Iterable[Entry]:
        """All files of rows but those that filters leave out before anything else."""
        filters = tuple(takewhile(lambda one: isinstance(one, Filter), self.chain))
        return (entry for entry in select_files(filters, self.entries) if holds_rows(entry.path))


class _Selected(NamedTuple):
    """A file, how many rows it has, and a bit for each of them, or no bits where none is selected."""

    entry: Entry
    rows: int
    bits: bytearray


class _Delivery:
    """One pass over all rows. `rows` gives them; of the row that was given last, `keep` notes that it is selected."""

    def __init__(self, view: ParquetView, landing: Landing, keep_empty: bool) -> None:
        self._view = view
        self._projection = Projection(view.chain)
        self._landing = landing
        self._keep_empty = keep_empty
        self._counts = array("Q")
        self._left: Iterator[tuple[Entry, int]] = iter(())
        self._selected: _Selected | None = None
        self._waiting: list[_Selected] = []
        self._delivered = Delivered(0, 0, 0, 0)
        self._folder = view.scratch / "files"
        clear(view.scratch)
        view.scratch.mkdir(parents=True)
        self._process = ParquetProcess(view.scratch)

    def count(self) -> None:
        """Read how many rows all files have before any is judged."""
        self._counts.extend(rows for _, rows in self._files())

    def counted(self) -> Iterator[FileRow]:
        """Yield the rows of all files, which were counted."""
        for entry, rows in self._files():
            yield from _rows(entry, rows)

    def rows(self) -> Iterator[FileRow]:
        """Yield the rows of all files."""
        self._left = self._files()
        for entry, rows in self._left:
            self._selected = _Selected(entry, rows, bytearray())
            yield from _rows(entry, rows)
            self._complete()

    def keep(self, row: FileRow) -> None:
        """Note that a row is selected."""
        if self._selected is not None:
            _, rows, bits = self._selected
            if not bits:
                bits.extend(bytes(-(-rows // 8)))
            bits[row.row // 8] |= 1 << row.row % 8

    def end(self) -> Delivered:
        """Complete the file in which the view ended, and return what all came to."""
        self._complete()
        if self._counts:
            # Counts that were used are those of files which are what was pinned.
            for entry, rows in self._left:
                self._selected = _Selected(entry, rows, bytearray())
                self._complete()
        self._flush()
        return self._delivered

    def close(self) -> None:
        """End the process and remove what is left."""
        self._process.close()
        clear(self._view.scratch)

    def _files(self) -> Iterator[tuple[Entry, int]]:
        if self._counts:
            yield from zip(self._view.wanted(), self._counts, strict=True)
            return
        for entry, end in read_ends(self._view.wanted(), self._view.sources):
            try:
                rows = self._process.footer_of(entry, end).rows
                if rows > _MOST_ROWS:
                    raise ParquetError(
                        f"it has {rows} rows, and views are made of at most {_MOST_ROWS}: split it"
                    )
            except ParquetError as error:
                # What is not the user's is not judged.
                self._fetch([entry])
                raise bad_file(entry, error) from error
            yield entry, rows

    def _complete(self) -> None:
        if self._selected is None:
            return
        selected, self._selected = self._selected, None
        self._delivered = self._delivered._replace(of=self._delivered.of + selected.rows)
        # A digest is known of the whole file only: its footer must not be believed without it.
        if selected.bits or self._keep_empty or selected.entry.sha256 is not None:
            self._waiting.append(selected)
        waiting = self._waiting
        if (
            len(waiting) >= _MOST_FILES
            or sum(one.entry.size for one in waiting) >= _TOGETHER
            or sum(len(one.bits) for one in waiting) >= _MOST_BITS
        ):
            self._flush()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._fetch([one.entry for one in waiting])
        for selected in waiting:
            try:
                self._deliver(selected, self._folder / selected.entry.path)
            except ParquetError as error:
                raise bad_file(selected.entry, error) from error
        clear(self._folder)

    def _fetch(self, entries: Sequence[Entry]) -> None:
        clear(self._folder)
        if entries:
            download(entries, self._view.sources, self._folder, self._view.progress)

    def _deliver(self, selected: _Selected, source: Path) -> None:
        entry, rows, bits = selected
        footer = self._process.footer(entry, source)
        if footer.rows != rows:
            place = self._view.sources[entry.root]
            raise drifted(place.store, place.prefix, entry, "its footer came with another number of rows")
        if bits or self._keep_empty:
            try:
                os.close(self._landing.create(entry))
                target = self._landing.path(entry)
                columns = self._columns(footer)
                self._process.copy(entry, source, bits or bytes(-(-rows // 8)), target, columns)
                size = target.stat().st_size
            except OSError as error:
                raise self._landing.failure(error, entry) from error
            kept = int.from_bytes(bits, "little").bit_count()
            files, total, before, of = self._delivered
            self._delivered = Delivered(files + 1, total + size, before + kept, of)
        source.unlink()

    def _columns(self, footer: Footer) -> list[int] | None:
        """The places of the columns that are taken, or None for all."""
        if not self._projection:
            return None
        return self._projection.places([name for name, _ in footer.columns])


def _rows(entry: Entry, count: int) -> Iterator[FileRow]:
    return map(partial(FileRow, entry.path, entry.size), range(count))
