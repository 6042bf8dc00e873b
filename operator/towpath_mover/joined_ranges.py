"""Entries in the order of their paths → what one request each brings: neighbours in a pack joined, others as they are.

Who wants all files of a pack gets it in a few ranges, who wants a sample the parts around its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from towpath_mover.inventory import Entry
from towpath_mover.transfer import WHOLE, MiB

# As much as Towpath writes into a pack; others may be larger.
MOST_JOINED = 32 * MiB
# At 50 MB/s these bytes take 5 ms, less than another request would.
GAP = MiB // 4
# With their names some 10 MiB.
MOST_GATHERED = 20_000


class JoinedRange:
    """Files of one pack, each behind the one before it."""

    def __init__(self, first: Entry) -> None:
        self.entries = [first]

    @property
    def root(self) -> int:
        """Number of the root in which the pack lies."""
        return self.entries[0].root

    @property
    def start(self) -> int:
        """Place of the first byte in the pack."""
        return self.entries[0].offset or 0

    @property
    def end(self) -> int:
        """Place behind the last byte."""
        return _end(self.entries[-1])

    def takes(self, entry: Entry) -> bool:
        """Return whether a file is near enough behind the last one."""
        is_here = (entry.root, entry.pack) == (self.root, self.entries[0].pack)
        gap = (entry.offset or 0) - self.end
        return is_here and 0 <= gap <= GAP and _end(entry) - self.start <= MOST_JOINED


def joined(entries: Iterable[Entry]) -> Iterator[Entry | JoinedRange]:
    """Yield every entry once: by itself, or among its neighbours in their pack."""
    # Several at once: what shards wrote has packs of its own in each root, in turns.
    gathered: dict[int, JoinedRange] = {}
    count = 0
    for entry in entries:
        if entry.pack is None or entry.size > WHOLE:
            yield entry
            continue
        near = gathered.get(entry.root)
        if near is not None and near.takes(entry):
            near.entries.append(entry)
        else:
            gathered[entry.root] = JoinedRange(entry)
            if near is not None:
                count -= len(near.entries)
                yield near
        count += 1
        if count == MOST_GATHERED:
            yield from gathered.values()
            gathered, count = {}, 0
    yield from gathered.values()


def _end(entry: Entry) -> int:
    return (entry.offset or 0) + entry.size
