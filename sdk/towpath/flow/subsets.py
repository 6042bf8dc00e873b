"""A chain of transforms and the records of an inventory → the records that a step sees. Nothing is copied.

The same in operator, CLI, local runner and mover: pure, standard library only. Records are handed through as
they came, one by one. Only exact views read them more often: twice more each, to count, before the first is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Protocol, TypeAlias, TypeVar

from towpath.flow.draws import draws, file_id, first_draw_from, group_id, row_id
from towpath.flow.ranks import cuts
from towpath.flow.transforms import (
    Columns,
    Filter,
    Sample,
    Shard,
    Skip,
    Split,
    Take,
    Transform,
    TransformError,
)

# Exact counts of groups need all groups in memory, some 100 bytes each.
MAX_EXACT_GROUPS = 1_000_000


class FileRecord(Protocol):
    """One file of an inventory."""

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int: ...


class RowRecord(FileRecord, Protocol):
    """One row of a file: path and size are the file's, rows are counted from 0 without the header."""

    @property
    def row(self) -> int: ...


AnyFile = TypeVar("AnyFile", bound=FileRecord)
AnyRow = TypeVar("AnyRow", bound=RowRecord)

Read: TypeAlias = Callable[[], Iterable[AnyFile]]
Stage: TypeAlias = Callable[[Iterable[AnyFile]], Iterator[AnyFile]]
Draw: TypeAlias = Callable[[AnyFile], int]


def select_files(chain: Sequence[Transform], read: Read[AnyFile]) -> Iterator[AnyFile]:
    """Yield the files of a view; `read` gives all files in the order of the inventory, each time it is called."""
    check_for_files(chain)
    return _select(chain, read, lambda file: file_id(file.path))


def select_rows(
    chain: Sequence[Transform], read: Read[AnyRow], counted: Read[AnyRow] | None = None
) -> Iterator[AnyRow]:
    """Yield the rows of a view; `read` gives all rows in the order of the inventory, each time it is called.

    `counted` gives the same rows where they are only counted, for exact views; then `read` is called once.
    """
    check_for_rows(chain)
    return _select(chain, read, lambda row: row_id(row.path, row.row), counted)


def check_for_files(chain: Sequence[Transform]) -> None:
    """Raise TransformError for a chain that means nothing for files."""
    for position, transform in enumerate(chain):
        if isinstance(transform, Columns):
            raise TransformError(
                f"transforms[{position}].columns: rows have columns, and the records here are files: take a Tabular "
                "dataset, or say in `from` which format the rows of the output have."
            )


def check_for_rows(chain: Sequence[Transform]) -> None:
    """Raise TransformError for a chain that means nothing for rows."""
    for position, transform in enumerate(chain):
        if isinstance(transform, Split) and transform.group_by is not None:
            raise TransformError(
                f"transforms[{position}].split.groupBy: keeps files together, and the records of a Tabular "
                "dataset are rows: remove it."
            )


def _select(
    chain: Sequence[Transform],
    read: Read[AnyFile],
    id_of: Callable[[AnyFile], bytes],
    counted: Read[AnyFile] | None = None,
) -> Iterator[AnyFile]:
    stages: tuple[Stage[AnyFile], ...] = ()
    # Which columns are taken moves no record to another part.
    selecting = [transform for transform in chain if not isinstance(transform, Columns)]
    for position, transform in enumerate(selecting):
        # An exact one counts what the stages before it let through.
        stages += (_stage(transform, position, id_of, partial(_through, stages, counted or read)),)
    return _through(stages, read)


def _through(stages: Sequence[Stage[AnyFile]], read: Read[AnyFile]) -> Iterator[AnyFile]:
    records = iter(read())
    for stage in stages:
        records = stage(records)
    return records


def _stage(
    transform: Transform, position: int, id_of: Callable[[AnyFile], bytes], read: Read[AnyFile]
) -> Stage[AnyFile]:
    match transform:
        case Sample():
            draw = draws(transform.seed, position, "sample", id_of)
            return _between(_sample_range(transform, partial(_each, draw, read)), draw)
        case Split(group_by=group_by):
            grouped = id_of if group_by is None else lambda file: group_id(file.path, group_by)
            draw = draws(transform.seed, position, "split", grouped)
            return _between(_split_range(transform, partial(_each, draw, read)), draw)
        case Filter():
            return partial(filter, partial(_passes, transform))
        case Columns():
            return iter
        case Take() | Skip() | Shard():
            places = _places(transform)
            return lambda records: islice(records, *places)


def _places(transform: Take | Skip | Shard) -> tuple[int, int | None, int]:
    match transform:
        case Take(count):
            return 0, count, 1
        case Skip(count):
            return count, None, 1
        case Shard(index, count):
            return index, None, count


def _each(draw: Draw[AnyFile], read: Read[AnyFile]) -> Iterator[int]:
    return map(draw, read())


def _between(limits: tuple[int, int], draw: Draw[AnyFile]) -> Stage[AnyFile]:
    begin, end = limits
    return lambda records: (record for record in records if begin <= draw(record) < end)


def _sample_range(sample: Sample, read: Callable[[], Iterable[int]]) -> tuple[int, int]:
    [end] = cuts(read, [sample.share]) if sample.exact else [first_draw_from(sample.share)]
    return 0, end


def _split_range(split: Split, read: Callable[[], Iterable[int]]) -> tuple[int, int]:
    begin, end = split.bounds()
    if not split.exact:
        return first_draw_from(begin), first_draw_from(end)
    if split.group_by is not None:
        groups = _groups(read())
        begin_draw, end_draw = cuts(lambda: groups, [begin, end])
    else:
        begin_draw, end_draw = cuts(read, [begin, end])
    return begin_draw, end_draw


def _groups(draws_of_files: Iterable[int]) -> frozenset[int]:
    """The draws of all groups, each once."""
    groups: set[int] = set()
    for draw in draws_of_files:
        groups.add(draw)
        if len(groups) > MAX_EXACT_GROUPS:
            raise TransformError(
                f"split: exact counts the groups of groupBy in memory, and there are more than "
                f"{MAX_EXACT_GROUPS:,}: leave out exact."
            )
    return frozenset(groups)


def _passes(wanted: Filter, file: FileRecord) -> bool:
    return (
        (wanted.min_bytes is None or file.size >= wanted.min_bytes)
        and (wanted.max_bytes is None or file.size <= wanted.max_bytes)
        and (wanted.path is None or wanted.path.fits(file.path))
    )
