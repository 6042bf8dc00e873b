"""The open multipart uploads of a bucket of Google Cloud Storage, by its XML API, with the client's own authorization.

The client makes no such requests. Asked to list at an address of this process, it says how it would be let in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, fromstring

import obstore
from urllib3.exceptions import HTTPError

from towpath_mover.classify import STORE_ERRORS, failure
from towpath_mover.connections import connections, words_of
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.object_store import ObjectStore, Route
from towpath_mover.open_uploads import OpenUpload
from towpath_mover.retry import patiently
from towpath_mover.s3_signature import query_of
from towpath_mover.store_gcs import route_of
from towpath_mover.stores import Places
from towpath_mover.upload_listing import following_of, question, uploads_in

_NOTHING = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"


def open_uploads(store: ObjectStore, places: Places, prefix: str) -> Iterator[OpenUpload]:
    """Yield the open uploads of keys below a prefix."""
    requests, own = _Requests(store, places), store.datastore.prefix
    following: dict[str, str] = {}
    while True:
        asked = question(own + prefix, following)
        root = patiently(store, partial(requests.document, asked, prefix))
        yield from uploads_in(root, own + prefix, own, requests.abort)
        following = following_of(root)
        if not following:
            return


class _Requests:
    def __init__(self, store: ObjectStore, places: Places) -> None:
        route = route_of(store.datastore, places, store.patience)
        self._store = store
        self._address = f"{route.address.rstrip('/')}/{store.datastore.location['bucket']}"
        self._pool = connections(store.datastore, places, store.patience)
        authorization = _authorization(store, route)
        self._headers = {"Authorization": authorization} if authorization else {}

    def document(self, query: dict[str, str], about: str) -> Element:
        """Return what the bucket answers."""
        content = self._ask("GET", f"{self._address}?{query_of(query)}", (200,), about)
        try:
            return fromstring(content)  # noqa: S314 - expat bounds what entities grow to
        except ParseError as error:
            message = f"Could not read the open uploads of {self._store.where()}: they are not XML ({error})."
            raise MoverFailure(Reason.STORE_UNAVAILABLE, message) from error

    def abort(self, key: str, upload: str) -> None:
        """Abort an upload, by its whole key; one that is not there is no failure."""
        url = f"{self._address}/{quote(key, safe='/', errors='surrogateescape')}?{query_of({'uploadId': upload})}"
        about = key.removeprefix(self._store.datastore.prefix)
        patiently(self._store, lambda: self._ask("DELETE", url, (204, 404), about))

    def _ask(self, method: str, url: str, wanted: tuple[int, ...], about: str) -> bytes:
        doing = "list" if method == "GET" else "abort the upload of"
        try:
            answer = self._pool.request(method, url, headers=self._headers, redirect=False)
        except HTTPError as error:
            raise failure(Exception(words_of(error)), self._store, doing, about) from error
        if answer.status not in wanted:
            words = f"status code: {answer.status} {answer.data[:4096].decode(errors='replace')}"
            raise failure(Exception(words), self._store, doing, about)
        return answer.data


def _authorization(store: ObjectStore, route: Route) -> str:
    """Return what the client would be let in by; empty where it is nobody."""
    with HTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            client = route.client_at(f"http://127.0.0.1:{server.server_port}", None)
            next(iter(obstore.list(client, chunk_size=1)), None)
        except STORE_ERRORS as error:
            raise failure(error, store, "list") from error
        finally:
            server.shutdown()
        return str(getattr(server, "authorization", ""))


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.authorization = self.headers.get("Authorization", "")  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(_NOTHING)))
        self.end_headers()
        self.wfile.write(_NOTHING)

    def log_message(self, *_: object) -> None:
        """Say nothing: what is asked here holds a token."""
