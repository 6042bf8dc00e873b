"""A stand-in for Google Cloud Storage: the part of its XML API that movers speak, as Google's documentation has it.

fake-gcs-server, the usual one, takes what is written by the JSON API only, which obstore does not speak: it is read in
`test_fake_gcs.py`, and cannot hold the contract. As Google this one asks for a token: one that the key of the service
account has signed, or the one that the metadata service gave. What Google itself would say to anything else is proven
nowhere here.
"""

from __future__ import annotations

import base64
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15

METADATA_TOKEN = "a-token-of-the-metadata-service"
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
PAGE = 3


class Stored(NamedTuple):
    """An object; each write gives it another generation."""

    content: bytes
    generation: int

    @property
    def etag(self) -> str:
        return md5(self.content, usedforsecurity=False).hexdigest()


class GcsServer(ThreadingHTTPServer):
    """Holds one bucket's objects by key. It is the metadata service too, which a cloud has at an address of its own."""

    daemon_threads = True

    def __init__(
        self, bucket: str, public_key: RSA.RsaKey | None, tls: ssl.SSLContext | None, host: str
    ) -> None:
        super().__init__((host, 0), _Handler)
        self.bucket = bucket
        self.public_key = public_key
        self.objects: dict[str, Stored] = {}
        # Servers that imitate Google's read whatever `If-Match` says.
        self.minds_conditions = True
        self.uploads: dict[str, dict[int, bytes]] = {}
        # Of which key each upload is.
        self.begun: dict[str, str] = {}
        self.numbers = count(1)
        self.endpoint = f"{'https' if tls else 'http'}://{host}:{self.server_port}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def put(self, key: str, content: bytes) -> Stored:
        self.objects[key] = Stored(content, next(self.numbers))
        return self.objects[key]

    def is_accepted(self, authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        return token == METADATA_TOKEN or (self.public_key is not None and _is_signed(token, self.public_key))

    def handle_error(self, *_: object) -> None:
        """A client that goes away, or does not trust the certificate, is what is tested."""


def _is_signed(token: str, key: RSA.RsaKey) -> bool:
    signed, _, signature = token.rpartition(".")
    try:
        pkcs1_15.new(key).verify(SHA256.new(signed.encode()), base64.urlsafe_b64decode(signature + "=="))
    except ValueError:
        return False
    return True


@contextmanager
def gcs_server(
    bucket: str,
    public_key: RSA.RsaKey | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> Iterator[GcsServer]:
    """A running server with an empty bucket."""
    with GcsServer(bucket, public_key, tls, host) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: GcsServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _any(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        bucket, _, key = url.path.lstrip("/").partition("/")
        self.key, self.query = unquote(key), parse_qs(url.query, keep_blank_values=True)
        if url.path == TOKEN_PATH:
            self._answer(200, f'{{"access_token": "{METADATA_TOKEN}", "expires_in": 3600}}'.encode())
        elif not self.server.is_accepted(self.headers.get("Authorization", "")):
            self._refuse(401, "AuthenticationRequired", "Authentication required.")
        elif unquote(bucket) != self.server.bucket:
            self._refuse(404, "NoSuchBucket", "The specified bucket does not exist.")
        elif not self.key:
            self._list_uploads() if "uploads" in self.query else self._list()
        else:
            getattr(self, f"_{self.command.lower()}")()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _any  # noqa: N815

    def _get(self) -> None:
        found, wanted = self.server.objects.get(self.key), self.headers.get("If-Match")
        if found is None:
            self._refuse(404, "NoSuchKey", "The specified key does not exist.")
        elif wanted and wanted.strip('"') != found.etag and self.server.minds_conditions:
            self._refuse(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        elif span := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last = int(span[1]), min(int(span[2]), len(found.content) - 1)
            place = {"Content-Range": f"bytes {first}-{last}/{len(found.content)}"}
            self._answer(206, found.content[first : last + 1], _headers(found) | place)
        else:
            self._answer(200, found.content, _headers(found))

    _head = _get

    def _put(self) -> None:
        if "uploadId" in self.query:
            self.server.uploads[self.query["uploadId"][0]][int(self.query["partNumber"][0])] = self.body
            self._answer(200, b"", {"ETag": '"part"'})
        elif self.headers.get("x-goog-if-generation-match") == "0" and self.key in self.server.objects:
            self._refuse(412, "PreconditionFailed", "At least one of the pre-conditions did not hold.")
        else:
            self._answer(200, b"", _headers(self.server.put(self.key, self.body)))

    def _post(self) -> None:
        if "uploads" in self.query:
            upload = f"upload-{next(self.server.numbers)}"
            self.server.uploads[upload] = {}
            self.server.begun[upload] = self.key
            said = f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>"
            self._answer(200, said.encode())
        else:
            parts = self.server.uploads.pop(self.query["uploadId"][0])
            wanted = [int(number) for number in re.findall(rb"<PartNumber>(\d+)<", self.body)]
            stored = self.server.put(self.key, b"".join(parts[number] for number in wanted))
            said = f"<ETag>&quot;{stored.etag}&quot;</ETag>"
            said = f"<CompleteMultipartUploadResult>{said}</CompleteMultipartUploadResult>"
            self._answer(200, said.encode(), _headers(stored))

    def _delete(self) -> None:
        if "uploadId" in self.query:
            self.server.uploads.pop(self.query["uploadId"][0], None)
            self._answer(204, b"")
        elif self.server.objects.pop(self.key, None) is None:
            self._refuse(404, "NoSuchKey", "The specified key does not exist.")
        else:
            self._answer(204, b"")

    def _list_uploads(self) -> None:
        # Google's documentation: "Uploads are ordered by key", of which this one has a page of one.
        after = (self.query.get("key-marker", [""])[0], self.query.get("upload-id-marker", [""])[0])
        named = ((key, name) for name, key in self.server.begun.items() if name in self.server.uploads)
        prefix = self.query.get("prefix", [""])[0]
        left = sorted(one for one in named if one[0].startswith(prefix) and one > after)
        entries = "".join(
            f"<Upload><Key>{quote(key)}</Key><UploadId>{name}</UploadId>"
            "<Initiated>2026-11-23T00:00:00.000Z</Initiated></Upload>"
            for key, name in left[:1]
        )
        head = f"<EncodingType>url</EncodingType><IsTruncated>{str(len(left) > 1).lower()}</IsTruncated>"
        for key, name in left[:1]:
            head += (
                f"<NextKeyMarker>{quote(key)}</NextKeyMarker><NextUploadIdMarker>{name}</NextUploadIdMarker>"
            )
        said = f"<ListMultipartUploadsResult>{head}{entries}</ListMultipartUploadsResult>"
        self._answer(200, said.encode())

    def _list(self) -> None:
        prefix, delimiter, after = (
            self.query.get(name, [""])[0] for name in ("prefix", "delimiter", "continuation-token")
        )
        level = sorted(
            {_cut(key, prefix, delimiter) for key in self.server.objects if key.startswith(prefix)}
        )
        left = [name for name in level if name > after]
        page, is_cut = left[:PAGE], len(left) > PAGE
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if is_cut else ""
        entries = "".join(self._entry(name, bool(delimiter) and name.endswith(delimiter)) for name in page)
        head = f"<Name>{self.server.bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
        head += f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>"
        self._answer(200, f"<ListBucketResult>{head}{more}{entries}</ListBucketResult>".encode())

    def _entry(self, name: str, is_folder: bool) -> str:
        if is_folder:
            return f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>"
        stored = self.server.objects[name]
        return (
            f"<Contents><Key>{escape(name)}</Key><LastModified>2026-11-23T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{stored.etag}&quot;</ETag><Size>{len(stored.content)}</Size></Contents>"
        )

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode())

    def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        return


def _headers(stored: Stored) -> dict[str, str]:
    return {
        "ETag": f'"{stored.etag}"',
        "x-goog-generation": str(stored.generation),
        "Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT",
    }


def _cut(key: str, prefix: str, delimiter: str) -> str:
    below = key[len(prefix) :]
    return prefix + below.partition(delimiter)[0] + delimiter if delimiter and delimiter in below else key
