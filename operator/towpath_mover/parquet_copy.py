"""A Parquet file and a bit for each of its rows → a file of the rows whose bits are set, with everything else kept.

Runs in the process of `parquet_child.py`, in memory that does not grow with the file. Whoever reads columns side by
side holds a page of each: where that would be too much, a row group is read some columns at a time, which wait on
disk for the others; and where that would be too much disk, some rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from towpath_mover.parquet_likeness import check_kept, metadata_of, settings_of

_KiB, _MiB = 1 << 10, 1 << 20
_BUFFER = 64 * _KiB
_LARGEST_GROUP = 16 * _MiB
# What nanoseconds since 1970 can tell, in microseconds.
_NANOSECONDS_END = (1 << 63) // 1000


class _Care(NamedTuple):
    """What is read at once: bytes and rows of a batch, pages in all, and how large one is expected to be."""

    batch: int
    rows: int
    pages: int
    page: int


_USUAL = _Care(4 * _MiB, 1 << 14, 64 * _MiB, _MiB)
# Some writers make one page of all values of a row group, and a value may be repeated by a number.
_CAREFUL = _Care(256 * _KiB, 1 << 8, 32 * _MiB, 1 << 62)


class _Part(NamedTuple):
    fields: list[pa.Field]
    leaves: list[int]


class _Column(NamedTuple):
    """A column at the top, and the numbers of the leaves in which its values lie."""

    field: pa.Field
    leaves: range


class _Rows(NamedTuple):
    """Rows of a row group, by their numbers in it, the last one not among them."""

    first: int
    last: int


class _Scratch(NamedTuple):
    """A folder, and how many bytes may lie there at once."""

    folder: Path
    bytes: int


def copy_rows(
    source: str, target: str, taken: dict[str, Any], scratch: str, careful: bool, waiting: int
) -> dict[str, Any]:
    """Write what is taken: `rows` is a file of bits, `columns` the places of those at the top, or None for all.

    `scratch` is an empty folder that takes `waiting` bytes.
    """
    columns: list[int] | None = taken["columns"]
    care = _CAREFUL if careful else _USUAL
    with pa.OSFile(source) as file, pa.OSFile(target, "wb") as out, pa.memory_map(taken["rows"]) as bits:
        parquet = _opened(file, _int96_unit(file))
        mask = pa.Array.from_buffers(pa.bool_(), parquet.metadata.num_rows, [None, bits.read_buffer()])
        there = _columns(parquet, columns)
        copy = _Copy(parquet, mask, care, _Scratch(Path(scratch), waiting), there)
        leaves = [leaf for column in there for leaf in column.leaves]
        with pq.ParquetWriter(out, copy.schema, **settings_of(parquet, leaves)) as writer:
            writer.add_key_value_metadata(metadata_of(parquet, columns))
            tables = copy.tables()
            for table in tables:
                writer.write_table(table, row_group_size=max(1, table.num_rows))
                # What it maps would lie on disk beside that of the next.
                del table
    check_kept(parquet.metadata.schema, leaves, pq.read_metadata(pa.OSFile(target)).schema)
    return {}


class _Copy:
    def __init__(
        self,
        parquet: pq.ParquetFile,
        mask: pa.BooleanArray,
        care: _Care,
        scratch: _Scratch,
        taken: Sequence[_Column],
    ) -> None:
        self._parquet = parquet
        self._taken = taken
        self.schema = pa.schema([column.field for column in taken])
        self._mask = mask
        self._care = care
        self._scratch = scratch

    def tables(self) -> Iterator[pa.Table]:
        """Yield the selected rows, as they are to be put together in row groups."""
        held = none = self.schema.empty_table()
        start = 0
        for number in range(self._parquet.num_row_groups):
            rows = self._parquet.metadata.row_group(number).num_rows
            mask = self._mask.slice(start, rows)
            start += rows
            if not mask.true_count:
                continue
            first, *others = self._parts(number)
            if others:
                yield from self._in_turns(number, [first, *others], mask)
                continue
            for batch in self._batches(number, first, mask, _Rows(0, rows)):
                # Each batch comes with a copy of the texts.
                more = pa.Table.from_batches([batch], self.schema)
                held = pa.concat_tables([held, more]).unify_dictionaries()
                if held.get_total_buffer_size() >= _LARGEST_GROUP:
                    yield held
                    held = none
        if held.num_rows:
            yield held

    def _parts(self, number: int) -> list[_Part]:
        """Return the columns of a row group as they are read together."""
        group = self._parquet.metadata.row_group(number)
        parts, size = [_Part([], [])], 0
        for field, leaves in self._taken:
            sizes = (group.column(one).total_uncompressed_size for one in leaves)
            # A page is there as it is stored and unpacked, and one of the values that it counts.
            cost = sum(3 * min(one, self._care.page) + _BUFFER for one in sizes)
            if parts[-1].leaves and size + cost > self._care.pages:
                parts.append(_Part([], []))
                size = 0
            parts[-1].fields.append(field)
            parts[-1].leaves.extend(leaves)
            size += cost
        return parts

    def _batches(
        self, number: int, part: _Part, mask: pa.BooleanArray, wanted: _Rows
    ) -> Iterator[pa.RecordBatch]:
        group = self._parquet.metadata.row_group(number)
        size = sum(group.column(leaf).total_uncompressed_size for leaf in part.leaves)
        rows = max(1, min(self._care.rows, self._care.batch * group.num_rows // max(1, size)))
        start = 0
        for batch in _read(self._parquet, rows, number, part.leaves):
            first, last = max(start, wanted.first), min(start + batch.num_rows, wanted.last)
            kept = mask.slice(first, max(0, last - first))
            if kept.true_count:
                yield batch.slice(first - start, last - first).filter(kept)
            start += batch.num_rows
        if start != group.num_rows:
            raise ValueError(f"a row group has {start} rows, and declares {group.num_rows}")

    def _in_turns(self, number: int, parts: Sequence[_Part], mask: pa.BooleanArray) -> Iterator[pa.Table]:
        """Yield the selected rows of a row group: all at once, or as many as may wait on disk."""
        first, rows = 0, len(mask)
        while first < len(mask):
            wanted = _Rows(first, min(first + rows, len(mask)))
            if mask.slice(first, wanted.last - first).true_count:
                table = self._beside(number, parts, mask, wanted)
                if table is None:
                    if rows == 1:
                        raise MemoryError("one row is larger than what may wait on disk")
                    rows = -(-rows // 2)
                    continue
                yield table
                # What is mapped stays on disk until it is no longer used.
                del table
            first = wanted.last

    def _beside(
        self, number: int, parts: Sequence[_Part], mask: pa.BooleanArray, wanted: _Rows
    ) -> pa.Table | None:
        """Return these rows with all columns side by side; None where they are too many to wait on disk."""
        columns: list[pa.ChunkedArray] = []
        left = self._scratch.bytes
        for part in parts:
            place = self._scratch.folder / "part"
            with (
                pa.OSFile(str(place), "wb") as file,
                pa.ipc.new_stream(file, pa.schema(part.fields)) as stream,
            ):
                for batch in self._batches(number, part, mask, wanted):
                    if file.tell() + batch.nbytes > left:
                        place.unlink()
                        return None
                    stream.write_batch(batch)
                left -= file.tell()
            columns += pa.ipc.open_stream(pa.memory_map(str(place))).read_all().columns
            # What is mapped stays until it is no longer used.
            place.unlink()
        return pa.Table.from_arrays(columns, schema=self.schema)


def _columns(parquet: pq.ParquetFile, columns: Sequence[int] | None) -> list[_Column]:
    found, leaf = [], 0
    for field in parquet.schema_arrow:
        found.append(_Column(field, range(leaf, leaf := leaf + _count_leaves(field.type))))
    return found if columns is None else [found[place] for place in columns]


def _opened(file: pa.NativeFile, unit: str) -> pq.ParquetFile:
    return pq.ParquetFile(
        file,
        pre_buffer=False,
        buffer_size=_BUFFER,
        coerce_int96_timestamp_unit=unit,
        read_dictionary=_repeated(pq.read_metadata(file)),
    )


def _repeated(metadata: pq.FileMetaData) -> list[str]:
    """Return the columns of texts that are stored by number: unpacked, they may be thousands of times as large."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    return [
        metadata.schema.column(leaf).path
        for leaf in range(metadata.num_columns)
        if metadata.schema.column(leaf).physical_type == "BYTE_ARRAY"
        and all(_is_by_number(group.column(leaf)) for group in groups)
    ]


def _is_by_number(chunk: pq.ColumnChunkMetaData) -> bool:
    # Any other text takes four bytes for its length alone.
    return bool(chunk.has_dictionary_page and chunk.total_uncompressed_size < 4 * chunk.num_values)


def _read(parquet: pq.ParquetFile, rows: int, group: int, leaves: Sequence[int]) -> Iterator[pa.RecordBatch]:
    # By their numbers: names may be there twice, or look like paths.
    batches: Iterator[pa.RecordBatch] = parquet.reader.iter_batches(
        rows, row_groups=[group], column_indices=list(leaves), use_threads=False
    )
    return batches


def _count_leaves(of: pa.DataType) -> int:
    if isinstance(of, pa.BaseExtensionType):
        of = of.storage_type
    return sum(_count_leaves(of.field(number).type) for number in range(of.num_fields)) or 1


def _int96_unit(file: pa.NativeFile) -> str:
    """Return the unit that holds all times of 12 bytes: Spark's reach far beyond nanoseconds, Impala's need them."""
    exact, far = _opened(file, "ns"), _opened(file, "us")
    needs_exact = needs_far = False
    for leaf in range(exact.metadata.num_columns):
        if exact.metadata.schema.column(leaf).physical_type != "INT96":
            continue
        for number in range(exact.num_row_groups):
            pair = (_read(one, _USUAL.rows, number, [leaf]) for one in (exact, far))
            for nanoseconds, microseconds in zip(*map(_numbers, pair), strict=True):
                # Wraps around like the reader does: what is left are the digits that microseconds lack.
                rest = pc.subtract(nanoseconds, pc.multiply(microseconds, 1000))
                needs_exact |= pc.any(pc.not_equal(rest, 0)).as_py() or False
                needs_far |= pc.any(pc.greater_equal(pc.abs(microseconds), _NANOSECONDS_END)).as_py() or False
    if needs_exact and needs_far:
        raise ValueError("it has times of 12 bytes (INT96) beyond the year 2262 and others with nanoseconds")
    return "us" if needs_far else "ns"


def _numbers(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Array]:
    for batch in batches:
        array = batch.column(0)
        while not pa.types.is_timestamp(array.type):
            inside = array.flatten()
            array = inside[0] if isinstance(inside, list) else inside
        yield array.cast(pa.int64())
