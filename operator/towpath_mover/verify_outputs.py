"""`verify-outputs`: outputs of earlier steps → which of them are still there, byte count by byte count.

An output is there if its inventory is the one that was recorded, and the store lists each object that it names with the
size (and the ETag, where it is known by that) that it names. No file is read: who stages it in checks every byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import blake2b

from towpath.flow import store_keys
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.objects import open_inventory
from towpath_mover.open_stores import OpenStores
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.report import Report
from towpath_mover.verify_order import OutputToVerify, verify_order

_AT_ONCE = 8
# What must be found is held in memory, some 100 bytes per file: large outputs come one after another.
_SMALL = 10_000
_WORDS = 300
_GONE = frozenset(
    {
        Reason.OBJECT_NOT_FOUND,
        Reason.INPUT_DRIFT,
        Reason.INVENTORY_INVALID,
        Reason.INVENTORY_TRUNCATED,
        Reason.INVENTORY_UNSORTED,
    }
)


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Look at each output, and report the marks of those that are there and of those that are gone."""
    paths, order = pod_paths(environ), verify_order(environ)
    stores = OpenStores(order.datastores, paths.places)
    for name in order.datastores:
        stores.store(name)
    look = partial(_why_gone, stores, paths)
    small = [output for output in order.outputs if output.files <= _SMALL]
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        found = dict(zip(small, workers.map(look, small), strict=True))
    found |= {output: look(output) for output in order.outputs if output not in found}
    gone = {output: why for output, why in found.items() if why is not None}
    return {
        "there": ",".join(_mark(output) for output in order.outputs if output not in gone),
        "gone": ",".join(map(_mark, gone)),
        "why": next(iter(gone.values()), "")[:_WORDS],
    }


def _mark(output: OutputToVerify) -> str:
    return store_keys.inventory_mark(*output.inventory)


def _why_gone(stores: OpenStores, paths: PodPaths, output: OutputToVerify) -> str | None:
    inventory = output.inventory
    try:
        reader = open_inventory(
            stores.store(inventory.datastore), inventory.path, inventory.digest, paths.scratch
        )
        wanted = _wanted(reader.entries(), reader.roots)
    except MoverFailure as failed:
        if failed.reason in _GONE:
            return failed.message
        raise
    missing = wanted.difference(_listed(stores, reader.roots))
    if not missing:
        return None
    where = stores.store(inventory.datastore).where(inventory.path)
    return f"{len(missing)} of the {len(wanted)} objects that {where} names are gone, or have another size."


def _wanted(entries: Iterator[Entry], roots: Sequence[Root]) -> set[int]:
    """A number for each object that must be there; a pack counts once, and ends where its last file does."""
    wanted = set()
    ends: dict[tuple[int, str], int] = {}
    for entry in entries:
        if entry.pack is None:
            key = roots[entry.root].prefix + entry.path
            wanted.add(_number(entry.root, key, entry.size, entry.etag))
        else:
            ends[entry.root, entry.pack] = (entry.offset or 0) + entry.size
    packs = (_number(root, roots[root].prefix + pack, end, None) for (root, pack), end in ends.items())
    return wanted.union(packs)


def _listed(stores: OpenStores, roots: Sequence[Root]) -> Iterator[int]:
    for number, root in enumerate(roots):
        for found in stores.store(root.datastore).list_objects(root.prefix):
            if found.unfit is None:
                yield _number(number, found.key, found.size, None)
                yield _number(number, found.key, found.size, found.etag)


def _number(root: int, key: str, size: int, etag: str | None) -> int:
    words = f"{root}\n{key}\n{size}\n{etag}".encode(errors="surrogatepass")
    return int.from_bytes(blake2b(words, digest_size=8).digest())
