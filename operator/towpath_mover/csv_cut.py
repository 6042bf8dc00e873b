"""A row of CSV → the row with some of its fields, each as the text that it was."""

from __future__ import annotations

import re
from collections.abc import Sequence

from towpath_mover.text_rows import Batch

_QUOTE = '"'


class CsvCut:
    """Takes the fields at these places, counted from 0, of rows that `csv_rows` gave."""

    def __init__(self, separator: str, places: Sequence[int]) -> None:
        self._separator = separator
        self._places = places
        other = f"[^{re.escape(separator)}]*"
        self._field = re.compile(f'"[^"]*(?:""[^"]*)*"{other}|{other}')

    def rows(self, rows: Batch) -> Batch:
        """Return the cut rows."""
        return [self.row(row) for row in rows]

    def row(self, row: str) -> str:
        """Return one cut row, ended as it was."""
        body = row.removesuffix("\n").removesuffix("\r")
        fields = self._quoted(body) if _QUOTE in body else body.split(self._separator)
        kept = self._separator.join([fields[place] for place in self._places])
        # A line with nothing in it would be no row.
        return (kept or _QUOTE * 2) + row[len(body) :]

    def _quoted(self, body: str) -> list[str]:
        fields, place = [], 0
        while place <= len(body):
            found = self._field.match(body, place)
            end = found.end() if found else len(body)
            fields.append(body[place:end])
            place = end + len(self._separator)
        return fields
