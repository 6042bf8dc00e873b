"""HTTP requests → what `ServedStore` does, and its failures as answers that a laptop can tell apart."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from towpath_mover import transfer_protocol as protocol
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.served_door import Door
from towpath_mover.served_store import ServedStore
from towpath_mover.stores import ObjectState, Span
from towpath_mover.upload_parts import Count, Whole

_HEARTBEAT_SECONDS = 2.0
_CONNECTION_SECONDS = 300
_STATUS = {
    Exit.REFUSED: 403,
    Exit.CREDENTIALS_REFUSED: 403,
    Exit.DATA_CHANGED: 409,
    Exit.TRY_AGAIN: 503,
}


class Server(ThreadingHTTPServer):
    """Listens on loopback; each connection has a thread."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], door: Door) -> None:
        super().__init__(address, _Request)
        self.door = door


class _Request(BaseHTTPRequestHandler):
    """The requests of one connection, one after another."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _CONNECTION_SECONDS
    # Headers and body go out together, or each answer waits for the acknowledgement of the one before it.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Read."""
        self._answer(
            {
                protocol.HELLO: lambda: self._json({"protocol": 1}),
                protocol.FILES: self._files,
                protocol.OBJECT: lambda: self._json(_state(self._store.state(self._query["path"]))),
                protocol.BLOCKS: self._block,
                protocol.PARTS: self._list_parts,
                protocol.DIGEST: self._digest,
            }
        )

    def do_PUT(self) -> None:
        """Write a block."""
        self._answer({protocol.OBJECT: self._write, protocol.PARTS: self._put_part})

    def do_POST(self) -> None:
        """Join parts."""
        self._answer({protocol.JOIN: self._join})

    def do_DELETE(self) -> None:
        """Delete."""
        self._answer({protocol.OBJECT: self._delete})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
        """Be silent: a line for each block says nothing to anybody."""

    @property
    def _store(self) -> ServedStore:
        return self.server.door.store

    def _answer(self, routes: Mapping[str, Callable[[], None]]) -> None:
        url = urlsplit(self.path)
        self._query = dict(parse_qsl(url.query, keep_blank_values=True, errors="strict"))
        if not self.server.door.opens_to(self.headers.get("Authorization", "")):
            self._refuse(401, {"reason": "WrongToken", "message": "The token does not open this pod."})
            return
        route = routes.get(url.path)
        if route is None:
            self._refuse(404, {"reason": "UnknownRequest", "message": f"There is no {url.path} here."})
            return
        with self.server.door:
            try:
                route()
            except MoverFailure as failed:
                status = 404 if failed.reason is Reason.OBJECT_NOT_FOUND else _STATUS.get(failed.exit, 403)
                self._refuse(status, _failure(failed))
            except (KeyError, ValueError) as error:
                self._refuse(400, {"reason": "BadRequest", "message": f"{type(error).__name__}: {error}"})
            except OSError:
                # The laptop has gone: nobody is there to be answered.
                raise
            except BaseException as bug:
                # Also a panic of the store's client, which is no Exception.
                self._refuse(500, _bug(bug))

    def _files(self) -> None:
        found = self._store.files(self._query["prefix"])
        # The first is asked for before the answer begins: what is refused then is a refusal still.
        first = next(found, None)
        listed = iter(()) if first is None else _chain(first, found)
        self._lines({"path": one.key, "size": one.size, "etag": one.etag} for one in listed)

    def _block(self) -> None:
        span = Span(int(self._query["start"]), int(self._query["end"]))
        content = self._store.block(self._query["path"], self._query.get("etag"), span)
        self._send(200, content, {protocol.SHA256_HEADER: protocol.digest_of(content)})

    def _write(self) -> None:
        content = self._body()
        self._json(_state(self._store.write(self._query["path"], content, self._digest_sent())))

    def _list_parts(self) -> None:
        self._json({"parts": self._store.parts(self._query["upload"], self._query["path"])})

    def _put_part(self) -> None:
        number, content = int(self._query["number"]), self._body()
        self._store.put_part(self._query["upload"], number, content, self._digest_sent())
        self._json({})

    def _join(self) -> None:
        asked = json.loads(self._body())
        whole = Whole(
            str(asked["path"]),
            str(asked["upload"]),
            list(asked["parts"]),
            asked["sha256"],
            int(asked["size"]),
        )
        self._lines(_long(lambda count: _state(self._store.join(whole, count))))

    def _digest(self) -> None:
        path = self._query["path"]
        self._lines(_long(lambda count: {"sha256": self._store.digest(path, count)}))

    def _delete(self) -> None:
        self._store.delete(self._query["path"])
        self._json({})

    def _digest_sent(self) -> str:
        return self.headers.get(protocol.SHA256_HEADER, "")

    def _body(self) -> bytes:
        size = int(self.headers["Content-Length"])
        if not 0 <= size <= protocol.BLOCK:
            # What is not read would be taken for the next request.
            self.close_connection = True
            raise ValueError(f"a body has {protocol.BLOCK} bytes at most")
        return self.rfile.read(size)

    def _lines(self, documents: Iterator[Mapping[str, Any]]) -> None:
        """An answer of JSON lines as they come; what fails in the middle is its last line, and so is its end."""
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        count = 0
        try:
            for count, document in enumerate(documents, start=1):
                self._chunk(document, flush=count % 256 == 0 or "bytes" in document)
            self._chunk({"end": count})
        except MoverFailure as failed:
            self._chunk({"failed": _failure(failed)})
        except OSError:
            raise
        except BaseException as bug:
            self._chunk({"failed": _bug(bug)})
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, document: Mapping[str, Any], flush: bool = False) -> None:
        line = json.dumps(document).encode() + b"\n"
        self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
        if flush:
            self.wfile.flush()

    def _json(self, document: Mapping[str, Any]) -> None:
        self._send(200, json.dumps(document).encode(), {})

    def _refuse(self, status: int, document: Mapping[str, Any]) -> None:
        if self.command in ("PUT", "POST"):
            # Perhaps its body was not read, and would be taken for the next request.
            self.close_connection = True
        self._send(status, json.dumps(document).encode(), {})

    def _send(self, status: int, content: bytes | memoryview, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _long(action: Callable[[Count], Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Lines that say how far something is, so that nobody on the way takes it for dead; the last is what it gave."""
    given: list[Any] = []
    so_far = [0]
    ended = Event()

    def act() -> None:
        try:
            given.append(action(lambda size: so_far.__setitem__(0, size)))
        except BaseException as error:
            given.append(error)
        ended.set()

    Thread(target=act, daemon=True).start()
    while not ended.wait(_HEARTBEAT_SECONDS):
        yield {"bytes": so_far[0]}
    if isinstance(given[0], BaseException):
        raise given[0]
    yield given[0]


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _state(state: ObjectState) -> dict[str, Any]:
    return {"size": state.size, "etag": state.etag}


def _bug(error: BaseException) -> dict[str, Any]:
    traceback.print_exception(error)
    said = f"{type(error).__name__}: {error}"
    return {"reason": "Bug", "message": f"{said}. This is a bug of Towpath; the pod's log has the traceback."}


def _failure(failed: MoverFailure) -> dict[str, Any]:
    return {"reason": str(failed.reason), "message": failed.message}
