"""Files known by what their store reports → the same files known by their bytes, each read once, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256

from towpath_mover.inventory import Entry
from towpath_mover.progress import Progress
from towpath_mover.store_ranges import StoreRanges
from towpath_mover.stores import Store
from towpath_mover.transfer import WHOLE, Limits, Work, run


def by_content(entries: Iterable[Entry], store: Store, prefix: str, progress: Progress) -> Iterator[Entry]:
    """Yield the entries with the SHA-256 of what their objects hold, in no order; a change meanwhile is InputDrift."""
    reader = _Reader(store, prefix, progress)
    return run(entries, Work(lambda entry: min(entry.size, WHOLE), reader.do), Limits(), progress.report)


class _Reader:
    def __init__(self, store: Store, prefix: str, progress: Progress) -> None:
        self._store = store
        self._prefix = prefix
        self._progress = progress

    def do(self, entry: Entry) -> Entry:
        digest = sha256()
        # Range by range: after a cut only one of them is read again.
        for piece in StoreRanges(self._store, entry, self._prefix).pieces():
            digest.update(piece)
            self._progress.add(0, len(piece))
        self._progress.add(1, 0)
        return entry._replace(sha256=digest.hexdigest(), etag=None, version=None)
