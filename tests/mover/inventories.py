"""Builders for tests of inventories: entries that are valid, and inventory objects made of given lines."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from hashlib import sha256

from hypothesis import settings
from hypothesis import strategies as st

from towpath_mover.failures import MoverFailure
from towpath_mover.inventory import Entry, Root
from towpath_mover.paths import check_path

# A shared machine may be slow at any moment: laws have no deadline.
LAW = settings(deadline=None, max_examples=50)

ROOTS = (Root("default", "team/out/data/"), Root("lake", "", "/{a}/x"))
HEADER = (
    '{"format":"towpath-inventory","formatVersion":1,"roots":'
    '[{"datastore":"default","prefix":"team/out/data/"},{"datastore":"lake","prefix":"","partitionFormat":"/{a}/x"}]}'
)


def a_file(path: str = "a.csv", content: bytes = b"a", executable: bool = False) -> Entry:
    """An entry of known bytes."""
    return Entry(path, len(content), sha256(content).hexdigest(), executable=executable)


def a_line(**fields: object) -> dict[str, object]:
    """The fields of a valid line, some of them replaced; None takes one out."""
    line: dict[str, object] = {"path": "a.csv", "size": 1, "sha256": "0" * 64, **fields}
    return {name: value for name, value in line.items() if value is not None}


def zipped(text: bytes) -> bytes:
    """Text as it lies in a store."""
    deflater = zlib.compressobj(wbits=31)
    return deflater.compress(text) + deflater.flush()


def an_object(lines: Iterable[str | bytes], header: str = HEADER) -> bytes:
    """An inventory object of these lines."""
    encoded = (line.encode() if isinstance(line, str) else line for line in [header, *lines])
    return zipped(b"".join(line + b"\n" for line in encoded))


def is_storable(path: str) -> bool:
    """Whether a path may stand in an inventory."""
    try:
        check_path(path)
    except MoverFailure:
        return False
    return True


# Half of them from few letters, so that folders are shared and names stand close together.
PATHS = st.one_of(
    st.text(min_size=1, max_size=20).filter(is_storable),
    st.lists(st.sampled_from(["a", "b", "a-", "ab"]), min_size=1, max_size=4).map("/".join),
)
_DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
_TAGS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
_SIZES = st.integers(0, 2**40)
_ROOTS = st.integers(0, 1)


@st.composite
def an_entry(draw: st.DrawFn) -> Entry:
    """Any valid entry: of known bytes, in a pack or not, or as its store reports it."""
    entry = Entry(draw(PATHS), draw(_SIZES), root=draw(_ROOTS))
    kind = draw(st.sampled_from(["plain", "packed", "reported"]))
    if kind == "reported":
        return entry._replace(etag=draw(_TAGS), version=draw(st.none() | _TAGS))
    entry = entry._replace(sha256=draw(_DIGESTS), executable=draw(st.booleans()))
    return entry._replace(pack=draw(PATHS), offset=draw(_SIZES)) if kind == "packed" else entry


def _fits_on_a_disk(entries: list[Entry]) -> bool:
    folders = {entry.path[:end] for entry in entries for end, sign in enumerate(entry.path) if sign == "/"}
    return not folders & {entry.path for entry in entries}


def _as_they_lie(entries: list[Entry]) -> list[Entry]:
    """The same with packs whose files lie in the order of their paths, each so far behind the one before it."""
    packs = iter(sorted(entry.pack for entry in entries if entry.pack is not None))
    laid: dict[str, Entry] = {}
    ends: dict[tuple[int, str], int] = {}
    for found in sorted(entries, key=lambda entry: entry.path):
        entry = found
        if found.offset is not None:
            pack = next(packs)
            offset = ends.get((found.root, pack), 0) + found.offset
            entry = found._replace(pack=pack, offset=offset)
            ends[found.root, pack] = offset + found.size
        laid[entry.path] = entry
    return [laid[entry.path] for entry in entries]


ENTRIES = (
    st.lists(an_entry(), max_size=6, unique_by=lambda entry: entry.path)
    .filter(_fits_on_a_disk)
    .map(_as_they_lie)
)
