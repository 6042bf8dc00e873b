"""The open multipart uploads of a bucket, by S3's own ListMultipartUploads and AbortMultipartUpload."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import inf
from xml.etree.ElementTree import Element

from towpath_mover.object_store import ObjectStore
from towpath_mover.open_uploads import OpenUpload
from towpath_mover.retry import patiently
from towpath_mover.s3_listing import key_of, moment_of
from towpath_mover.s3_requests import S3Requests
from towpath_mover.stores import Places

_MARKERS = {"NextKeyMarker": "key-marker", "NextUploadIdMarker": "upload-id-marker"}


def open_uploads(store: ObjectStore, places: Places, prefix: str) -> Iterator[OpenUpload]:
    """Yield the open uploads of keys below a prefix."""
    requests, whole = S3Requests(store, places), store.datastore.prefix + prefix
    asked = {"uploads": "", "encoding-type": "url", "prefix": whole}
    following: dict[str, str] = {}
    while True:
        root = patiently(store, partial(requests.document, asked | following, prefix))
        yield from _read(requests, root, whole)
        following = _following(root)
        if not following:
            return


def _read(requests: S3Requests, root: Element, whole: str) -> Iterator[OpenUpload]:
    namespace = _namespace(root)
    is_encoded = root.findtext(f"{namespace}EncodingType") == "url"
    for entry in root.iterfind(f"{namespace}Upload"):
        key = key_of(entry.findtext(f"{namespace}Key"), is_encoded)
        upload = entry.findtext(f"{namespace}UploadId")
        # Not every server takes `prefix` as it is meant.
        if upload and key.startswith(whole):
            began = moment_of(entry.findtext(f"{namespace}Initiated"))
            own = key.removeprefix(requests.store.datastore.prefix)
            yield OpenUpload(own, inf if began is None else began, partial(_abort, requests, key, upload))


def _abort(requests: S3Requests, key: str, upload: str) -> None:
    patiently(requests.store, lambda: requests.delete(key, {"uploadId": upload}))


def _following(root: Element) -> dict[str, str]:
    namespace = _namespace(root)
    if root.findtext(f"{namespace}IsTruncated") != "true":
        return {}
    is_encoded = root.findtext(f"{namespace}EncodingType") == "url"
    told = {parameter: root.findtext(f"{namespace}{element}") for element, parameter in _MARKERS.items()}
    return {parameter: key_of(text, is_encoded) for parameter, text in told.items() if text}


def _namespace(root: Element) -> str:
    namespace, _, _ = root.tag.rpartition("}")
    return f"{namespace}}}" if namespace else ""
