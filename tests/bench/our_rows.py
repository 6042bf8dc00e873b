"""A view of rows of one file as a process, as `stage-in` makes it: FOLDER KEY SIZE CHAIN; prints counts, memory.

A key that ends with .parquet is read as Parquet, any other as CSV.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.our_transfer import bench_store, peak_memory
from towpath.flow.transform_documents import read_chain
from towpath_mover.download import new_folder
from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing
from towpath_mover.parquet_view import ParquetView
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.read_files import read_files
from towpath_mover.row_formats import open_format
from towpath_mover.row_view import RowView


def main() -> None:
    target, key, size, chain = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as folder:
        store = bench_store(Path(folder))
        entry = Entry(key, int(size), etag=store.state(key).etag)
        view = _view(Source(store, ""), entry, json.loads(chain), Path(folder) / "rows")
        started = time.perf_counter()
        with new_folder(Path(target)) as place:
            delivered = view.deliver(Landing(place, None), keep_empty=True)
        seconds = time.perf_counter() - started
    print(json.dumps({**delivered._asdict(), "seconds": round(seconds, 2), "memory": peak_memory()}))


def _view(source: Source, entry: Entry, chain: Any, scratch: Path) -> RowView | ParquetView:
    transforms, progress = read_chain(chain), Progress("rows")
    if entry.path.endswith(".parquet"):
        return ParquetView(transforms, lambda: [entry], [source], scratch, progress)
    return RowView(
        transforms,
        lambda: [entry],
        lambda entries: read_files(entries, [source], progress),
        lambda: open_format({"csv": {}}),
    )


if __name__ == "__main__":
    main()
