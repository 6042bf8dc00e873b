"""One transfer of ours as a process, with its inventory, as movers do it.

`up FOLDER PREFIX`, `up-packed FOLDER PREFIX`, `down PREFIX FOLDER`, `list PREFIX`: the inventory of what lies there,
`split PREFIX FOLDER`: half of the files, `unpack TYPE KEY PREFIX`: an archive's files as objects, `rows KEY FOLDER`:
half of the rows of a file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "operator"), str(REPOSITORY / "sdk")]

from towpath_mover.download import download  # noqa: E402 - a script finds the repository first
from towpath_mover.inventory import Root  # noqa: E402
from towpath_mover.inventory_order import ArchiveOrder, SourceOrder  # noqa: E402
from towpath_mover.inventory_writer import WrittenInventory, write_inventory  # noqa: E402
from towpath_mover.objects import (  # noqa: E402
    open_inventory,
    read_object,
    write_object,
)
from towpath_mover.order import InputOrder, InventoryRef  # noqa: E402
from towpath_mover.outputs import FoundFile, FoundOutput, by_path  # noqa: E402
from towpath_mover.pack_upload import PACKING, Prefixes, upload_packed  # noqa: E402
from towpath_mover.pinned import Source  # noqa: E402
from towpath_mover.pod_paths import PodPaths  # noqa: E402
from towpath_mover.progress import Progress  # noqa: E402
from towpath_mover.sources import open_source  # noqa: E402
from towpath_mover.store_s3 import ACCESS_KEY, SECRET_KEY  # noqa: E402
from towpath_mover.stores import Datastore, Kind, Places, Store, open_store  # noqa: E402
from towpath_mover.transfer import Limits  # noqa: E402
from towpath_mover.upload import LocalFile, upload  # noqa: E402

LIMITS = Limits(in_flight=int(os.environ.get("IN_FLIGHT", "64")))
HALF = ({"split": {"parts": [{"name": "one", "percent": 50}, {"name": "other"}], "part": "one", "seed": 42}},)


def main() -> None:
    verb, *words = (word for word in sys.argv[1:] if not word.startswith("--"))
    verbs: dict[str, Callable[..., None]] = {
        "up": _up,
        "up-packed": _up_packed,
        "down": _down,
        "list": _list,
        "split": _split,
        "unpack": _unpack,
        "rows": _rows,
    }
    with tempfile.TemporaryDirectory() as folder:
        verbs[verb](bench_store(Path(folder)), Path(folder), *words)
    if "--memory" in sys.argv:
        print(peak_memory())


def peak_memory() -> int:
    """Return the most bytes this process held; what wait4 says of it includes its parent before the exec."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")
    )
    return int(line.split()[1]) * 1024


def _up(store: Store, folder: Path, source: str, prefix: str) -> None:
    found = FoundOutput("output", Path(source), source)
    entries = upload(_files(found, found.files()), store, f"{prefix}data/", Progress("up"), LIMITS)
    _write(store, prefix, write_inventory(folder / "inventory", [Root("bench", f"{prefix}data/")], entries))


def _up_packed(store: Store, folder: Path, source: str, prefix: str) -> None:
    prefixes = Prefixes(f"{prefix}data/", f"{prefix}packs/")
    found = FoundOutput("output", Path(source), source)
    files = _files(found, by_path(found.files(), folder))
    entries = upload_packed(files, store, prefixes, Progress("up"), PACKING)
    roots = [Root("bench", place) for place in prefixes]
    _write(store, prefix, write_inventory(folder / "inventory", roots, entries))


def _write(store: Store, prefix: str, written: WrittenInventory) -> None:
    write_object(store, f"{prefix}inventory.jsonl.gz", written.file)
    write_object(store, f"{prefix}digest", written.summary.digest.encode())


def _down(store: Store, folder: Path, prefix: str, target: str) -> None:
    del folder
    inventory = open_inventory(store, *_inventory(store, prefix)[1:])
    sources = [Source(store, root.prefix) for root in inventory.roots]
    download(inventory.entries(), sources, Path(target), Progress("down"), LIMITS)


def _list(store: Store, folder: Path, prefix: str) -> None:
    source = open_source(SourceOrder(path=prefix, datastore="bench"), 0, store, "bench")
    write_inventory(folder / "inventory", [source.root], source.entries)


def _split(store: Store, folder: Path, prefix: str, target: str) -> None:
    from towpath_mover.view import open_view  # noqa: PLC0415 - as `stage-in` does

    with open_view(store, _inventory(store, prefix), HALF, folder / "copy") as view:
        summary = view.summary()
        sources = [Source(store, root.prefix) for root in view.roots]
        progress = Progress("split", summary.files, summary.bytes)
        download(view.entries(), sources, Path(target), progress, LIMITS)


def _unpack(store: Store, folder: Path, kind: str, key: str, prefix: str) -> None:
    from towpath_mover.copied_sources import CopyPlace, open_archive  # noqa: PLC0415 - as in `_split`

    place = CopyPlace(store, prefix.rstrip("/"), PodPaths(scratch=folder))
    order = SourceOrder(path=key, datastore="bench", archive=ArchiveOrder(kind), copied_as="bench")
    source = open_archive(order, 0, place, store)
    write_inventory(folder / "inventory", [source.root], source.entries)


def _rows(store: Store, folder: Path, key: str, target: str) -> None:
    from towpath_mover.staged_rows import stage_rows  # noqa: PLC0415 - as in `_split`
    from towpath_mover.view import open_view  # noqa: PLC0415

    source = open_source(SourceOrder(path=key, datastore="bench"), 0, store, "bench")
    written = write_inventory(folder / "inventory", [source.root], source.entries)
    write_object(store, "rows.inventory", written.file)
    inventory = InventoryRef("bench", "rows.inventory", written.summary.digest)
    given = InputOrder("rows", target, inventory, key, allow_empty=False, origin={}, transforms=HALF)
    with open_view(store, inventory, HALF, folder / "copy") as view:
        stage_rows(given, {"csv": {}}, view, [Source(store, source.root.prefix)], Path(target))


def _inventory(store: Store, prefix: str) -> InventoryRef:
    digest = read_object(store, f"{prefix}digest").decode()
    return InventoryRef("bench", f"{prefix}inventory.jsonl.gz", digest)


def _files(output: FoundOutput, files: Iterable[FoundFile]) -> Iterator[LocalFile]:
    for file in files:
        yield LocalFile(*file, partial(output.open_file, file.path))


def bench_store(folder: Path, environ: Mapping[str, str] = os.environ) -> Store:
    """Return the store that the environment names; `folder` is for its keys."""
    secret = folder / "bench"
    secret.mkdir()
    for key in (ACCESS_KEY, SECRET_KEY):
        (secret / key).write_text(environ[key])
    location = {"bucket": "towpath-tests", "endpoint": environ["S3_ENDPOINT_URL"]}
    datastore = Datastore("bench", Kind.S3, location, credentials_secret="bench")
    return open_store(datastore, Places(credentials=folder))


if __name__ == "__main__":
    main()
