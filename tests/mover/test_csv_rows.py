"""Rows of CSV are those that the standard library's reader finds, byte for byte, however the text is cut."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath_mover import csv_rows as module
from towpath_mover import row_errors, whole_lines
from towpath_mover.csv_rows import csv_rows
from towpath_mover.row_errors import RowError

SEPARATORS = st.sampled_from([",", ";", "\t", "|", "§", ".", "^", "]", "-", "\\", " "])
TOKENS = st.sampled_from(
    ["a", "b", '"', '""', '"a"', '",', ',"', '"\n', '"x\ny"', "\r\n", "\n", " ", "é", "日", "😀"]
)


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    """A text that may be CSV, and its separator."""
    separator = draw(SEPARATORS)
    tokens = draw(st.lists(st.one_of(TOKENS, st.just(separator)), max_size=30))
    return "".join(tokens).replace(",", separator), separator


def pieces_of(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


def rows_of(text: str, separator: str = ",", size: int = 1 << 20, fields: int | None = None) -> list[str]:
    return [row for rows in csv_rows(pieces_of(text, size), separator, fields) for row in rows]


def parsed(text: str, separator: str = ",") -> list[list[str]]:
    """What the standard library reads; blank lines give empty rows there."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return [row for row in reader if row]


def written(rows: list[list[str]], separator: str, end: str, quoting: Literal[0, 1]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return text.getvalue()


def refused(text: str, size: int = 1 << 20, fields: int | None = None) -> tuple[int, int, str]:
    with pytest.raises(RowError) as error:
        rows_of(text, ",", size, fields)
    return error.value.line, error.value.column, error.value.what


@given(texts(), st.integers(1, 40))
def test_rows_are_those_of_the_standard_library_or_refused(given: tuple[str, str], size: int) -> None:
    text, separator = given
    expected = parsed(text, separator)
    try:
        rows = rows_of(text, separator, size)
    except RowError as error:
        is_uneven = len({len(row) for row in expected}) > 1
        is_unclosed = parsed(f"{text}\nend", separator) != [*expected, ["end"]]
        assert (is_uneven and "fields" in str(error)) or (is_unclosed and "quote" in str(error))  # noqa: PT017
    else:
        assert [parsed(row, separator) for row in rows] == [[row] for row in expected]
        # Nothing but blank lines is left out.
        assert "".join(rows).replace("\r", "").replace("\n", "") == text.replace("\r", "").replace("\n", "")


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(st.text('a", \n;é😀'), min_size=width, max_size=width), max_size=8)
    ),
    SEPARATORS,
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.integers(1, 20),
)
def test_what_a_writer_wrote_comes_back_row_by_row(
    rows: list[list[str]], separator: str, end: str, quoting: Literal[0, 1], size: int
) -> None:
    text = written(rows, separator, end, quoting)

    found = rows_of(text, separator, size)

    assert "".join(found) == text
    assert [parsed(row, separator) for row in found] == [[row] for row in rows]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2", ["a,b\n", "1,2"]),
        ("a,b\r\n1,2\r\n", ["a,b\r\n", "1,2\r\n"]),
        ("a,b\n\n1,2\n\n\n", ["a,b\n", "1,2\n"]),
        ('a,b\n"x\n,""y",2\n3,4\n', ["a,b\n", '"x\n,""y",2\n', "3,4\n"]),
        ('size,part\n5" pipe,"elbow"\n', ["size,part\n", '5" pipe,"elbow"\n']),
        ('"a"b"c,2\n3,4\n', ['"a"b"c,2\n', "3,4\n"]),
        ('"\r\n\r\n",2\r\n', ['"\r\n\r\n",2\r\n']),
        ("", []),
        ("\n\r\n", []),
        ("a\x0b\x0c\x1c\x85\u2028b,c\n", ["a\x0b\x0c\x1c\x85\u2028b,c\n"]),
    ],
)
def test_rows_stand_as_they_stood(text: str, rows: list[str]) -> None:
    assert rows_of(text) == rows
    assert rows_of(text, size=1) == rows


def test_a_row_with_too_many_or_too_few_fields_is_named() -> None:
    assert refused("a,b\n1,2\n3\n") == (3, 1, "the row has 1 fields, and 2 are expected")
    assert refused('a,b\n"x\ny",2\n"3","4",5\n') == (4, 1, "the row has 3 fields, and 2 are expected")
    assert refused("1,2\n", fields=3) == (1, 1, "the row has 2 fields, and 3 are expected")


def test_a_quote_that_is_never_closed_is_named_where_it_begins() -> None:
    line, column, what = refused('a,b\n"x\ny",é"z\n"1","2\n3,4\n')
    assert (line, column, what) == (4, 5, "the quote that begins here is never closed")
    assert refused('a,b\n1,"2""x\n"",3\n')[:2] == (2, 3)


def test_a_row_that_is_too_long_is_named_where_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROW", 10)
    monkeypatch.setattr(whole_lines, "MAX_ROW", 10)
    assert refused('a,b\n1,"' + "x\n" * 20, size=3)[:2] == (2, 3)
    assert refused("a,b\n" + "x" * 20, size=3)[:2] == (2, 1)
    assert row_errors.MAX_ROW == 8 << 20


def test_a_carriage_return_by_itself_is_refused_outside_quotes() -> None:
    line, column, what = refused("a,b\n1\r,2\n")
    assert (line, column) == (2, 2)
    assert "carriage return" in what
    assert rows_of('a,b\n"1\r",2\n') == ["a,b\n", '"1\r",2\n']
