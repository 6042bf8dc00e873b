"""The beginnings of files as they were listed: more is read only where more is asked for, never of other objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from towpath_mover.ahead import in_order
from towpath_mover.inventory import Entry
from towpath_mover.pinned import Source, patiently_pinned, read_span, read_whole
from towpath_mover.stores import Span
from towpath_mover.transfer import MiB, Work

HEAD = 64 << 10
_LARGEST = MiB


def read_heads(
    entries: Iterable[Entry], sources: Sequence[Source]
) -> Iterator[tuple[Entry, Iterator[memoryview]]]:
    """Yield each file with its pieces, of which the first was fetched ahead; InputDrift for a changed object."""
    heads = in_order(entries, Work(lambda _: HEAD, lambda entry: _read(entry, sources, 0, HEAD)))
    for entry, head in heads:
        yield entry, _pieces(entry, head, sources)


def _pieces(entry: Entry, head: memoryview, sources: Sequence[Source]) -> Iterator[memoryview]:
    yield head
    at, size = len(head), HEAD
    while at < entry.size:
        size = min(2 * size, _LARGEST)
        piece = _read(entry, sources, at, size)
        at += len(piece)
        yield piece


def _read(entry: Entry, sources: Sequence[Source], start: int, size: int) -> memoryview:
    source = sources[entry.root]
    end = min(start + size, entry.size)

    def read() -> memoryview:
        whole = not start and end == entry.size
        return read_whole(source, entry) if whole else read_span(source, entry, Span(start, end))

    return patiently_pinned(source.store, source.prefix, entry, read)
