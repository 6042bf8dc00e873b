"""Files of rows for the tests of Tabular views, and what a naive reader makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from flow.naive_subsets import naive_select
from towpath.flow.projection import Projection
from towpath.flow.transform_documents import read_chain
from towpath_mover.download import new_folder
from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing
from towpath_mover.parquet_view import ParquetView
from towpath_mover.row_formats import open_format
from towpath_mover.row_view import Delivered, RowView

CSV: dict[str, Any] = {"csv": {}}
Chain = list[dict[str, Any]]


def csv_of(header: str = "AllFilesHaveSameHeaders", **more: str) -> dict[str, Any]:
    return {"csv": {"header": header, **more}}


def without_groups(chain: Chain) -> Chain:
    """The chain as it may be for rows."""
    return [
        {kind: {name: value for name, value in given.items() if name != "groupBy"}}
        for transform in chain
        for kind, given in transform.items()
    ]


def a_row_view(
    chain: Chain, files: Mapping[str, bytes], document: Mapping[str, Any] = CSV, piece: int = 1 << 20
) -> RowView:
    """A view of files that are in memory."""
    entries = [an_entry(path, content) for path, content in sorted(files.items())]

    def read(wanted: Iterable[Entry]) -> Iterator[tuple[Entry, list[bytes]]]:
        for entry in wanted:
            content = files[entry.path]
            yield entry, [content[start : start + piece] for start in range(0, len(content), piece)]

    projection = Projection(read_chain(chain))
    return RowView(read_chain(chain), lambda: entries, read, lambda: open_format(document, projection))


def delivered(
    view: RowView | ParquetView, target: Path, *, keep_empty: bool = False
) -> tuple[Delivered, dict[str, bytes]]:
    """What a view came to, and the files that it wrote."""
    with new_folder(target) as folder:
        counts = view.deliver(Landing(folder, None), keep_empty=keep_empty)
    found = (file for file in target.rglob("*") if file.is_file())
    return counts, {str(file.relative_to(target)): file.read_bytes() for file in found}


def selected_rows(
    chain: Chain, files: Mapping[str, bytes], rows: Mapping[str, list[bytes]]
) -> dict[str, list[bytes]]:
    """The rows of each file that a naive reader of views.md selects; files without one are left out."""
    records = [(path, len(files[path]), row) for path in sorted(rows) for row in range(len(rows[path]))]
    selected: dict[str, list[bytes]] = {}
    for path, _, row in naive_select(chain, records):
        selected.setdefault(path, []).append(rows[path][row])
    return selected


def an_entry(path: str, content: bytes) -> Entry:
    return Entry(path, len(content), sha256(content).hexdigest())
