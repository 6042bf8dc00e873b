"""Reading an object as it was pinned, or saying that it is another one now: never silently other bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from typing import NamedTuple, TypeVar

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.paths import shown
from towpath_mover.retry import patiently, pause
from towpath_mover.stores import Body, ObjectState, Pin, Span, Store, Stream

OTHER_DIGEST = "its bytes have another SHA-256"
PACK_ENDS = "its pack ends before it does"
_OTHER_PACK = "its pack is shorter now, or another one"

Result = TypeVar("Result")


class OtherBytesError(Exception):
    """A read brought something else than what was pinned; the text says what."""


class Source(NamedTuple):
    """Where the files of one root lie: an open store, and the root's key prefix below the datastore's own."""

    store: Store
    prefix: str


def patiently_pinned(store: Store, prefix: str, entry: Entry, action: Callable[[], Result]) -> Result:
    """Do a read patiently; an object that is gone or replaced meanwhile is InputDrift.

    The client tells a replacement in mid-body like any broken connection; the next try then sees the other object.
    """
    try:
        return patiently(store, partial(_twice, action))
    except OtherBytesError as other:
        raise drifted(store, prefix, entry, str(other)) from None
    except MoverFailure as failed:
        if failed.reason is Reason.OBJECT_NOT_FOUND:
            raise drifted(store, prefix, entry, "it is gone") from failed
        if failed.reason is Reason.INPUT_DRIFT and entry.pack is not None:
            # What the store says of a range behind the pack's end, or of another pack in mid-read, names no file.
            raise drifted(store, prefix, entry, _OTHER_PACK) from failed
        raise


def _twice(action: Callable[[], Result]) -> Result:
    # An answer may be wrong once: short, with a wrong length, or from a cache. A changed object stays changed.
    with suppress(OtherBytesError):
        return action()
    pause(1)
    return action()


def stream_pinned(source: Source, entry: Entry, span: Span) -> Stream:
    """Begin to read a span of an entry's object piece by piece; OtherBytesError if its size or ETag is another."""
    key = source.prefix + (entry.pack or entry.path)
    stream = source.store.stream(key, Pin(entry.etag, entry.version), span)
    _check_state(entry, stream.state)
    return stream


def read_pinned(source: Source, entry: Entry, span: Span | None) -> Body:
    """Begin to read an entry's object, or a span of it, at once; OtherBytesError if its size or ETag is another."""
    key = source.prefix + (entry.pack or entry.path)
    body = source.store.read(key, Pin(entry.etag, entry.version), span)
    _check_state(entry, body.state)
    return body


def _check_state(entry: Entry, state: ObjectState) -> None:
    # Before a byte is read: what has grown must not fill the memory.
    if entry.pack is None and state.size != entry.size:
        raise OtherBytesError(f"it has {state.size} bytes now")
    # Not every server minds the condition that came with the question.
    if entry.etag is not None and state.etag not in (None, entry.etag):
        raise OtherBytesError(f"its ETag is {state.etag} now")


def read_whole(source: Source, entry: Entry) -> memoryview:
    """Return an entry's bytes; OtherBytesError for any others."""
    if entry.pack is not None and entry.size == 0:
        return memoryview(b"")
    content = read_span(source, entry, Span(0, entry.size) if entry.pack is not None else None)
    check_digest(entry, content)
    return content


def check_digest(entry: Entry, content: memoryview) -> None:
    """Raise OtherBytesError for bytes that are not the entry's, where it knows them."""
    if entry.sha256 is not None and sha256(content).hexdigest() != entry.sha256:
        raise OtherBytesError(OTHER_DIGEST)


def read_span(source: Source, entry: Entry, span: Span | None) -> memoryview:
    """Return a span of an entry's bytes, or all of them; in a pack it is counted from the entry's first byte."""
    offset = entry.offset or 0
    placed = None if span is None else Span(offset + span.start, offset + span.end)
    content = read_pinned(source, entry, placed).whole()
    expected = entry.size if span is None else span.end - span.start
    if len(content) != expected:
        raise OtherBytesError(f"{len(content)} bytes came")
    return content


def drifted(store: Store, prefix: str, entry: Entry, why: str) -> MoverFailure:
    """Return InputDrift that names the object and what differs from the inventory."""
    pinned = f"sha256 {entry.sha256}" if entry.sha256 else f"ETag {entry.etag}"
    file = f"the file {shown(entry.path)} in " if entry.pack else ""
    message = (
        f"{file}{store.where(prefix + (entry.pack or entry.path))} is not what was pinned ({entry.size} bytes, "
        f"{pinned}): {why}. Restore the object, or take a new version of the data and run again."
    )
    return MoverFailure(Reason.INPUT_DRIFT, message[0].upper() + message[1:])
