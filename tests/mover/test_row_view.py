"""A view of rows is what a naive reader selects: files of the same format, headers kept, rows as they were."""

from __future__ import annotations

import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow import subset_records
from flow.subset_records import sample, split
from mover.row_files import CSV, a_row_view, csv_of, delivered, selected_rows, without_groups
from towpath.flow.transforms import TransformError
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.row_view import RowView

HEADER = "id,name\n"
ENCODED = {
    "utf8": "utf-8",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "latin1": "latin-1",
    "windows1252": "cp1252",
}
IN_A_FOLDER = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PARTS: dict[str, int | str | None] = {"train": 70, "test": None}
chains = subset_records.chains.map(without_groups)
counts = st.dictionaries(
    st.sampled_from(["a.csv", "b.csv", "c/d.csv", "c/e.csv"]), st.integers(0, 8), min_size=1
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that is not there; what was left of the last example is removed."""
    return tmp_path / "view"


def rows_of(path: str, count: int, end: str = "\n") -> list[str]:
    """Rows that are unlike each other and need all that CSV has."""
    kinds = ("{0},{1}", '{0},"{1}, ""so"" {1}"', '{0},"{1}\n{1}"', '"{0}",é{1}')
    return [kinds[row % 4].format(row, path) + end for row in range(count)]


def deliver(view: RowView, place: Path, **given: bool) -> tuple[Any, dict[str, bytes]]:
    shutil.rmtree(place, ignore_errors=True)
    return delivered(view, place, **given)


@IN_A_FOLDER
@given(chains, counts, st.sampled_from(sorted(ENCODED)), st.sampled_from(["\n", "\r\n"]), st.integers(1, 99))
def test_a_view_of_csv_is_what_a_naive_reader_selects(
    place: Path, chain: list[dict[str, Any]], counts: dict[str, int], encoding: str, end: str, piece: int
) -> None:
    texts = {path: rows_of(path, count, end) for path, count in counts.items()}
    codec = ENCODED[encoding]
    files = {path: "".join((HEADER, *rows)).encode(codec) for path, rows in texts.items()}
    # The codecs with a mark write it once, before the first character.
    rows = {path: [row.encode() for row in texts[path]] for path in texts}

    counted, found = deliver(a_row_view(chain, files, csv_of(encoding=encoding), piece), place)

    expected = selected_rows(chain, files, rows)
    assert found == {
        path: (HEADER + b"".join(kept).decode()).encode(codec) for path, kept in expected.items()
    }
    assert counted[:3] == (len(found), sum(map(len, found.values())), sum(map(len, expected.values())))


@IN_A_FOLDER
@given(chains, counts)
def test_a_view_of_json_lines_is_what_a_naive_reader_selects(
    place: Path, chain: list[dict[str, Any]], counts: dict[str, int]
) -> None:
    rows = {
        path: [json.dumps({"id": row, "é": path}).encode() + b"\n" for row in range(count)]
        for path, count in counts.items()
    }
    files = {path: b"\n".join(kept) for path, kept in rows.items()}

    _, found = deliver(a_row_view(chain, files, {"jsonLines": {}}, 17), place)

    assert found == {path: b"".join(kept) for path, kept in selected_rows(chain, files, rows).items()}


@pytest.mark.parametrize("exact", [{}, {"exact": True}], ids=["by draw", "exact"])
def test_parts_are_disjoint_and_together_everything(place: Path, exact: dict[str, Any]) -> None:
    rows = {path: [f"{path},{row}\n" for row in range(500)] for path in ("a.csv", "b.csv")}
    files = {path: (HEADER + "".join(kept)).encode() for path, kept in rows.items()}
    parts = {}
    for part in PARTS:
        _, found = deliver(a_row_view([split(part, PARTS, **exact)], files), place)
        parts[part] = [line for content in found.values() for line in content.decode().splitlines()[1:]]
    assert len(parts["train"]) == 700 if exact else 650 < len(parts["train"]) < 750
    assert sorted(parts["train"] + parts["test"]) == sorted(
        row.strip() for kept in rows.values() for row in kept
    )


def test_each_file_keeps_its_own_header_where_they_are_combined(place: Path) -> None:
    files = {"a.csv": b"id,name\n1,x\n2,y\n", "b.csv": b"name,id,more\nz,3,q\n"}

    _, found = deliver(a_row_view([{"skip": {"count": 1}}], files, csv_of("CombineAllFilesHeaders")), place)

    assert found == {"a.csv": b"id,name\n2,y\n", "b.csv": b"name,id,more\nz,3,q\n"}


def test_the_first_file_that_is_delivered_has_the_header_where_one_has_it(place: Path) -> None:
    files = {"0.csv": b"", "a.csv": b"id,name\n1,x\n2,y\n", "b.csv": b"3,z\n4,w\n", "c.csv": b"5,v\n"}
    document = csv_of("OnlyFirstFileHasHeaders")

    _, found = deliver(a_row_view([{"skip": {"count": 3}}], files, document), place)
    assert found == {"b.csv": b"id,name\n4,w\n", "c.csv": b"5,v\n"}

    _, found = deliver(a_row_view([{"filter": {"path": "c.csv"}}], files, document), place)
    assert found == {"c.csv": b"id,name\n5,v\n"}


def test_without_headers_every_row_is_a_record(place: Path) -> None:
    files = {"a.csv": b"1,x\n2,y\n", "b.csv": b"3,z,w\n"}

    _, found = deliver(a_row_view([{"skip": {"count": 1}}], files, csv_of("NoHeaders")), place)

    assert found == {"a.csv": b"2,y\n", "b.csv": b"3,z,w\n"}


def test_a_mark_stays_where_it_stood(place: Path) -> None:
    files = {"a.csv": "\ufeffid,name\n1,é\n2,y\n".encode(), "b.csv": b"id,name\n3,z\n"}

    _, found = deliver(a_row_view([{"take": {"count": 3}}], files, csv_of(encoding="utf8bom")), place)

    assert found == files


def test_other_columns_are_named_where_all_must_have_the_same(place: Path) -> None:
    files = {"a.csv": b'id,"name"\n1,x\n', "b.csv": b"id,name\r\n2,y\r\n", "c.csv": b"id,nom\n3,z\n"}
    with pytest.raises(MoverFailure) as refused:
        deliver(a_row_view([sample(100)], files), place)
    assert refused.value.reason is Reason.HEADER_MISMATCH
    assert "'c.csv' has the columns 'id', 'nom', and 'a.csv' has 'id', 'name'" in refused.value.message
    assert not place.exists()


def test_a_bad_row_is_named_with_file_line_and_column_and_nothing_is_delivered(place: Path) -> None:
    files = {"a.csv": b"id,name\n1,x\n", "b.csv": b'id,name\n"1\n2",x\n3\n'}
    for chain in ([sample(1)], [sample(50, exact=True)]):
        with pytest.raises(MoverFailure) as refused:
            deliver(a_row_view(chain, files), place)
        assert refused.value.reason is Reason.BAD_ROW
        assert refused.value.message == (
            "'b.csv', line 4, column 1: the row has 1 fields, and 2 are expected."
        )
        assert not place.exists()


def test_a_file_without_a_selected_row_is_left_out_unless_it_is_the_only_one(place: Path) -> None:
    files = {"a.csv": b"id,name\n1,x\n"}
    view = a_row_view([{"skip": {"count": 1}}], files)

    assert deliver(view, place) == ((0, 0, 0, 1), {})
    assert deliver(view, place, keep_empty=True)[1] == {"a.csv": b"id,name\n"}


def test_files_that_a_filter_leaves_out_are_not_read(place: Path) -> None:
    files = {"a.csv": b"id,name\n1,x\n", "b.csv": b"\xff\xfe"}

    _, found = deliver(a_row_view([{"filter": {"path": "a.csv"}}, sample(100)], files), place)

    assert found == {"a.csv": files["a.csv"]}


def test_groups_mean_nothing_for_rows(place: Path) -> None:
    with pytest.raises(TransformError, match="the records of a Tabular dataset are rows"):
        deliver(a_row_view([split("train", PARTS, groupBy="Stem")], {"a.csv": b"a\n"}), place)


@pytest.mark.parametrize("chain", [[sample(50)], [sample(50, exact=True), {"skip": {"count": 1}}]])
def test_a_view_holds_none_of_its_rows_in_memory(place: Path, chain: list[dict[str, Any]]) -> None:
    peaks = []
    for count in (2_000, 20_000):
        files = {"a.csv": ("id,name\n" + "1,x\n" * count).encode()}
        view = a_row_view(chain, files, CSV, piece=4096)
        tracemalloc.start()
        deliver(view, place)
        peaks.append(tracemalloc.get_traced_memory()[1] - len(files["a.csv"]))
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 18_000 * 10
