"""The process that reads Parquet files: `python -m towpath_mover.parquet_child MEMORY`; jobs and answers are lines.

A file that is made to hurt may end the library, or ask it for more memory than there is. Then it ends this process,
which moves nothing; `parquet_process.py` tells by name what it was.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

import pyarrow as pa

from towpath_mover.parquet_copy import copy_rows
from towpath_mover.parquet_footer import read_footer


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
        return copy_rows(**job) if "target" in job else read_footer(**job)
    except MemoryError:
        return {"large": True}
    except OSError as error:
        return {"bad": str(error), "errno": error.errno}
    except (pa.ArrowException, ValueError, OverflowError) as error:
        return {"bad": str(error) or type(error).__name__}


if __name__ == "__main__":
    main()
