"""Every object of a bucket below a prefix, whatever its key: obstore ends a whole listing at a key that it refuses.

Pages of ListObjectsV2, the next one asked for while the last is looked at. A page that cannot be read is asked for
again; a listing that is not whole is a failure, never a shorter inventory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from threading import Thread
from typing import NamedTuple
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element, ParseError, fromstring

import urllib3
from urllib3.exceptions import HTTPError

from towpath_mover.classify import failure
from towpath_mover.connections import connections, words_of
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.object_store import ObjectStore, bare_etag, known_version
from towpath_mover.retry import patiently
from towpath_mover.s3_signature import query_of, signed_headers
from towpath_mover.store_s3 import Bucket, Credentials, bucket_of, read_credentials
from towpath_mover.stores import ListedObject, Places

# What of a page asks for the next one, by what it is called in the question.
_MARKERS = {
    "NextContinuationToken": "continuation-token",
    "NextKeyMarker": "key-marker",
    "NextVersionIdMarker": "version-id-marker",
}
_PLAIN, _VERSIONS = "ListBucketResult", "ListVersionsResult"


class Page(NamedTuple):
    """Objects with their whole keys, and the parameters that ask for the page after this one; None: it is the last."""

    found: list[ListedObject]
    following: dict[str, str] | None


def list_objects(
    store: ObjectStore, places: Places, prefix: str, *, recursive: bool = True
) -> Iterator[ListedObject]:
    """Yield every object whose key begins with `prefix`, in the store's order; not recursive: one level only."""
    own = store.datastore.prefix
    lister = _Lister(store, places, {"encoding-type": "url", "prefix": own + prefix})
    for page in _ahead(
        lister.all_pages() if recursive else lister.pages({"list-type": "2", "delimiter": "/"})
    ):
        for found in page.found:
            yield found._replace(key=found.key[len(own) :]) if own else found


def _ahead(pages: Iterator[Page]) -> Iterator[Page]:
    waiting = _Next(pages)
    while (page := waiting.result()) is not None:
        waiting = _Next(pages)
        yield page


class _Next(Thread):
    """Fetches the next page, and is waited for only by who wants it.

    Not an executor's thread: an abandoned listing is cleaned up at any moment, and must wait for nobody then.
    """

    def __init__(self, pages: Iterator[Page]) -> None:
        super().__init__(name="listing", daemon=True)
        self._pages = pages
        self._page: Page | None = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._page = next(self._pages, None)
        except BaseException as error:
            self._error = error

    def result(self) -> Page | None:
        """Return the page, None after the last one, or raise what hindered it."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._page


class _Lister:
    def __init__(self, store: ObjectStore, places: Places, asked: dict[str, str]) -> None:
        self._store = store
        self._places = places
        self._asked = asked
        self._bucket = bucket_of(store.datastore)
        self._pool = connections(store.datastore, places, store.patience)
        self._ambient: Callable[[], Credentials] | None = None

    def all_pages(self) -> Iterator[Page]:
        """Yield the pages of the whole tree, with version ids where the bucket keeps versions and says so."""
        try:
            keeps_versions = patiently(self._store, self._keeps_versions)
        except MoverFailure as failed:
            # Not everybody may ask, and not every store knows the question.
            if failed.exit is Exit.TRY_AGAIN:
                raise
            keeps_versions = False
        return self.pages({"versions": ""} if keeps_versions else {"list-type": "2"})

    def pages(self, kind: dict[str, str]) -> Iterator[Page]:
        """Yield the pages of one kind of listing."""
        following: dict[str, str] = {}
        while True:
            page = patiently(self._store, partial(self._page, self._asked | kind | following))
            yield page
            if page.following is None:
                return
            if page.following == following:
                raise self._refused("it gives the same page again and again")
            following = page.following

    def _keeps_versions(self) -> bool:
        # Also a bucket that does not any more has versions of what it kept.
        root = self._document({"versioning": ""})
        return any(found.tag.endswith("Status") and found.text in ("Enabled", "Suspended") for found in root)

    def _page(self, asked: dict[str, str]) -> Page:
        root = self._document(asked)
        namespace, _, name = root.tag.rpartition("}")
        if name not in (_PLAIN, _VERSIONS):
            raise self._refused(f"it is {name!r}, not a listing")
        return self._read(root, f"{namespace}}}" if namespace else "")

    def _document(self, asked: dict[str, str]) -> Element:
        answer = self._answer(f"{_address(self._bucket)}?{query_of(asked)}")
        if answer.status != 200:
            text = answer.data[:4096].decode(errors="replace")
            raise self._failure(f"status code: {answer.status} {text}")
        try:
            return fromstring(answer.data)  # noqa: S314 - expat bounds what entities grow to
        except ParseError as error:
            # Cut, or a key in it holds what XML cannot: of a store that does not encode keys, as it was asked to.
            raise self._refused(f"it is not XML ({error})", Reason.STORE_UNAVAILABLE) from error

    def _answer(self, url: str) -> urllib3.BaseHTTPResponse:
        try:
            headers = signed_headers(url, self._bucket.region, self._credentials(), datetime.now(UTC))
            return self._pool.request("GET", url, headers=headers, redirect=False)
        except HTTPError as error:
            raise self._failure(words_of(error)) from error

    def _credentials(self) -> Credentials:
        # Read anew for each page: what is mounted may be rotated while a listing lasts.
        given = read_credentials(self._store.datastore, self._places)
        if given is not None:
            return given
        if self._ambient is None:
            from towpath_mover import administration  # noqa: PLC0415 - slow to load

            self._ambient = administration.ambient(self._store)
        return self._ambient()

    def _read(self, root: Element, namespace: str) -> Page:
        is_encoded = root.findtext(f"{namespace}EncodingType") == "url"
        found = [
            ListedObject(
                _key(entry.findtext(f"{namespace}Key"), is_encoded),
                int(entry.findtext(f"{namespace}Size") or 0),
                bare_etag(entry.findtext(f"{namespace}ETag")),
                version=known_version(entry.findtext(f"{namespace}VersionId")),
                modified=_moment(entry.findtext(f"{namespace}LastModified")),
            )
            for entry in chain(root.iterfind(f"{namespace}Contents"), _latest(root, namespace))
        ]
        found += (
            ListedObject(_key(folder.findtext(f"{namespace}Prefix"), is_encoded), 0, None)
            for folder in root.iterfind(f"{namespace}CommonPrefixes")
        )
        if root.findtext(f"{namespace}IsTruncated") != "true":
            return Page(found, None)
        following = {
            parameter: _key(text, is_encoded and element == "NextKeyMarker")
            for element, parameter in _MARKERS.items()
            if (text := root.findtext(f"{namespace}{element}"))
        }
        if not following:
            raise self._refused("it has another page and does not say how to ask for it")
        return Page(found, following)

    def _failure(self, words: str) -> MoverFailure:
        return failure(
            Exception(words), self._store, "list", self._asked["prefix"][len(self._store.datastore.prefix) :]
        )

    def _refused(self, why: str, reason: Reason = Reason.STORE_REFUSED) -> MoverFailure:
        message = f"Could not read the listing of {self._store.where()} as {self._store.identity}: {why}."
        return MoverFailure(reason, f"{message} See whether the endpoint is an S3 store.")


def _address(bucket: Bucket) -> str:
    if bucket.endpoint:
        return f"{bucket.endpoint.rstrip('/')}/{bucket.name}"
    # As in store_s3: AWS wants the bucket in the host's name, where that is no trouble for certificates.
    host = f"s3.{bucket.region}.amazonaws.com"
    return f"https://{host}/{bucket.name}" if "." in bucket.name else f"https://{bucket.name}.{host}/"


def _latest(root: Element, namespace: str) -> Iterator[Element]:
    return (
        entry
        for entry in root.iterfind(f"{namespace}Version")
        if entry.findtext(f"{namespace}IsLatest") == "true"
    )


def _moment(text: str | None) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except ValueError:
        return None


def _key(text: str | None, is_encoded: bool) -> str:
    if not text:
        return ""
    # Bytes that are not UTF-8 stay what they are, to be refused by name.
    return (
        unquote_plus(text, errors="surrogateescape") if is_encoded and ("%" in text or "+" in text) else text
    )
