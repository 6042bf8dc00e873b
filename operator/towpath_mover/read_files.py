"""Pinned files one after another, each as pieces of its bytes: fetched ahead, in bounded memory, every byte verified.

A file's digest is known when its last piece has been taken: nothing that was made of it may be seen before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from towpath_mover import memory
from towpath_mover.ahead import in_order
from towpath_mover.inventory import Entry
from towpath_mover.pinned import OTHER_DIGEST, Source, drifted, patiently_pinned, read_span, read_whole
from towpath_mover.progress import Progress
from towpath_mover.stores import Span
from towpath_mover.transfer import MiB, Work

_RANGE = 4 * MiB
_PIECE = MiB


class _Part(NamedTuple):
    entry: Entry
    span: Span | None
    is_last: bool


def read_files(
    entries: Iterable[Entry], sources: Sequence[Source], progress: Progress
) -> Iterator[tuple[Entry, Iterator[memoryview]]]:
    """Yield each file with its pieces, which are taken before the next file; InputDrift for other bytes."""
    memory.keep_little()

    def fetch(part: _Part) -> memoryview:
        source = sources[part.entry.root]
        return patiently_pinned(source.store, source.prefix, part.entry, lambda: _fetch(source, part))

    parts = in_order(_parts(entries), Work(_cost, fetch))
    for part, content in parts:
        yield part.entry, _pieces(part, content, parts, sources[part.entry.root], progress)


def _parts(entries: Iterable[Entry]) -> Iterator[_Part]:
    for entry in entries:
        if entry.size <= _RANGE:
            yield _Part(entry, None, is_last=True)
            continue
        for start in range(0, entry.size, _RANGE):
            end = min(start + _RANGE, entry.size)
            yield _Part(entry, Span(start, end), end == entry.size)


def _cost(part: _Part) -> int:
    return part.entry.size if part.span is None else part.span.end - part.span.start


def _fetch(source: Source, part: _Part) -> memoryview:
    return read_whole(source, part.entry) if part.span is None else read_span(source, part.entry, part.span)


def _pieces(
    part: _Part,
    content: memoryview,
    parts: Iterator[tuple[_Part, memoryview]],
    source: Source,
    progress: Progress,
) -> Iterator[memoryview]:
    digest = sha256()
    entry = part.entry
    while True:
        if entry.sha256 is not None and part.span is not None:
            digest.update(content)
        for start in range(0, len(content), _PIECE):
            yield content[start : start + _PIECE]
        progress.add(int(part.is_last), len(content))
        progress.report()
        if part.is_last:
            break
        part, content = next(parts)
    # What came in one piece was verified when it came.
    if part.span is not None and entry.sha256 not in (None, digest.hexdigest()):
        raise drifted(source.store, source.prefix, entry, OTHER_DIGEST)
