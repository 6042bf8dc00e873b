"""An HTTP proxy before a real S3 server that breaks on purpose, where a rule says so: no real server does on demand."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import ClassVar
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "keep-alive", "date", "server"}


class Request:
    """What a rule looks at: method, path, query, and how often this method and path were asked for before."""

    def __init__(self, method: str, path: str, query: str, before: int) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.before = before


@dataclass(frozen=True)
class Break:
    """What is broken. The request is forwarded unless `status` is given."""

    status: int | None = None
    code: str = ""
    lose_reply: bool = False
    reset: bool = False
    hang: bool = False
    # After so many bytes of the body: the connection ends, or nothing comes any more.
    cut_after: int | None = None
    stall_after: int | None = None
    meanwhile: Callable[[], None] | None = None
    # Before the request goes on to the server; it may take as long as it likes.
    beforehand: Callable[[], object] | None = None
    # When the request has been carried out, and nothing of the answer has been sent.
    carried_out: Callable[[], None] | None = None
    # The real answer's body, made another one of which the headers tell nothing.
    other_body: Callable[[bytes], bytes] | None = None
    # Instead of the range that was asked for.
    whole: bytes | None = None
    # Headers of the real answer that are another's, or left out.
    other_headers: Mapping[str, str | None] = field(default_factory=dict)


Rule = Callable[[Request], Break | None]


class BreakingProxy:
    """Where to reach it, and what was asked of it."""

    def __init__(self, upstream: str, rule: Rule) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.rule = rule
        self.requests: list[Request] = []
        self.broken = 0
        self.endpoint = ""
        self.ended = Event()
        self._lock = Lock()

    def judge(self, method: str, path: str, query: str) -> Break | None:
        """Note a request and return what is to break."""
        with self._lock:
            before = sum(request.method == method and request.path == path for request in self.requests)
            request = Request(method, path, query, before)
            self.requests.append(request)
            broken = self.rule(request)
            self.broken += broken is not None
            return broken


@contextmanager
def breaking_proxy(
    upstream: str,
    rule: Rule = lambda _: None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> Iterator[BreakingProxy]:
    """A proxy on a free port, of loopback unless said otherwise, until the block ends; it breaks what it is told to."""
    proxy = BreakingProxy(upstream, rule)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = ThreadingHTTPServer((host, 0), handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    proxy.endpoint = f"{'https' if tls else 'http'}://{host}:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    proxy: ClassVar[BreakingProxy]
    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, BrokenPipeError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = urlsplit(self.path)
        broken = self.proxy.judge(self.command, asked.path, asked.query) or Break()
        if broken.status:
            self._refuse(broken.status, broken.code)
            return
        if broken.hang:
            self.proxy.ended.wait()
            self._hang_up()
            return
        if broken.beforehand:
            broken.beforehand()
        response, content = self._forward(body)
        if broken.carried_out:
            broken.carried_out()
        if broken.lose_reply or broken.reset:
            self._hang_up(broken.reset)
            return
        if broken.whole is not None:
            response.status, content = 200, broken.whole
            del response.headers["Content-Range"]
        for name, value in broken.other_headers.items():
            del response.headers[name]
            if value is not None:
                response.headers[name] = value
        self._reply(response, broken.other_body(content) if broken.other_body else content, broken)

    def _refuse(self, status: int, code: str) -> None:
        body = f"<Error><Code>{code}</Code><Message>Not now.</Message></Error>".encode() if code else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _forward(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=60)
        try:
            # The Host header is signed: it goes on as it came.
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def _reply(self, response: http.client.HTTPResponse, content: bytes, broken: Break) -> None:
        self.send_response(response.status)
        for name, value in response.getheaders():
            is_hop = name.lower() in _HOP and name not in broken.other_headers
            if not is_hop and name.lower() != "content-length":
                self.send_header(name, value)
        length = response.headers["Content-Length"] if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(content, broken)

    def _send_body(self, content: bytes, broken: Break) -> None:
        sent = broken.cut_after if broken.stall_after is None else broken.stall_after
        self.wfile.write(content[:sent])
        if sent is None:
            return
        self.wfile.flush()
        if broken.meanwhile:
            broken.meanwhile()
        if broken.stall_after is not None:
            self.proxy.ended.wait()
        self._hang_up()

    def _hang_up(self, reset: bool = False) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        else:
            # The client may have gone first.
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815 - the base class calls them so
