"""Every object of a bucket below a prefix, whatever its key: obstore ends a whole listing at a key that it refuses.

Pages of ListObjectsV2, the next one asked for while the last is looked at. A page that cannot be read is asked for
again; a listing that is not whole is a failure, never a shorter inventory.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from itertools import chain
from threading import Thread
from typing import NamedTuple
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure
from towpath_mover.object_store import ObjectStore, bare_etag, known_version
from towpath_mover.retry import patiently
from towpath_mover.s3_requests import S3Requests
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
        self._asked = asked
        self._about = asked["prefix"][len(store.datastore.prefix) :]
        self._requests = S3Requests(store, places)

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
                raise self._requests.refused("it gives the same page again and again")
            following = page.following

    def _keeps_versions(self) -> bool:
        # Also a bucket that does not any more has versions of what it kept.
        root = self._requests.document({"versioning": ""}, self._about)
        return any(found.tag.endswith("Status") and found.text in ("Enabled", "Suspended") for found in root)

    def _page(self, asked: dict[str, str]) -> Page:
        root = self._requests.document(asked, self._about)
        namespace, _, name = root.tag.rpartition("}")
        if name not in (_PLAIN, _VERSIONS):
            raise self._requests.refused(f"it is {name!r}, not a listing")
        return self._read(root, f"{namespace}}}" if namespace else "")

    def _read(self, root: Element, namespace: str) -> Page:
        is_encoded = root.findtext(f"{namespace}EncodingType") == "url"
        found = [
            ListedObject(
                key_of(entry.findtext(f"{namespace}Key"), is_encoded),
                int(entry.findtext(f"{namespace}Size") or 0),
                bare_etag(entry.findtext(f"{namespace}ETag")),
                version=known_version(entry.findtext(f"{namespace}VersionId")),
                modified=moment_of(entry.findtext(f"{namespace}LastModified")),
            )
            for entry in chain(root.iterfind(f"{namespace}Contents"), _latest(root, namespace))
        ]
        found += (
            ListedObject(key_of(folder.findtext(f"{namespace}Prefix"), is_encoded), 0, None)
            for folder in root.iterfind(f"{namespace}CommonPrefixes")
        )
        if root.findtext(f"{namespace}IsTruncated") != "true":
            return Page(found, None)
        following = {
            parameter: key_of(text, is_encoded and element == "NextKeyMarker")
            for element, parameter in _MARKERS.items()
            if (text := root.findtext(f"{namespace}{element}"))
        }
        if not following:
            raise self._requests.refused("it has another page and does not say how to ask for it")
        return Page(found, following)


def _latest(root: Element, namespace: str) -> Iterator[Element]:
    return (
        entry
        for entry in root.iterfind(f"{namespace}Version")
        if entry.findtext(f"{namespace}IsLatest") == "true"
    )


def moment_of(text: str | None) -> float | None:
    """Return a moment as S3 writes it, in seconds since 1970."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else None
    except ValueError:
        return None


def key_of(text: str | None, is_encoded: bool) -> str:
    """Return a key as it is, of an element whose text may be escaped."""
    if not text:
        return ""
    # Bytes that are not UTF-8 stay what they are, to be refused by name.
    return (
        unquote_plus(text, errors="surrogateescape") if is_encoded and ("%" in text or "+" in text) else text
    )
