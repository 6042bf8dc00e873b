"""A store's listing by obstore's client, with the keys that the client refuses: at such a key its whole listing ends.

The client asks a translator on loopback, which asks the store the same, with the client's own authorization, and writes
each key of the answer as one harmless word. So data and listings have one way to be somebody, whatever that is.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

import obstore
import urllib3

from towpath_mover.classify import STORE_ERRORS, failure
from towpath_mover.connections import connections
from towpath_mover.object_store import ObjectStore, Route, bare_etag, unsafe_key
from towpath_mover.stores import ListedObject

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore as Client

_PAGE = 1000
# As S3 and Google Cloud Storage call them, and Azure, which encodes what XML cannot hold.
_NAME = re.compile(rb'<(Key|Prefix|Name)( Encoded="true")?>([^<]*)</')
# What belongs to one connection only.
_NOT_FORWARDED = {"host", "connection", "accept-encoding"}
_ERRORS = "surrogateescape"
_REFERENCE = re.compile(rb"&(?:#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}


def list_objects(store: ObjectStore, route: Route, prefix: str, recursive: bool) -> Iterator[ListedObject]:
    """Yield every object below a prefix, which is empty or ends in `/`."""
    # The store's own refusals have better words than those that pass through the translator.
    store.try_list()
    own = store.datastore.prefix
    pool = connections(store.datastore, route.places, store.patience)
    with _translator(route.address, pool) as loopback:
        try:
            for found in _listed(route.client_at(loopback, None), own + prefix, recursive):
                yield found._replace(key=found.key[len(own) :])
        except STORE_ERRORS as error:
            raise failure(error, store, "list", prefix) from error
        except ValueError as error:
            raise unsafe_key(error, store, prefix) from error


def _listed(client: Client, prefix: str, recursive: bool) -> Iterator[ListedObject]:
    if recursive:
        for page in obstore.list(client, prefix or None, chunk_size=_PAGE):
            for meta in page:
                yield _object(meta)
    else:
        level = obstore.list_with_delimiter(client, prefix or None)
        for folder in level["common_prefixes"]:
            yield ListedObject(key_of(folder), 0, None)
        for meta in level["objects"]:
            yield _object(meta)


def _object(meta: ObjectMeta) -> ListedObject:
    modified = meta["last_modified"].timestamp()
    return ListedObject(key_of(meta["path"]), meta["size"], bare_etag(meta["e_tag"]), modified=modified)


@contextmanager
def _translator(address: str, pool: urllib3.PoolManager) -> Iterator[str]:
    """Run a translator for the server at this address, and yield the translator's own address."""
    with _Translator(address, pool) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{urlsplit(address).path.rstrip('/')}"
        finally:
            server.shutdown()


class _Translator(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: str, pool: urllib3.PoolManager) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(address)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.pool = pool


class _Handler(BaseHTTPRequestHandler):
    server: _Translator
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_FORWARDED}
        try:
            # Who asks tries again.
            answer = self.server.pool.request(
                "GET", self.server.origin + self.path, headers=headers, retries=False
            )
        except urllib3.exceptions.HTTPError:
            self._answer(502, b"")
        else:
            self._answer(answer.status, with_words(answer.data) if answer.status == 200 else answer.data)

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing: URLs may hold what nobody should read."""


def with_words(answer: bytes) -> bytes:
    """Return a store's answer with each key in it as one word, from which `key_of` makes the key again."""
    return _NAME.sub(_as_word, answer)


def _as_word(found: re.Match[bytes]) -> bytes:
    element, is_encoded, text = found.groups()
    key = _REFERENCE.sub(_referenced, text)
    word = (unquote_to_bytes(key) if is_encoded else key).hex().encode()
    return b"<%s>%s</" % (element, word)


# The library's own function leaves characters out that no HTML can hold, and so makes two keys one.
def _referenced(found: re.Match[bytes]) -> bytes:
    decimal, hexadecimal, name = found.groups()
    if name:
        return _NAMED[name]
    number = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(number).encode("utf-8", "surrogatepass") if number <= sys.maxunicode else found[0]


def key_of(word: str) -> str:
    """Return the key; bytes that are no text stay what they are, to be refused by name."""
    return bytes.fromhex(word).decode("utf-8", _ERRORS)
