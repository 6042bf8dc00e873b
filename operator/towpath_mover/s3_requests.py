"""Requests of S3's API that obstore does not make, signed as the datastore's identity: listings, and open uploads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError, fromstring

import urllib3
from urllib3.exceptions import HTTPError

from towpath_mover.classify import failure
from towpath_mover.connections import connections, words_of
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.object_store import ObjectStore
from towpath_mover.s3_signature import query_of, signed_headers
from towpath_mover.store_s3 import Bucket, Credentials, bucket_of, read_credentials
from towpath_mover.stores import Places


class S3Requests:
    """Asks one bucket. `about` is the key that failures speak of, below the datastore's prefix."""

    def __init__(self, store: ObjectStore, places: Places) -> None:
        self.store = store
        self._places = places
        self._bucket = bucket_of(store.datastore)
        self._pool = connections(store.datastore, places, store.patience)
        self._ambient: Callable[[], Credentials] | None = None

    def document(self, query: Mapping[str, str], about: str) -> Element:
        """Return what the bucket answers to a question, as XML."""
        answer = self._answer("GET", f"{_address(self._bucket)}?{query_of(query)}", about)
        self._check(answer, 200, "list", about)
        try:
            return fromstring(answer.data)  # noqa: S314 - expat bounds what entities grow to
        except ParseError as error:
            # Cut, or a key in it holds what XML cannot: of a store that does not encode keys, as it was asked to.
            raise self.refused(f"it is not XML ({error})", Reason.STORE_UNAVAILABLE) from error

    def delete(self, key: str, query: Mapping[str, str]) -> None:
        """Delete a subresource of an object, whose whole key this is; one that is not there is no failure."""
        about = key.removeprefix(self.store.datastore.prefix)
        path = quote(key, safe="/", errors="surrogateescape")
        url = f"{_address(self._bucket).rstrip('/')}/{path}?{query_of(query)}"
        answer = self._answer("DELETE", url, about)
        if answer.status != 404:
            self._check(answer, 204, "abort the upload of", about)

    def refused(self, why: str, reason: Reason = Reason.STORE_REFUSED) -> MoverFailure:
        """Return the failure for an answer that is none."""
        message = f"Could not read the listing of {self.store.where()} as {self.store.identity}: {why}."
        return MoverFailure(reason, f"{message} See whether the endpoint is an S3 store.")

    def _check(self, answer: urllib3.BaseHTTPResponse, status: int, doing: str, about: str) -> None:
        if answer.status != status:
            text = answer.data[:4096].decode(errors="replace")
            words = f"status code: {answer.status} {text}"
            raise failure(Exception(words), self.store, doing, about)

    def _answer(self, method: str, url: str, about: str) -> urllib3.BaseHTTPResponse:
        now, region = datetime.now(UTC), self._bucket.region
        try:
            headers = signed_headers(url, region, self._credentials(), now, method)
            return self._pool.request(method, url, headers=headers, redirect=False)
        except HTTPError as error:
            raise failure(Exception(words_of(error)), self.store, "list", about) from error

    def _credentials(self) -> Credentials:
        # Read anew for each page: what is mounted may be rotated while a listing lasts.
        given = read_credentials(self.store.datastore, self._places)
        if given is not None:
            return given
        if self._ambient is None:
            from towpath_mover import administration  # noqa: PLC0415 - slow to load

            self._ambient = administration.ambient(self.store)
        return self._ambient()


def _address(bucket: Bucket) -> str:
    if bucket.endpoint:
        return f"{bucket.endpoint.rstrip('/')}/{bucket.name}"
    # As in store_s3: AWS wants the bucket in the host's name, where that is no trouble for certificates.
    host = f"s3.{bucket.region}.amazonaws.com"
    return f"https://{host}/{bucket.name}" if "." in bucket.name else f"https://{bucket.name}.{host}/"
