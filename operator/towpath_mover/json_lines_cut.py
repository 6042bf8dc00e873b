"""A row of JSON lines → the row with some of its members, each as the text that it was."""

from __future__ import annotations

import json

from towpath.flow.projection import Projection
from towpath_mover.text_rows import Batch

# As `json_lines_rows` reads them.
_value_at = json.JSONDecoder(parse_int=len).raw_decode
_SPACE = " \t\r\n"


class JsonLinesCut:
    """Takes members of rows that `json_lines_rows` gave; a row need not have any of them."""

    def __init__(self, projection: Projection) -> None:
        self._projection = projection

    def rows(self, rows: Batch) -> Batch:
        """Return the cut rows."""
        return [self._row(row) for row in rows]

    def _row(self, row: str) -> str:
        members = [member for name, member in _members(row) if self._projection.takes(name)]
        return "{" + ", ".join(members) + "}" + row[len(row.rstrip("\r\n")) :]


def _members(row: str) -> list[tuple[str, str]]:
    """The members of an object, by name; a name may be there twice."""
    members = []
    place = _after_space(row, row.index("{") + 1)
    while row[place] != "}":
        start = place
        name, place = _value_at(row, place)
        value = _after_space(row, _after_space(row, place) + 1)
        _, place = _value_at(row, value)
        members.append((name, row[start:place]))
        place = _after_space(row, place)
        if row[place] == ",":
            place = _after_space(row, place + 1)
    return members


def _after_space(row: str, place: int) -> int:
    while row[place] in _SPACE:
        place += 1
    return place
