"""Files known by what their store reports → the same files known by their bytes, each read once, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha256

from towpath_mover.inventory import Entry
from towpath_mover.pinned import drifted, patiently_pinned
from towpath_mover.progress import Progress
from towpath_mover.stores import Pin, Store
from towpath_mover.transfer import Limits, MiB, Work, run

# Of a large object a few pieces are held at once, with what the client has read ahead.
_COST = 4 * MiB


def by_content(entries: Iterable[Entry], store: Store, prefix: str, progress: Progress) -> Iterator[Entry]:
    """Yield the entries with the SHA-256 of what their objects hold, in no order; a change meanwhile is InputDrift."""
    reader = _Reader(store, prefix, progress)
    return run(entries, Work(lambda entry: min(entry.size, _COST), reader.do), Limits(), progress.report)


class _Reader:
    def __init__(self, store: Store, prefix: str, progress: Progress) -> None:
        self._store = store
        self._prefix = prefix
        self._progress = progress

    def do(self, entry: Entry) -> Entry:
        digest = patiently_pinned(self._store, self._prefix, entry, partial(self._digest, entry))
        self._progress.add(1, entry.size)
        return entry._replace(sha256=digest, etag=None, version=None)

    def _digest(self, entry: Entry) -> str:
        body = self._store.read(self._prefix + entry.path, Pin(entry.etag, entry.version))
        digest, size = sha256(), 0
        for piece in body.pieces():
            digest.update(piece)
            size += len(piece)
        if size != entry.size:
            raise drifted(self._store, self._prefix, entry, f"{size} bytes came")
        return digest.hexdigest()
