"""A dataset of rows, as it was listed → its columns, by the first rows; what is wrong there is said at once.

Where all files must have the same header, the head of every file is read: one ranged request each. So is the end of
every Parquet file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from towpath.flow.columns import Columns, is_recordable
from towpath_mover.inventory import Entry
from towpath_mover.opened_file import OpenedFile
from towpath_mover.pinned import Source
from towpath_mover.read_heads import read_heads
from towpath_mover.row_formats import open_format

# Documented in docs/explanation/tabular.md.
ROWS = 1000


def columns_of(
    entries: Iterable[Entry], sources: Sequence[Source], document: Mapping[str, Any], scratch: Path
) -> Columns | None:
    """Return names and types of the columns; None where they are more, or longer, than can be recorded.

    `scratch` is a folder to be made where one is needed.
    """
    if "parquet" in document:
        # Only here: other formats do not need it.
        from towpath_mover.parquet_ends import columns_of_ends  # noqa: PLC0415

        columns = columns_of_ends(entries, sources, scratch)
        return columns if is_recordable(columns) else None
    format_ = open_format(document)
    heads = read_heads(entries, sources)
    # Nobody but the reader of a head knows the rest of its file: nothing is left to be verified.
    files = (OpenedFile(entry, (), format_.open(entry, pieces)) for entry, pieces in heads)
    columns = format_.columns(files, ROWS)
    return columns if is_recordable(columns) else None
