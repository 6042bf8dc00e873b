"""The files of a source with a `partitionFormat`: each path must hold its columns, or it is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from towpath.flow.partitions import PartitionError, parse
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry


def partitioned(entries: Iterable[Entry], text: str, above: str) -> Iterator[Entry]:
    """Yield the entries as they are; `above` is what stands before their paths and may hold columns too."""
    try:
        partition = parse(text)
        for entry in entries:
            partition.columns_of(above + entry.path)
            yield entry
    except PartitionError as error:
        message = str(error)
        raise MoverFailure(
            Reason.PARTITION_MISMATCH,
            f"{message[0].upper()}{message[1:]}. Correct the partitionFormat, or narrow the source.",
        ) from error
