"""Views give what was once written down, what the page says, and what a program written from the page gives."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flow.naive_subsets import GOLDEN, draw_of, file_records, naive_select, row_records
from flow.subset_records import AFile, ARow, paths_of, rows_of
from towpath.flow.draws import DRAW_BITS, U_BITS, draws, group_id, row_id
from towpath.flow.transforms import GroupBy

PAGE = (Path(__file__).parents[2] / "docs/explanation/views.md").read_text()
DRAWS: list[dict[str, Any]] = json.loads((GOLDEN / "draws.json").read_text())["draws"]
FILES: dict[str, Any] = json.loads((GOLDEN / "files.json").read_text())
ROWS: dict[str, Any] = json.loads((GOLDEN / "rows.json").read_text())


@pytest.mark.parametrize("vector", DRAWS, ids=str)
def test_a_draw_is_the_golden_one(vector: dict[str, Any]) -> None:
    ours = first_bits(vector["seed"], vector["position"], vector["kind"], vector["id"].encode())
    assert ours == vector["first53bits"]
    assert vector["u"] == f"{ours / 2**53:.9f}"
    assert vector | draw_of(vector) == vector


@pytest.mark.parametrize("view", FILES["views"], ids=lambda view: view["name"])
def test_a_view_of_files_is_the_golden_one(view: dict[str, Any]) -> None:
    files = [AFile(*file) for file in FILES["files"]]
    assert paths_of(view["transforms"], files) == view["selected"]
    assert [path for path, _ in naive_select(view["transforms"], file_records(FILES))] == view["selected"]


@pytest.mark.parametrize("view", ROWS["views"], ids=lambda view: view["name"])
def test_a_view_of_rows_is_the_golden_one(view: dict[str, Any]) -> None:
    rows = [ARow(*row) for row in row_records(ROWS)]
    assert [[row.path, row.row] for row in rows_of(view["transforms"], rows)] == view["selected"]
    naive = naive_select(view["transforms"], row_records(ROWS))
    assert [[path, row] for path, _, row in naive] == view["selected"]


def test_the_golden_files_stand_in_the_order_of_an_inventory() -> None:
    for golden in (FILES, ROWS):
        paths = [file[0] for file in golden["files"]]
        assert paths == sorted(paths, key=str.encode)


def test_the_draws_of_the_page_are_ours() -> None:
    rows = table_after("| seed | place |")
    assert len(rows) == 6
    for seed, place, kind, file, row, bits, u in rows:
        record_id = row_id(file, int(row)) if row else file.encode()
        ours = first_bits(int(seed), int(place), kind, record_id)
        assert (str(ours), f"{ours / 2**53:.9f}") == (bits, u)


def test_the_program_of_the_page_gives_the_draws_of_the_page() -> None:
    program = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert program
    scope: dict[str, Any] = {}
    exec(program[1], scope)  # noqa: S102 - our own page
    assert f"{scope['u'](42, 0, 'sample', 'README.md'):.9f}" == "0.042214330"
    assert f"{scope['u'](42, 0, 'sample', 'a.csv' + chr(0) + '12'):.9f}" == "0.154137692"


def test_the_groups_of_the_page_are_ours() -> None:
    rows = table_after("| path | `Stem` |")
    assert len(rows) == 5
    for path, stem, folder in rows:
        assert group_id(path, GroupBy.STEM).decode() == stem
        assert group_id(path, GroupBy.FOLDER).decode() == folder


def first_bits(seed: int, position: int, kind: str, record_id: bytes) -> int:
    draw = draws(seed, position, kind, lambda record: record)
    return draw(record_id) >> (DRAW_BITS - U_BITS)


def table_after(heading: str) -> list[list[str]]:
    lines = PAGE[PAGE.index(heading) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
