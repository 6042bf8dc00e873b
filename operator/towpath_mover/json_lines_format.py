"""JSON lines: UTF-8, one object per line, nothing before the first."""

from __future__ import annotations

from towpath_mover.inventory import Entry
from towpath_mover.json_lines_rows import json_lines_rows
from towpath_mover.row_formats import Pieces
from towpath_mover.row_text import open_text
from towpath_mover.text_rows import TextRows


class JsonLinesFormat:
    """One pass over files of JSON lines."""

    is_by_file = True

    def open(self, entry: Entry, pieces: Pieces) -> TextRows:  # noqa: ARG002 - other formats name the file
        """Begin to read a file."""
        text = open_text(pieces, "utf8")
        return TextRows(text, json_lines_rows(text.pieces), str)
