"""Rows of JSON lines are the lines that hold an object, byte for byte; what is none is named by line and column."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath_mover.json_lines_rows import json_lines_rows
from towpath_mover.row_errors import RowError

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)


def rows_of(text: str, size: int = 1 << 20) -> list[str]:
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    return [row for rows in json_lines_rows(pieces) for row in rows]


def refused(text: str) -> tuple[int, int, str]:
    with pytest.raises(RowError) as error:
        rows_of(text)
    return error.value.line, error.value.column, error.value.what


@given(
    st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=6),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.integers(1, 20),
)
def test_rows_are_the_lines_as_they_stand(objects: list[object], is_ascii: bool, end: str, size: int) -> None:
    text = "".join(json.dumps(one, ensure_ascii=is_ascii) + end for one in objects)

    rows = rows_of(text, size)

    assert [json.loads(row) for row in rows] == objects
    assert "".join(rows).replace("\n", "") == text.replace("\n", "")


def test_the_last_line_needs_no_end_and_empty_lines_are_no_rows() -> None:
    assert rows_of('{"a": 1}\n \t\r\n\n{"a": 2}') == ['{"a": 1}\n', '{"a": 2}']


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ('{"a": 1}\n{"a": 1\n', 2, 9, "not JSON"),
        ('{"a": 1}\n\n{"é": x}\n', 3, 7, "not JSON: Expecting value"),
        ("{}\n[1]\n", 2, 1, "not a JSON object"),
        ("{} {}\n", 1, 4, "Extra data"),
        ('{"a": ' + "[" * 100_000 + "\n", 1, 1, "more levels"),
    ],
)
def test_a_line_that_is_no_object_is_named(text: str, line: int, column: int, words: str) -> None:
    where = refused(text)
    assert where[:2] == (line, column)
    assert words in where[2]


def test_numbers_of_any_length_are_json() -> None:
    row = '{"a": ' + "9" * 5000 + "}\n"
    assert rows_of(row) == [row]
