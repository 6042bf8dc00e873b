"""Pinned Parquet files → their last bytes, in which their footers stand; and their columns, which these tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from towpath.flow.columns import Columns
from towpath_mover.ahead import in_order
from towpath_mover.column_types import UNKNOWN, ColumnTypes
from towpath_mover.download import clear
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.parquet_process import ParquetError, ParquetProcess
from towpath_mover.paths import shown
from towpath_mover.pinned import Source, patiently_pinned, read_span, read_whole
from towpath_mover.stores import Span
from towpath_mover.transfer import MiB, Work

END = 64 << 10
# 2,000 columns in 60 row groups take about as much.
_LARGEST = 16 * MiB


def holds_rows(path: str) -> bool:
    """Whether a file is one of rows: what begins with `_` or `.` is what Spark and others keep beside them."""
    return not any(part[0] in "_." and "=" not in part for part in path.split("/") if part)


def read_ends(entries: Iterable[Entry], sources: Sequence[Source]) -> Iterator[tuple[Entry, memoryview]]:
    """Yield each file with its end, which has all of its footer unless that is too large."""
    for entry, end in in_order(entries, Work(lambda _: END, lambda one: _end(one, sources, END))):
        size = int.from_bytes(end[-8:-4], "little") + 8
        is_longer = bytes(end[-4:]) == b"PAR1" and len(end) < size <= min(entry.size, _LARGEST)
        yield entry, _end(entry, sources, size) if is_longer else end


def columns_of_ends(entries: Iterable[Entry], sources: Sequence[Source], scratch: Path) -> Columns:
    """Return the columns that files have, in the order in which they come; `scratch` is a folder to be made."""
    types = ColumnTypes()
    clear(scratch)
    scratch.mkdir(parents=True)
    wanted = (entry for entry in entries if holds_rows(entry.path))
    with closing(ParquetProcess(scratch)) as process:
        for entry, end in read_ends(wanted, sources):
            try:
                for name, type_ in process.footer_of(entry, end).columns:
                    types.see(name, type_)
            except ParquetError as error:
                raise bad_file(entry, error) from error
    clear(scratch)
    return types.columns(UNKNOWN)


def bad_file(entry: Entry, error: ParquetError) -> MoverFailure:
    """Return the failure that names a file which cannot be read."""
    return MoverFailure(Reason.BAD_ROW, f"{shown(entry.path)} cannot be read as Parquet: {error}.")


def _end(entry: Entry, sources: Sequence[Source], size: int) -> memoryview:
    source = sources[entry.root]

    def read() -> memoryview:
        if size >= entry.size:
            return read_whole(source, entry)
        return read_span(source, entry, Span(entry.size - size, entry.size))

    return patiently_pinned(source.store, source.prefix, entry, read)
