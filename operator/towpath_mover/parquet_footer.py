"""The footer of a Parquet file → how many rows it has, and its columns in the words that other formats have too.

Runs in the process of `parquet_child.py`. A footer is the user's, and may lie.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from towpath_mover.column_types import BOOLEAN, DATETIME, INTEGER, NUMBER, STRING, UNKNOWN

_TYPES = {
    BOOLEAN: (types.is_boolean,),
    INTEGER: (types.is_integer, types.is_duration),
    NUMBER: (types.is_floating, types.is_decimal),
    STRING: (types.is_string, types.is_large_string, types.is_string_view),
    DATETIME: (types.is_date, types.is_timestamp),
    "time": (types.is_time,),
    "array": (types.is_list, types.is_large_list, types.is_fixed_size_list, types.is_list_view),
    "object": (types.is_struct, types.is_map),
    UNKNOWN: (types.is_null,),
}


def read_footer(source: str) -> dict[str, Any]:
    """Return rows and columns by the end of a file; `source` may hold no more than that."""
    with pa.OSFile(source) as file:
        metadata = pq.read_metadata(file)
    groups = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    if sum(groups) != metadata.num_rows or min(groups, default=0) < 0:
        raise ValueError(
            f"its footer declares {metadata.num_rows} rows, and its row groups have {sum(groups)}"
        )
    columns = [[field.name, _type(field.type)] for field in metadata.schema.to_arrow_schema()]
    return {"rows": metadata.num_rows, "columns": columns}


def _type(of: pa.DataType) -> str:
    if isinstance(of, pa.BaseExtensionType):
        # Its members are texts to people: JSON, and UUIDs.
        return STRING if of.extension_name in ("arrow.json", "arrow.uuid") else _type(of.storage_type)
    if types.is_dictionary(of):
        return _type(of.value_type)
    return next((name for name, tests in _TYPES.items() if any(test(of) for test in tests)), "binary")
