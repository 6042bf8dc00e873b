"""A view of an inventory on disk is what a naive reader selects of it, in memory that does not grow with the files."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flow import subset_records
from flow.naive_subsets import naive_select
from flow.subset_records import AFile, sample, split
from mover.inventories import ROOTS
from towpath.flow import subsets
from towpath.flow.transform_documents import read_chain
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.inventory_writer import write_inventory
from towpath_mover.view import View

PATHS = [f"images/{number:05}.jpg" for number in range(200)]


def an_entry(path: str, size: int = 1) -> Entry:
    return Entry(path, size, "0" * 64)


def a_view(folder: Path, entries: list[Entry], chain: list[dict[str, Any]]) -> View:
    """The view of an inventory that lies in this folder."""
    file = folder / "inventory"
    write_inventory(file, ROOTS, entries)
    return View(ROOTS, read_chain(chain), file, len(entries))


def is_storable(files: list[AFile]) -> bool:
    """Whether no file is also the folder of another."""
    paths = [file.path for file in files]
    return not any(path.startswith(f"{other}/") for path in paths for other in paths)


@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_a_view_is_what_a_naive_reader_selects(tmp_path: Path, data: st.DataObject) -> None:
    files = data.draw(subset_records.inventories.filter(is_storable))
    chain = data.draw(subset_records.chains)

    view = a_view(tmp_path, [an_entry(file.path, file.size) for file in files], chain)

    selected = [record[0] for record in naive_select(chain, [(file.path, file.size) for file in files])]
    assert [entry.path for entry in view.entries()] == selected
    assert [entry.path for entry in view.entries()] == selected
    assert view.summary().files == len(selected)


def test_the_counts_of_a_view_are_those_of_its_own_files(tmp_path: Path) -> None:
    entries = [an_entry("a", 10), an_entry("b", 200), an_entry("c", 3000)]

    summary = a_view(tmp_path, entries, [{"filter": {"minBytes": 100}}]).summary()

    assert (summary.files, summary.bytes) == (2, 3200)


def test_too_many_groups_for_exact_counts_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subsets, "MAX_EXACT_GROUPS", 100)
    chain = [split("a", {"a": 50, "b": None}, exact=True, groupBy="Stem")]
    view = a_view(tmp_path, [an_entry(path) for path in PATHS], chain)

    with pytest.raises(MoverFailure) as refused:
        view.summary()

    assert refused.value.reason is Reason.VIEW_REFUSED
    assert "leave out exact" in refused.value.message


def test_a_view_holds_none_of_its_files_in_memory(tmp_path: Path) -> None:
    peaks = []
    for count in (1_000, 8_000):
        entries = [an_entry(f"images/{number:05}.jpg") for number in range(count)]
        view = a_view(tmp_path, entries, [sample(50), {"skip": {"count": 1}}])
        tracemalloc.start()
        view.summary()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    # A list of them would take some 300 bytes for each.
    assert peaks[1] - peaks[0] < 7_000 * 100
