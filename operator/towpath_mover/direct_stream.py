"""A span of a large object over plain HTTP → its bytes in one buffer, for which Python is woken once a piece.

The client of `object_store` copies each byte twice more on its way. It stays the judge: an answer that is not exactly
what was asked for is not taken, what is cut is read on by the client, which tries again and has the words for it.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import NamedTuple
from urllib.parse import quote, urlsplit
from weakref import finalize

from towpath_mover.object_store import ObjectStore, bare_etag, known_version
from towpath_mover.s3_signature import query_of, signed_headers
from towpath_mover.store_s3 import Bucket, Credentials
from towpath_mover.stores import ObjectState, Pin, Span, Stream

_PIECE = 1 << 20


class Line:
    """A connection, and where its bytes go: nobody else's at the same time."""

    def __init__(self, connection: HTTPConnection) -> None:
        self.connection = connection
        # The connection lets it go when it hears that this answer is the last, which is still to be received.
        self._socket = connection.sock
        self.buffer = memoryview(bytearray(_PIECE))
        # Not by __del__: of what a failure's traceback holds, the collector may end the socket first, which complains.
        finalize(self, connection.close)

    def receive(self, size: int, begun: bytes = b"") -> memoryview:
        """Return the next bytes, which have begun to come: a full piece but where it ends, or the connection does."""
        room, count = self.buffer[:size], len(begun)
        room[:count] = begun
        if count < len(room):
            count += self._socket.recv_into(room[count:], 0, socket.MSG_WAITALL)
        return room[:count]


class Route:
    """Where is asked, and as whom; `idle` are the lines that nobody uses now."""

    def __init__(self, bucket: Bucket, credentials: Credentials) -> None:
        self.bucket = bucket
        self.credentials = credentials
        self.idle: list[Line] = []
        # A server whose answers have another form has it each time: it is not asked twice for every range.
        self.is_of_use = True

    def stream(self, store: ObjectStore, key: str, pin: Pin, span: Span) -> Stream:
        """Begin to read a span."""
        asked = Question(key, pin, span)
        return _begun(store, self, asked) if self.is_of_use else store.read(*asked)


class Question(NamedTuple):
    """What is asked for."""

    key: str
    pin: Pin
    span: Span


class _Answer(NamedTuple):
    line: Line
    response: HTTPResponse
    state: ObjectState


def _begun(store: ObjectStore, route: Route, asked: Question) -> Stream:
    line = None
    try:
        line = _free_line(store, route)
        return _DirectStream(store, route, asked, _ask(line, store, route, asked))
    except (OSError, HTTPException, ValueError):
        if line is not None:
            line.connection.close()
        return store.read(*asked)


def _free_line(store: ObjectStore, route: Route) -> Line:
    try:
        return route.idle.pop()
    except IndexError:
        return _connected(store, route)


def _connected(store: ObjectStore, route: Route) -> Line:
    patience = store.patience
    place = urlsplit(route.bucket.endpoint or "").netloc
    connection = HTTPConnection(place, timeout=patience.connect_timeout)
    connection.connect()
    # By the kernel's clock: with Python's, each call returns as soon as anything has come.
    connection.sock.settimeout(None)
    seconds, rest = divmod(patience.read_timeout, 1)
    limit = struct.pack("ll", int(seconds), int(rest * 1_000_000))
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    return Line(connection)


def _ask(line: Line, store: ObjectStore, route: Route, asked: Question) -> _Answer:
    """Return the answer whose body is exactly what was asked for; ValueError for any other."""
    (start, end), pin = asked.span, asked.pin
    bucket = route.bucket
    key = quote(f"{store.datastore.prefix}{asked.key}", errors="surrogateescape")
    query = f"?{query_of({'versionId': pin.version})}" if pin.version else ""
    url = f"{bucket.endpoint}/{bucket.name}/{key}{query}"
    headers = signed_headers(url, bucket.region, route.credentials, datetime.now(UTC))
    headers["range"] = f"bytes={start}-{end - 1}"
    if pin.etag is not None:
        headers["if-match"] = f'"{pin.etag}"'
    line.connection.request("GET", f"{urlsplit(url).path}{query}", headers=headers)
    response = line.connection.getresponse()
    if response.status != 206:
        raise ValueError(f"another answer: {response.status}")
    state = _state(response, asked.span)
    route.is_of_use = response.length == end - start and state.etag is not None
    if not route.is_of_use:
        raise ValueError("an answer of another form")
    return _Answer(line, response, state)


def _state(response: HTTPResponse, span: Span) -> ObjectState:
    headers = response.headers
    place, _, size = headers.get("Content-Range", "").partition("/")
    if place != f"bytes {span.start}-{span.end - 1}":
        raise ValueError(f"another range: {place}")
    version = known_version(headers.get("x-amz-version-id"))
    return ObjectState(int(size), bare_etag(headers.get("ETag")), version)


class _DirectStream:
    """An answer whose body is still to be received."""

    def __init__(self, store: ObjectStore, route: Route, asked: Question, answer: _Answer) -> None:
        self.state = answer.state
        self._store = store
        self._route = route
        self._asked = asked
        self._answer = answer

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes in order."""
        start, end = self._asked.span
        for piece in self._received(end - start):
            start += len(piece)
            yield piece
        if start < end:
            # Of the same state, or the client says that there is another one.
            pin = Pin(self.state.etag, self.state.version)
            yield from self._store.read(self._asked.key, pin, Span(start, end)).pieces()

    def _received(self, left: int) -> Iterator[memoryview]:
        """Yield what comes, which is not all if the connection breaks."""
        line, response, _ = self._answer
        try:
            # Some of it came with the headers.
            piece = line.receive(left, response.read1(min(left, _PIECE)))
            while piece:
                left -= len(piece)
                yield piece
                piece = line.receive(left)
        except (OSError, HTTPException):
            return
        finally:
            response.close()
            if left or response.will_close:
                line.connection.close()
            else:
                self._route.idle.append(line)
