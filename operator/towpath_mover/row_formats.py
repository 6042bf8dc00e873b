"""The formats of rows: how a file's bytes become rows, and how some of its rows become a file of the same format.

A format is opened anew for each pass over the files of a dataset, which it sees in the order of the inventory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from towpath.flow.columns import Columns
from towpath.flow.projection import Projection
from towpath_mover.fields import Fields, OrderError
from towpath_mover.inventory import Entry

if TYPE_CHECKING:
    from towpath_mover.opened_file import OpenedFile

Pieces = Iterable[bytes | memoryview]


class RowWriter(Protocol):
    """A file that takes rows of another."""

    def write(self, batch: Any, kept: Sequence[int]) -> None:
        """Write the rows at these places of a batch, in order."""

    def close(self) -> None:
        """Write what stands after the last row."""


class RowFile(Protocol):
    """One file, whose rows are read once. What is wrong with them rises as a RowError."""

    def batches(self) -> Iterator[Any]:
        """Yield the rows in batches that have a length."""

    def writer(self, file: BinaryIO) -> RowWriter:
        """Begin a file that is like this one, with nothing but what stands before the rows."""


class RowFormat(Protocol):
    """One pass over files of one format."""

    @property
    def is_by_file(self) -> bool:
        """Whether what a file is made into depends on nothing in other files, so that some may be left out."""

    def open(self, entry: Entry, pieces: Pieces) -> RowFile:
        """Begin to read a file."""

    def columns(self, files: Iterable[OpenedFile], rows: int) -> Columns:
        """Return the columns by the first so many rows of files that were opened here."""


def open_format(document: Mapping[str, Any], projection: Projection | None = None) -> RowFormat:
    """Return the format that an order describes, in the API's form: `{"csv": {...}}`; with a projection, of its files
    some columns are written.
    """
    # Each is loaded only where it is used: every step waits for its movers' imports.
    format_ = Fields(document, "format")
    if csv := format_.optional_child("csv"):
        from towpath_mover.csv_format import CsvFormat  # noqa: PLC0415

        return CsvFormat(
            csv.optional_text("separator") or ",",
            csv.optional_text("header") or "AllFilesHaveSameHeaders",
            csv.optional_text("encoding") or "utf8",
            projection,
        )
    if format_.optional_child("jsonLines"):
        from towpath_mover.json_lines_format import JsonLinesFormat  # noqa: PLC0415

        return JsonLinesFormat(projection)
    raise OrderError("The format is none that this mover knows.")
