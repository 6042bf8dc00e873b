"""What makes a Parquet file like another one that it has rows and columns of: compression, versions, metadata.

Runs in the process of `parquet_child.py`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_ARROWS = b"ARROW:schema"


def settings_of(parquet: pq.ParquetFile, leaves: Sequence[int]) -> dict[str, Any]:
    """Return what makes a file that is written like one that is read."""
    metadata = parquet.metadata
    columns = [metadata.schema.column(number) for number in leaves]
    return {
        "compression": _compression(metadata, leaves),
        # Arrow's own schema is one of the metadata, which are kept as they are.
        "store_schema": False,
        # Spark's files say 1.0 and hold what only 2.6 has.
        "version": metadata.format_version if _is_arrows(metadata) else "2.6",
        "use_deprecated_int96_timestamps": any(one.physical_type == "INT96" for one in columns),
        "store_decimal_as_integer": any(
            one.logical_type.type == "DECIMAL" and one.physical_type.startswith("INT") for one in columns
        ),
        "use_compliant_nested_type": not any(".list.item" in one.path for one in columns),
    }


def metadata_of(parquet: pq.ParquetFile, columns: Sequence[int] | None) -> dict[bytes, bytes]:
    """Return the metadata of a file that has these columns at its top of another, or all of them."""
    metadata = dict(parquet.metadata.metadata or {})
    if columns is not None and _ARROWS in metadata:
        whole = pa.ipc.read_schema(pa.py_buffer(b64decode(metadata[_ARROWS])))
        # It is of no use to a reader unless it tells of the columns that are there.
        taken = pa.schema([whole.field(place) for place in columns], whole.metadata)
        metadata[_ARROWS] = b64encode(taken.serialize().to_pybytes())
    return metadata


def check_kept(before: pq.ParquetSchema, leaves: Sequence[int], after: pq.ParquetSchema) -> None:
    """Raise ValueError unless the leaves that were written are kept as they were."""
    for number, leaf in enumerate(leaves):
        old, new = before.column(leaf), after.column(number)
        kinds = [(one.physical_type, one.logical_type.type) for one in (old, new)]
        if kinds[0] != kinds[1]:
            raise ValueError(
                f"its column {old.path} would become another kind of column: {kinds[0]}, {kinds[1]}"
            )


def _is_arrows(metadata: pq.FileMetaData) -> bool:
    """Whether it holds a schema in Arrow's own terms, as Arrow's writers make it."""
    return _ARROWS in (metadata.metadata or {})


def _compression(metadata: pq.FileMetaData, leaves: Sequence[int]) -> str | dict[str, str]:
    if not metadata.num_row_groups:
        return "none"
    group = metadata.row_group(0)
    chunks = [group.column(leaf) for leaf in leaves]
    codecs = {chunk.path_in_schema: chunk.compression.replace("UNCOMPRESSED", "NONE") for chunk in chunks}
    return codecs if len(set(codecs.values())) > 1 else next(iter(codecs.values()), "none")
