"""An S3 server that says what a test wants to hear: hostile keys, refusals of single verbs, wrong regions."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from urllib.parse import parse_qs, quote, unquote, urlsplit

Objects = dict[str, bytes]
_XMLNS = "http://s3.amazonaws.com/doc/2006-03-01/"


class Answering(ThreadingHTTPServer):
    """Holds the objects; verbs in `refused` are answered with that status and that code of S3.

    `headers` and `details` go with each refusal, and in its words ECHO:NAME is that header of the request, or its path.
    What is put under a key of `overwritten` is replaced at once, as by another client of a store without conditions.
    """

    daemon_threads = True

    def __init__(
        self, keys: Sequence[str], refused: Mapping[str, tuple[int, str, str]], tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.objects: Objects = {key: b"" if key.endswith("/") else b"x" for key in keys}
        self.refused = dict(refused)
        self.asked: list[dict[str, str]] = []
        self.overwritten: Objects = {}
        self.headers: dict[str, str] = {}
        self.details = ""

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"


@contextmanager
def answering(
    keys: Sequence[str] = (),
    refused: Mapping[str, tuple[int, str, str]] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Answering]:
    """A running server; a verb is PUT, GET, DELETE or LIST, or CREATE: a PUT on condition that there is nothing."""
    with Answering(keys, refused or {}, tls) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: Answering
    protocol_version = "HTTP/1.1"

    def parse_request(self) -> bool:
        is_understood = super().parse_request()
        if is_understood:
            self.server.asked.append({name.lower(): value for name, value in self.headers.items()})
        return is_understood

    def do_GET(self) -> None:
        if self._key():
            self._object()
        elif not self._is_refused("LIST"):
            [prefix] = parse_qs(urlsplit(self.path).query, errors="surrogateescape").get("prefix", [""])
            self._answer(200, _listing(self.server.objects, prefix))

    def do_HEAD(self) -> None:
        if self._key() or not self._is_refused("LIST"):
            self._object()

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        is_create = self.headers["If-None-Match"] is not None
        if not (is_create and self._is_refused("CREATE")) and not self._is_refused("PUT"):
            self.server.objects[self._key()] = self.server.overwritten.get(self._key(), content)
            self._answer(200, b"")

    def do_DELETE(self) -> None:
        if not self._is_refused("DELETE"):
            self.server.objects.pop(self._key(), None)
            self._answer(204, b"")

    def do_POST(self) -> None:
        """DeleteObjects: as in AWS, a refusal of a key stands inside an answer that is 200."""
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "<Key>" not in asked and self._is_refused("DELETE"):
            return
        [key] = re.findall(r"<Key>(.*?)</Key>", asked)
        told = f"<Deleted><Key>{key}</Key></Deleted>"
        if "DELETE" in self.server.refused:
            _, code, message = self.server.refused["DELETE"]
            told = f"<Error><Key>{key}</Key><Code>{code}</Code><Message>{message}</Message></Error>"
        else:
            self.server.objects.pop(key, None)
        self._answer(200, f'<DeleteResult xmlns="{_XMLNS}">{told}</DeleteResult>'.encode())

    def _object(self) -> None:
        if self._is_refused("GET"):
            return
        content = self.server.objects.get(self._key())
        if content is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")
        else:
            self._answer(200, content)

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path, errors="surrogateescape").lstrip("/").partition("/")[2]

    def _is_refused(self, verb: str) -> bool:
        if verb not in self.server.refused:
            return False
        status, code, message = self.server.refused[verb]
        message = re.sub("ECHO:([a-z-]+)", lambda echo: self.headers.get(echo[1], self.path), message)
        told = f"<Error><Code>{code}</Code><Message>{message}</Message>{self.server.details}</Error>"
        self._answer(status, told.encode(), self.server.headers)
        return True

    def _answer(self, status: int, content: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", '"e"')
        self.send_header("Last-Modified", "Mon, 23 Nov 2026 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


def _listing(objects: Objects, prefix: str) -> bytes:
    entries = "".join(
        f"<Contents><Key>{quote(key, errors='surrogateescape')}</Key><Size>{len(content)}</Size>"
        "<LastModified>2026-11-23T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag></Contents>"
        for key, content in objects.items()
        if key.startswith(prefix)
    )
    head = "<Name>b</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>"
    head += "<EncodingType>url</EncodingType>"
    return f'<ListBucketResult xmlns="{_XMLNS}">{head}{entries}</ListBucketResult>'.encode()
