"""The text of a CSV file → its rows as they stand there, line ends included: nothing is parsed that need not be.

Quoting is that of RFC 4180 as Python's csv and pandas read it: a field that begins with a quote ends with one, two
quotes in it are one, and it may hold separators and line ends. Elsewhere a quote is a character like any other. A
line with nothing in it is no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from towpath_mover.row_errors import MAX_ROW, Place, RowError
from towpath_mover.whole_lines import whole_lines

_QUOTE = '"'
_BLANK = ("\n", "\r\n", "\r")
_LONE_RETURN = re.compile(r"\r(?!\n)")


def csv_rows(pieces: Iterable[str], separator: str, fields: int | None = None) -> Iterator[list[str]]:
    """Yield the rows in batches; each must have so many fields, or as many as the first where that is not given.

    RowError tells the first row that is none.
    """
    splitter = _Splitter(separator, fields)
    for text in whole_lines(pieces):
        if rows := splitter.split(text):
            yield rows
    splitter.end()


def _lines(text: str) -> list[str]:
    """The lines with their ends; splitlines would also end them at other characters."""
    return StringIO(text, newline="\n").readlines()


def _bare_rows(lines: Iterable[str], bare: str) -> list[str]:
    return [row for row, line in zip(bare.split("\n"), lines, strict=False) if line not in _BLANK]


class _Splitter:
    """Splits a text at the line ends that stand outside quotes. `_parts` are the lines of a row that goes on."""

    def __init__(self, separator: str, fields: int | None) -> None:
        self._separator = separator
        self._separators = None if fields is None else fields - 1
        # A quoted field but for the text after its last quote; a quote elsewhere opens none.
        self._quoted = re.compile(rf'"(?<![^\n{re.escape(separator)}]")[^"]*(?:""[^"]*)*"(?!")')
        self._place = Place()
        self._parts: list[str] = []
        self._length = 0
        self._count = 0

    def split(self, text: str) -> list[str]:
        """Return the rows that end in a text of whole lines."""
        lines = _lines(text)
        if not self._parts:
            bare = self._quoted.sub("", text) if _QUOTE in text else text
            if self._is_plain(text, bare):
                rows = [line for line in lines if line not in _BLANK]
                if self._are_even(rows if bare is text else _bare_rows(lines, bare)):
                    self._place.pass_over(text)
                    return rows
        # Rows of several lines, or something is wrong: the slow way says where.
        return list(self._with_quotes(lines))

    def end(self) -> None:
        """Raise what is wrong if the text ends here."""
        if self._parts:
            raise self._unclosed("is never closed")

    def _is_plain(self, text: str, bare: str) -> bool:
        """Whether each line is a row; `bare` is the text without its quoted fields."""
        return (
            (bare is text or bare.count("\n") == text.count("\n"))
            and bare.count("\r") == bare.count("\r\n")
            and not bare.startswith(_QUOTE)
            and f"\n{_QUOTE}" not in bare
            and self._separator + _QUOTE not in bare
        )

    def _are_even(self, rows: Sequence[str]) -> bool:
        """Whether all have the right number of fields, none of them quoted."""
        if not rows:
            return True
        if self._separators is None:
            self._separators = rows[0].count(self._separator)
        separator, expected = self._separator, self._separators
        return all([row.count(separator) == expected for row in rows])  # noqa: C419 - twice as fast

    def _with_quotes(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            if not self._goes_on(line):
                row = "".join((*self._parts, line))
                self._parts.clear()
                if row not in _BLANK:
                    self._check_count()
                    yield row
                self._place.pass_over(row)
                self._length = self._count = 0

    def _goes_on(self, line: str) -> bool:
        """Count a line's separators; whether it ends inside quotes, where it is kept."""
        bare, opened = self._bare(line)
        outside = bare if opened is None else bare[:opened]
        self._check_returns(outside, line)
        self._count += outside.count(self._separator)
        if opened is None:
            return False
        self._parts.append(line)
        self._length += len(line)
        if self._length > MAX_ROW:
            raise self._unclosed(f"is not closed within {MAX_ROW} characters, more than a row may have")
        return True

    def _bare(self, line: str) -> tuple[str, int | None]:
        """A line without its closed quotes, and where in it one is opened."""
        if _QUOTE not in line and not self._parts:
            return line, None
        # What was quoted where the last line ended is still quoted.
        bare = self._quoted.sub("", _QUOTE + line if self._parts else line)
        return bare, self._opened(bare)

    def _opened(self, bare: str) -> int | None:
        """Where in a line without its closed quotes one is opened."""
        if bare.startswith(_QUOTE):
            return 0
        found = bare.find(self._separator + _QUOTE)
        return None if found < 0 else found + 1

    def _check_returns(self, outside: str, line: str) -> None:
        body = outside.removesuffix("\n").removesuffix("\r")
        if "\r" in body:
            place = self._place.after("".join(self._parts))
            column = next((found.start() for found in _LONE_RETURN.finditer(line)), 0)
            what = "a carriage return stands outside quotes, which some readers take for the end of a row"
            raise RowError(place[0], column + 1, f"{what}: quote the field, or end lines with a newline")

    def _check_count(self) -> None:
        if self._separators is None:
            self._separators = self._count
        if self._count != self._separators:
            what = f"the row has {self._count + 1} fields, and {self._separators + 1} are expected"
            raise RowError(self._place.line, self._place.column, what)

    def _unclosed(self, how: str) -> RowError:
        """The error at the quote that opens the field in which the row goes on."""
        row = "".join(self._parts)
        closed = self._quoted.sub(lambda field: re.sub(r"[^\n]", " ", field[0]), row)
        return RowError(*self._place.after(row[: self._opened(closed)]), f"the quote that begins here {how}")
