"""The columns of a dataset of rows are those of its first rows: names as they stand, types that all values have."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mover.row_files import CSV, an_entry, csv_of
from towpath.flow.columns import MAX_COLUMNS, Columns, is_recordable, packed, unpacked
from towpath_mover.column_types import type_of_text
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.opened_file import OpenedFile
from towpath_mover.row_formats import open_format

COLUMNS = st.lists(st.tuples(st.text(min_size=1, max_size=9), st.text("ab", min_size=1)), max_size=9)


def columns(files: dict[str, bytes], document: dict[str, Any] = CSV, rows: int = 1000) -> Columns:
    """What files are found to hold."""
    format_ = open_format(document)
    opened = (
        OpenedFile(an_entry(path, content), (), format_.open(an_entry(path, content), [content]))
        for path, content in files.items()
    )
    return format_.columns(opened, rows)


def table(*values: str) -> dict[str, bytes]:
    """A file with one column of these values."""
    return {"a.csv": ("x,\n" + "".join(f"{value},\n" for value in values)).encode()}


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-20", ""], "integer"),
        (["1", "2.5", "1e9"], "number"),
        (["007", "1"], "string"),
        (["true", "FALSE"], "boolean"),
        (["2026-02-28", "2026-02-28T10:00:00Z", "2026-02-28 10:00"], "datetime"),
        (["2026-02-30"], "string"),
        (["3/4/2026"], "string"),
        (["1", "a"], "string"),
        (["1", "2026-01-01"], "string"),
        (["", ""], "string"),
        (["NaN"], "string"),
        ([], "string"),
    ],
)
def test_a_type_is_what_all_values_have(values: list[str], type_: str) -> None:
    assert columns(table(*values))[0] == ("x", type_)


def test_only_the_first_rows_are_looked_at() -> None:
    assert columns(table("1", "2", "a"), rows=2)[0] == ("x", "integer")
    assert columns(table("1", "2", "a"), rows=3)[0] == ("x", "string")


def test_names_stand_in_the_header_or_are_numbers() -> None:
    files = {"a.csv": b'"a ""b""",c\r\n1,x\r\n', "b.csv": b"2,y\n"}

    assert columns({"a.csv": files["a.csv"]}) == (('a "b"', "integer"), ("c", "string"))
    assert columns(files, csv_of("OnlyFirstFileHasHeaders")) == (('a "b"', "integer"), ("c", "string"))
    assert columns({"b.csv": files["b.csv"]}, csv_of("NoHeaders")) == (
        ("Column1", "integer"),
        ("Column2", "string"),
    )


def test_combined_headers_are_united_and_every_file_is_asked_for_its_own() -> None:
    files = {"a.csv": b"id,name\n1,x\n", "b.csv": b"name,more\ny,2.5\n", "c.csv": b"last\n"}

    found = columns(files, csv_of("CombineAllFilesHeaders"), rows=2)

    assert found == (("id", "integer"), ("name", "string"), ("more", "number"), ("last", "string"))


def test_every_header_must_be_the_same_however_few_rows_are_wanted() -> None:
    with pytest.raises(MoverFailure) as refused:
        columns({"a.csv": b"a,b\n1,2\n", "b.csv": b"a,b\n", "c.csv": b"b,a\n"}, rows=1)
    assert refused.value.reason is Reason.HEADER_MISMATCH
    assert "'c.csv'" in refused.value.message


def test_json_has_types_of_its_own() -> None:
    rows = [
        {"a": 1, "b": "x", "c": None, "d": [], "e": {}, "f": True, "g": 1},
        {"a": 2.5, "g": "x", "h": 10**30},
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    assert dict(columns({"a.jsonl": content}, {"jsonLines": {}})) == {
        "a": "number",
        "b": "string",
        "c": "null",
        "d": "array",
        "e": "object",
        "f": "boolean",
        "g": "mixed",
        "h": "integer",
    }


@given(st.text(max_size=20))
def test_any_text_has_a_type(text: str) -> None:
    assert type_of_text(text) in (None, "string", "integer", "number", "boolean", "datetime")


@given(COLUMNS.map(tuple))
def test_columns_travel_as_they_are(found: Columns) -> None:
    assert unpacked(packed(found)) == found


@pytest.mark.parametrize(
    "text", ["", "x", "e30=", packed([("a", "")]), packed([("a", "b")] * (MAX_COLUMNS + 1)), packed([])[:-5]]
)
def test_what_is_no_list_of_columns_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        unpacked(text)


def test_only_what_a_version_can_hold_is_recorded() -> None:
    assert is_recordable((("a", "string"),) * MAX_COLUMNS)
    assert not is_recordable((("a", "string"),) * (MAX_COLUMNS + 1))
    assert not is_recordable((("", "string"),))
    assert not is_recordable((("a" * 257, "string"),))
