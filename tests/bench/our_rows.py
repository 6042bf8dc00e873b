"""A view of rows of one CSV file as a process, as `stage-in` makes it: FOLDER KEY SIZE CHAIN; prints counts, memory."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.our_transfer import bench_store, peak_memory
from towpath.flow.transform_documents import read_chain
from towpath_mover.download import new_folder
from towpath_mover.inventory import Entry
from towpath_mover.landing import Landing
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
        view = RowView(
            read_chain(json.loads(chain)),
            lambda: [entry],
            lambda entries: read_files(entries, [Source(store, "")], Progress("rows")),
            lambda: open_format({"csv": {}}),
        )
        started = time.perf_counter()
        with new_folder(Path(target)) as place:
            delivered = view.deliver(Landing(place, None), keep_empty=True)
        seconds = time.perf_counter() - started
    print(json.dumps({**delivered._asdict(), "seconds": round(seconds, 2), "memory": peak_memory()}))


if __name__ == "__main__":
    main()
