"""JSON lines: UTF-8, one object per line, nothing before the first."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from towpath.flow.columns import Columns
from towpath.flow.projection import Projection
from towpath_mover.column_types import UNKNOWN, ColumnTypes, type_of_json
from towpath_mover.inventory import Entry
from towpath_mover.json_lines_cut import JsonLinesCut
from towpath_mover.json_lines_rows import decode, json_lines_rows
from towpath_mover.opened_file import OpenedFile
from towpath_mover.row_formats import Pieces
from towpath_mover.row_text import open_text
from towpath_mover.text_rows import TextRows, all_rows


class JsonLinesFormat:
    """One pass over files of JSON lines."""

    is_by_file = True

    def __init__(self, projection: Projection | None = None) -> None:
        self._cut = JsonLinesCut(projection).rows if projection else None

    def open(self, entry: Entry, pieces: Pieces) -> TextRows:  # noqa: ARG002 - other formats name the file
        """Begin to read a file."""
        text = open_text(pieces, "utf8")
        return TextRows(text, json_lines_rows(text.pieces), str, self._cut)

    def columns(self, files: Iterable[OpenedFile], rows: int) -> Columns:
        """Return the names that rows have, in the order in which they come, and the types of their values."""
        types = ColumnTypes()
        for row in islice(all_rows(files), rows):
            for name, value in decode(row).items():
                types.see(name, type_of_json(value))
        return types.columns(UNKNOWN)
