"""The text of a JSON lines file → its rows as they stand there: one JSON object per line; empty lines are no rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from io import StringIO

from towpath_mover.row_errors import Place, RowError
from towpath_mover.whole_lines import whole_lines

# The number itself does not matter here, and Python refuses to make one of more than 4,300 digits.
decode = json.JSONDecoder(parse_int=len).decode


def json_lines_rows(pieces: Iterable[str]) -> Iterator[list[str]]:
    """Yield the rows in batches; RowError tells the first line that is none."""
    place = Place()
    for text in whole_lines(pieces):
        rows = [row for line in StringIO(text, newline="\n") if (row := _row(line, place))]
        if rows:
            yield rows


def _row(line: str, place: Place) -> str | None:
    """Return the line, or None if it holds nothing."""
    number = place.line
    place.pass_over(line)
    if not line.strip(" \t\r\n"):
        return None
    try:
        value = decode(line)
    except json.JSONDecodeError as error:
        raise RowError(number, error.pos + 1, f"the line is not JSON: {error.msg}") from error
    except RecursionError as error:
        raise RowError(number, 1, "the line holds more levels of JSON than can be read") from error
    if not isinstance(value, dict):
        raise RowError(number, 1, "the line is JSON, but not a JSON object")
    return line
