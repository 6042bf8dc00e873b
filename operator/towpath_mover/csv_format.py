"""CSV: which rows are headers, and which header a file of some of the rows begins with, by `format.csv.header`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from towpath.flow.columns import Columns
from towpath.flow.projection import Projection
from towpath_mover.column_types import STRING, ColumnTypes, as_text, type_of_text
from towpath_mover.csv_cut import CsvCut
from towpath_mover.csv_rows import csv_rows
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.opened_file import OpenedFile
from towpath_mover.paths import shown
from towpath_mover.row_errors import MAX_ROW
from towpath_mover.row_formats import Pieces
from towpath_mover.row_text import open_text
from towpath_mover.text_rows import Batch, TextRows

SAME, FIRST, COMBINED, NONE = (
    "AllFilesHaveSameHeaders",
    "OnlyFirstFileHasHeaders",
    "CombineAllFilesHeaders",
    "NoHeaders",
)


def columns_of(header: str, separator: str) -> tuple[str, ...]:
    """Return the values of a row, which are names if it is a header."""
    csv.field_size_limit(MAX_ROW)
    return tuple(next(csv.reader(StringIO(header, newline=""), delimiter=separator)))


class CsvFormat:
    """One pass over CSV files. With `OnlyFirstFileHasHeaders` the first file that is written begins with the header.

    An empty file has no header, and no rows: it is passed over.
    """

    def __init__(
        self, separator: str, header: str, encoding: str, projection: Projection | None = None
    ) -> None:
        self._separator = separator
        self._mode = header
        self._encoding = encoding
        # Of the first file that has one.
        self._columns: tuple[str, ...] | None = None
        # Of the file that is being read.
        self._header: tuple[str, ...] = ()
        self._first_path = ""
        self._owed = ""
        self._projection = projection
        # Of the file that is being read; None takes whole rows.
        self._cut: CsvCut | None = None

    @property
    def is_by_file(self) -> bool:
        """Only a header that one file has for all binds them together."""
        return self._mode != FIRST

    def open(self, entry: Entry, pieces: Pieces) -> TextRows:
        """Begin to read a file."""
        text = open_text(pieces, self._encoding)
        if self._mode == FIRST:
            fields = None if self._columns is None else len(self._columns)
            rows = csv_rows(text.pieces, self._separator, fields)
            return TextRows(
                text, rows if fields else self._after_first_header(rows), self._pay, self._cut_rows
            )
        rows = csv_rows(text.pieces, self._separator)
        if self._mode == NONE:
            return TextRows(text, self._numbered(rows), str, self._cut_rows)
        file = _HeadedRows(rows)
        return TextRows(
            text, file.batches(self, entry.path), lambda: self._cut_row(file.header), self._cut_rows
        )

    def columns(self, files: Iterable[OpenedFile], rows: int) -> Columns:
        """Return the names in the headers, or Column1 and so on, and the types of the values below them.

        Every file that has a header of its own is looked at, however few rows are wanted.
        """
        types = ColumnTypes()
        for file in files:
            self._header = ()
            with file.named():
                for batch in file.rows.batches():
                    types.name(self._header)
                    for row in batch[:rows]:
                        self._see(row, types)
                    rows -= len(batch[:rows])
                    if not rows:
                        break
            if not rows and self._mode in (FIRST, NONE):
                break
        return as_text(types.columns(STRING))

    def check_header(self, header: str, path: str) -> None:
        """Raise HeaderMismatch for a header with other columns than the first, where all must be the same."""
        self._header = columns = columns_of(header, self._separator)
        if self._columns is None:
            self._columns, self._first_path = columns, path
        elif self._mode == SAME and columns != self._columns:
            message = (
                f"{shown(path)} has the columns {_listed(columns)}, and {shown(self._first_path)} has "
                f"{_listed(self._columns)}. With header: {SAME} all files have the same: correct the files, or "
                f"say header: {COMBINED}."
            )
            raise MoverFailure(Reason.HEADER_MISMATCH, message)
        self._cut = self._cut_of(columns, path)

    def _after_first_header(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            if self._columns is None:
                self._header = self._columns = columns_of(batch[0], self._separator)
                self._cut = self._cut_of(self._columns, "")
                self._owed = self._cut_row(batch[0] if batch[0].endswith("\n") else batch[0] + "\n")
                batch = batch[1:]  # noqa: PLW2901 - the same batch, without its header
            yield batch

    def _numbered(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        self._cut = None
        for batch in batches:
            if self._projection and self._cut is None:
                count = len(columns_of(batch[0], self._separator))
                self._cut = self._cut_of([_numbered_name(place) for place in range(count)], "")
            yield batch

    def _cut_of(self, columns: Sequence[str], path: str) -> CsvCut | None:
        if not self._projection:
            return None
        if self._mode != COMBINED:
            return CsvCut(self._separator, self._projection.places(columns))
        # Each file has columns of its own.
        places = [place for place, name in enumerate(columns) if self._projection.takes(name)]
        if not places:
            raise self._projection.none_of(shown(path))
        return CsvCut(self._separator, places)

    def _cut_rows(self, rows: Batch) -> Batch:
        return self._cut.rows(rows) if self._cut else rows

    def _cut_row(self, row: str) -> str:
        return self._cut.row(row) if self._cut and row else row

    def _see(self, row: str, types: ColumnTypes) -> None:
        names = self._header or self._columns
        for place, value in enumerate(columns_of(row, self._separator)):
            types.see(names[place] if names else _numbered_name(place), type_of_text(value))

    def _pay(self) -> str:
        owed, self._owed = self._owed, ""
        return owed


class _HeadedRows:
    """Rows of a file that has a header of its own, which is known when the first batch is."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self.header = ""

    def batches(self, format_: CsvFormat, path: str) -> Iterator[Batch]:
        """Yield all rows but the header."""
        for batch in self._batches:
            if self.header:
                yield batch
                continue
            self.header = batch[0]
            format_.check_header(self.header, path)
            yield batch[1:]


def _numbered_name(place: int) -> str:
    return f"Column{place + 1}"


def _listed(columns: tuple[str, ...]) -> str:
    text = ", ".join(map(repr, columns))
    return text if len(text) <= 300 else f"{text[:300]}…"
