"""One transfer of ours as a process, with its inventory, as movers do it.

`up FOLDER PREFIX`, `up-packed FOLDER PREFIX`, `down PREFIX FOLDER`, or `list PREFIX`: the inventory of what lies there.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "operator"), str(REPOSITORY / "sdk")]

from towpath_mover.download import download  # noqa: E402 - a script finds the repository first
from towpath_mover.inventory import Root  # noqa: E402
from towpath_mover.inventory_writer import WrittenInventory, write_inventory  # noqa: E402
from towpath_mover.objects import (  # noqa: E402
    open_inventory,
    read_object,
    write_object,
)
from towpath_mover.order import SourceOrder  # noqa: E402
from towpath_mover.outputs import FoundFile, FoundOutput, by_path  # noqa: E402
from towpath_mover.pack_upload import PACKING, Prefixes, upload_packed  # noqa: E402
from towpath_mover.pinned import Source  # noqa: E402
from towpath_mover.progress import Progress  # noqa: E402
from towpath_mover.sources import open_source  # noqa: E402
from towpath_mover.store_s3 import ACCESS_KEY, SECRET_KEY  # noqa: E402
from towpath_mover.stores import Datastore, Kind, Places, Store, open_store  # noqa: E402
from towpath_mover.transfer import Limits  # noqa: E402
from towpath_mover.upload import LocalFile, upload  # noqa: E402

LIMITS = Limits(in_flight=int(os.environ.get("IN_FLIGHT", "64")))


def main() -> None:
    direction, first, second = (*sys.argv[1:4], "")[:3]
    with tempfile.TemporaryDirectory() as folder:
        if direction == "list":
            _list(bench_store(Path(folder)), first, Path(folder))
        elif direction == "up":
            _up(bench_store(Path(folder)), Path(first), second, Path(folder))
        elif direction == "up-packed":
            _up_packed(bench_store(Path(folder)), Path(first), second, Path(folder))
        else:
            _down(bench_store(Path(folder)), first, Path(second))
    if "--memory" in sys.argv:
        print(peak_memory())


def peak_memory() -> int:
    """Return the most bytes this process held; what wait4 says of it includes its parent before the exec."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")
    )
    return int(line.split()[1]) * 1024


def _up(store: Store, source: Path, prefix: str, folder: Path) -> None:
    found = FoundOutput("output", source, str(source))
    entries = upload(_files(found, found.files()), store, f"{prefix}data/", Progress("up"), LIMITS)
    _write(store, prefix, write_inventory(folder / "inventory", [Root("bench", f"{prefix}data/")], entries))


def _up_packed(store: Store, source: Path, prefix: str, folder: Path) -> None:
    prefixes = Prefixes(f"{prefix}data/", f"{prefix}packs/")
    found = FoundOutput("output", source, str(source))
    files = _files(found, by_path(found.files(), folder))
    entries = upload_packed(files, store, prefixes, Progress("up"), PACKING)
    roots = [Root("bench", place) for place in prefixes]
    _write(store, prefix, write_inventory(folder / "inventory", roots, entries))


def _write(store: Store, prefix: str, written: WrittenInventory) -> None:
    write_object(store, f"{prefix}inventory.jsonl.gz", written.file)
    write_object(store, f"{prefix}digest", written.summary.digest.encode())


def _down(store: Store, prefix: str, target: Path) -> None:
    digest = read_object(store, f"{prefix}digest").decode()
    inventory = open_inventory(store, f"{prefix}inventory.jsonl.gz", digest)
    sources = [Source(store, root.prefix) for root in inventory.roots]
    download(inventory.entries(), sources, target, Progress("down"), LIMITS)


def _list(store: Store, prefix: str, folder: Path) -> None:
    source = open_source(SourceOrder(path=prefix, datastore="bench"), 0, store, "bench")
    write_inventory(folder / "inventory", [source.root], source.entries)


def _files(output: FoundOutput, files: Iterable[FoundFile]) -> Iterator[LocalFile]:
    for file in files:
        yield LocalFile(*file, partial(output.open_file, file.path))


def bench_store(folder: Path) -> Store:
    """Return the store that the environment names; `folder` is for its keys."""
    secret = folder / "bench"
    secret.mkdir()
    for key in (ACCESS_KEY, SECRET_KEY):
        (secret / key).write_text(os.environ[key])
    location = {"bucket": "towpath-tests", "endpoint": os.environ["S3_ENDPOINT_URL"]}
    datastore = Datastore("bench", Kind.S3, location, credentials_secret="bench")
    return open_store(datastore, Places(credentials=folder))


if __name__ == "__main__":
    main()
