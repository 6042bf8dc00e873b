"""A view of columns has of every row the fields that were asked for, as they were, in each format of rows."""

from __future__ import annotations

import csv
import json
import shutil
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mover.parquet_files import a_parquet_view, every_type, numbered, parquet
from mover.row_files import CSV, a_row_view, csv_of, delivered
from towpath.flow.projection import Projection
from towpath.flow.transform_documents import read_chain
from towpath.flow.transforms import TransformError
from towpath_mover.csv_cut import CsvCut
from towpath_mover.csv_rows import csv_rows
from towpath_mover.json_lines_cut import JsonLinesCut
from towpath_mover.json_lines_rows import json_lines_rows

JSON_LINES: dict[str, Any] = {"jsonLines": {}}
values = st.lists(st.sampled_from([*'ab,;"\té ', "\n", "\r\n"]), max_size=6).map("".join)


def keep(*names: str) -> dict[str, Any]:
    return {"columns": {"keep": list(names)}}


def drop(*names: str) -> dict[str, Any]:
    return {"columns": {"drop": list(names)}}


def written(chain: list[dict[str, Any]], content: str, document: dict[str, Any], folder: Path) -> str:
    """The one file of a view of one file."""
    shutil.rmtree(folder / "view", ignore_errors=True)
    view = a_row_view(chain, {"a.csv": content.encode()}, document)
    _, files = delivered(view, folder / "view")
    return files["a.csv"].decode()


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.tuples(
            st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=6),
            st.lists(st.integers(0, width - 1), min_size=1, unique=True).map(sorted),
        )
    ),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_a_cut_row_of_csv_has_the_fields_that_python_reads_there(
    table: tuple[list[list[str]], list[int]], separator: str, end: str, quoting: Any
) -> None:
    rows, places = table
    text = StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    found = [row for batch in csv_rows([text.getvalue()], separator) for row in batch]
    cut = "".join(CsvCut(separator, places).rows(found))

    expected = [[row[place] for place in places] for row in rows]
    assert list(csv.reader(StringIO(cut, newline=""), delimiter=separator)) == expected


def test_fields_stay_the_text_that_they_were() -> None:
    row = 'a,"b ""so"", b",5" pipe,"c"d"e,, \r\n'
    assert CsvCut(",", [1, 2, 3]).row(row) == '"b ""so"", b",5" pipe,"c"d"e\r\n'
    assert CsvCut(",", [0, 4, 5]).row(row) == "a,, \r\n"
    # A line with nothing in it would be no row.
    assert CsvCut(",", [4]).row(row) == '""\r\n'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('a"\\{}[],: é', max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(st.sampled_from(["id", "é", "x y"]), json_values)


@given(st.lists(objects, min_size=1, max_size=5), st.sampled_from([(",", ":"), (" ,  ", "\t: ")]))
def test_a_cut_row_of_json_lines_has_the_members_that_were_asked_for(
    rows: list[dict[str, Any]], separators: tuple[str, str]
) -> None:
    lines = [json.dumps(row, separators=separators) + "\n" for row in rows]
    found = [row for batch in json_lines_rows(lines) for row in batch]
    cut = JsonLinesCut(Projection(read_chain([keep("id", "é")]))).rows(found)
    assert [json.loads(row) for row in cut] == [
        {name: value for name, value in row.items() if name != "x y"} for row in rows
    ]


def test_members_stay_the_text_that_they_were(tmp_path: Path) -> None:
    content = '{ "id" : 1.50e3,"b":{"id":"}"} ,"n":[1,{"id":2}]}\r\n{"b":1}\n'
    assert written([drop("b")], content, JSON_LINES, tmp_path) == (
        '{"id" : 1.50e3, "n":[1,{"id":2}]}\r\n{}\n'
    )


HEADED = "id,name,note\n1,a,x\n2,b,y\n"


def test_rows_and_columns_are_taken_one_after_another(tmp_path: Path) -> None:
    chain = [{"skip": {"count": 1}}, keep("note", "id"), drop("id")]
    assert written(chain, HEADED, CSV, tmp_path) == "note\ny\n"


def test_a_byte_order_mark_and_the_encoding_stay(tmp_path: Path) -> None:
    content = HEADED.replace("b", "é").encode("utf-16")
    view = a_row_view([keep("name")], {"a.csv": content}, csv_of(encoding="utf16"))
    _, files = delivered(view, tmp_path / "view")
    assert files["a.csv"].decode("utf-16") == "name\na\né\n"
    assert files["a.csv"].startswith(content[:2])


def test_without_headers_columns_have_numbers(tmp_path: Path) -> None:
    assert written([drop("Column2")], "1,a,x\n2,b,y\n", csv_of("NoHeaders"), tmp_path) == "1,x\n2,y\n"


def test_one_header_for_all_files_is_cut_once(tmp_path: Path) -> None:
    files = {"a.csv": b"id,name\n1,a\n", "b.csv": b"2,b\n"}
    view = a_row_view([{"skip": {"count": 1}}, keep("name")], files, csv_of("OnlyFirstFileHasHeaders"))
    assert delivered(view, tmp_path / "view")[1] == {"b.csv": b"name\nb\n"}


def test_files_with_columns_of_their_own_are_cut_each(tmp_path: Path) -> None:
    files = {"a.csv": b"id,name\n1,a\n", "b.csv": b"size,id\n9,2\n"}
    view = a_row_view([keep("id", "name")], files, csv_of("CombineAllFilesHeaders"))
    assert delivered(view, tmp_path / "view")[1] == {"a.csv": b"id,name\n1,a\n", "b.csv": b"id\n2\n"}

    lacking = a_row_view([keep("size")], files, csv_of("CombineAllFilesHeaders"))
    with pytest.raises(TransformError, match=r"columns\.keep: no column is left of 'a\.csv'"):
        delivered(lacking, tmp_path / "lacking")


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ([keep("nmae")], "transforms[0].columns.keep: there is no column 'nmae'. Did you mean name?"),
        ([{"take": {"count": 1}}, drop("x")], "transforms[1].columns.drop: there is no column 'x'. There is"),
        ([drop("id"), keep("id")], "transforms[1].columns.keep: there is no column 'id'."),
        ([drop("id", "name", "note")], "transforms[0].columns.drop: no column is left."),
    ],
    ids=str,
)
def test_a_column_that_is_not_there_is_named(
    chain: list[dict[str, Any]], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TransformError) as refused:
        written(chain, HEADED, CSV, tmp_path)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    "settings",
    [
        {"row_group_size": 7, "compression": "zstd"},
        {"store_schema": False, "use_deprecated_int96_timestamps": True},
        {"compression": {"i8": "brotli", "text": "lz4"}},
    ],
    ids=["default", "as Spark writes", "each its own"],
)
def test_a_file_of_parquet_keeps_everything_else(tmp_path: Path, settings: dict[str, Any]) -> None:
    whole = every_type(20)
    names = whole.schema.names[::2]
    content = parquet(whole, **settings)
    view = a_parquet_view([{"skip": {"count": 3}}, keep(*names)], {"a.parquet": content}, tmp_path)
    _, found = delivered(view, tmp_path / "view")

    before, after = pq.ParquetFile(BytesIO(content)), pq.ParquetFile(BytesIO(found["a.parquet"]))
    fields = [before.schema_arrow.field(name) for name in names]
    assert after.schema_arrow.equals(pa.schema(fields, before.schema_arrow.metadata), check_metadata=True)
    assert after.read().to_pylist() == before.read().select(names).slice(3).to_pylist()
    assert compressions(after) == {
        path: one for path, one in compressions(before).items() if path.partition(".")[0] in names
    }


def compressions(file: pq.ParquetFile) -> dict[str, str]:
    """How each leaf of a file is compressed."""
    group = file.metadata.row_group(0)
    chunks = [group.column(leaf) for leaf in range(group.num_columns)]
    return {chunk.path_in_schema: chunk.compression for chunk in chunks}


def test_pandas_reads_a_file_of_parquet_without_its_index(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"id": [1, 2], "name": ["a", "b"]}, index=pandas.Index([7, 8], name="at"))
    files = {"a.parquet": parquet(pa.Table.from_pandas(frame))}
    _, found = delivered(a_parquet_view([keep("name")], files, tmp_path), tmp_path / "view")
    assert pandas.read_parquet(BytesIO(found["a.parquet"])).to_dict("list") == {"name": ["a", "b"]}


def test_a_column_that_a_file_of_parquet_lacks_is_named(tmp_path: Path) -> None:
    view = a_parquet_view([keep("nome")], {"a.parquet": numbered(3)}, tmp_path)
    with pytest.raises(TransformError, match=r"there is no column 'nome'\. Did you mean name"):
        delivered(view, tmp_path / "view")
