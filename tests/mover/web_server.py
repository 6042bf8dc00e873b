"""A real web server on loopback: with ranges or without, with TLS or without, and with the faults of servers."""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mmap import mmap
from typing import Any

OLD = formatdate(1_700_000_000, usegmt=True)


@dataclass
class Page:
    """What lies at one path, and how it is served."""

    content: bytes | mmap = b""
    etag: str | None = "hash"
    modified: str | None = OLD
    ranges: bool = True
    chunked: bool = False
    # How many bytes of a body are sent before the connection is cut, answer by answer; then none is cut.
    cuts: list[int] = field(default_factory=list)
    # Answered before anything else, one after another.
    statuses: list[int] = field(default_factory=list)
    location: str | None = None
    lengthless: bool = False
    # Seconds between two bytes of a body.
    pause: float = 0
    # What takes the place of the content at the first cut.
    replacement: bytes | None = None

    def tag(self) -> str | None:
        """The ETag; "hash" stands for one that follows the content."""
        return f'"{sha256(self.content).hexdigest()[:16]}"' if self.etag == "hash" else self.etag


class WebServer(ThreadingHTTPServer):
    """Serves pages by path, and remembers what it was asked and how it answered."""

    daemon_threads = True

    def __init__(self, host: str, pages: Mapping[str, Page], tls: ssl.SSLContext | None) -> None:
        super().__init__((host, 0), _Handler)
        self.pages = dict(pages)
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answered: list[int] = []
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def url(self, path: str) -> str:
        """The URL of a page."""
        return f"{self.scheme}://{self.server_address[0]!s}:{self.server_port}{path}"

    def handle_error(self, *_: Any) -> None:
        """Broken connections are what is tested."""


@contextmanager
def web_server(
    pages: Mapping[str, Page] | None = None, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[WebServer]:
    """A running server."""
    with WebServer(host, pages or {}, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        page = self.server.pages.get(path)
        status = self._status(page)
        self.server.answered.append(status)
        if page is None or status not in (200, 206):
            self.send_response(status)
            if page and page.location:
                self.send_header("Location", page.location)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self._body(page, status)

    def _status(self, page: Page | None) -> int:
        if page is None:
            return 404
        if page.statuses:
            return page.statuses.pop(0)
        if page.location:
            return 302
        known, since = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        if (known and known == page.tag()) or (not known and since and since == page.modified):
            return 304
        condition = self.headers.get("If-Range")
        # A weak ETag is never the same here.
        is_same = condition is None or (condition in (page.tag(), page.modified) and condition[:2] != "W/")
        return 206 if page.ranges and self._start() and is_same else 200

    def _start(self) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def _body(self, page: Page, status: int) -> None:
        size, start = len(page.content), self._start() if status == 206 else 0
        content = memoryview(page.content)[start:]
        self.send_response(status)
        if tag := page.tag():
            self.send_header("ETag", tag)
        if page.modified:
            self.send_header("Last-Modified", page.modified)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if page.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif not page.lengthless:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        cut = page.cuts.pop(0) if page.cuts else None
        if page.pause:
            self._trickle(content, page.pause)
        else:
            self._send(content if cut is None else content[:cut], page.chunked, cut is not None)
        if cut is not None:
            page.content = page.content if page.replacement is None else page.replacement
        self.close_connection = True

    def _send(self, content: memoryview, chunked: bool, is_cut: bool) -> None:
        if not chunked:
            self.wfile.write(content)
            return
        for start in range(0, len(content), 100_000):
            piece = content[start : start + 100_000]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), bytes(piece)))
        if not is_cut:
            self.wfile.write(b"0\r\n\r\n")

    def _trickle(self, content: memoryview, pause: float) -> None:
        for place in range(len(content)):
            self.wfile.write(content[place : place + 1])
            time.sleep(pause)

    def log_message(self, *_: object) -> None:
        return
