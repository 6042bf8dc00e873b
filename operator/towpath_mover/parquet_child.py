"""The process that reads Parquet files: `python -m towpath_mover.parquet_child MEMORY`; jobs and answers are lines.

A file that is made to hurt may end the library, or ask it for more memory than there is. Then it ends this process,
which moves nothing; `parquet_process.py` tells by name what it was.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

# pyarrow would load it where it is there, and its 40 MiB count against what this process may take.
sys.modules["numpy"] = None  # type: ignore[assignment]

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402
from pyarrow import types  # noqa: E402

from towpath_mover.column_types import (  # noqa: E402
    BOOLEAN,
    DATETIME,
    INTEGER,
    NUMBER,
    STRING,
    UNKNOWN,
)
from towpath_mover.parquet_copy import copy_rows  # noqa: E402

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


def main() -> None:
    """Do one job after another."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _answer(job: dict[str, Any]) -> dict[str, Any]:
    try:
        return copy_rows(**job) if "target" in job else _read_footer(**job)
    except MemoryError:
        return {"large": True}
    except OSError as error:
        return {"bad": str(error), "errno": error.errno}
    except (pa.ArrowException, ValueError, OverflowError) as error:
        return {"bad": str(error) or type(error).__name__}


def _read_footer(source: str) -> dict[str, Any]:
    """Return rows and columns by the end of a file, which is the user's and may lie; `source` may hold no more."""
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


if __name__ == "__main__":
    main()
