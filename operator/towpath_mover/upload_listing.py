"""An answer to "which uploads are open?", in the XML that S3 and Google Cloud Storage share → the uploads in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from xml.etree.ElementTree import Element

from towpath_mover.open_uploads import OpenUpload
from towpath_mover.s3_listing import key_of, moment_of

_MARKERS = {"NextKeyMarker": "key-marker", "NextUploadIdMarker": "upload-id-marker"}


def question(whole: str, following: dict[str, str]) -> dict[str, str]:
    """Return the query that asks for a page of the uploads of keys that begin so."""
    return {"uploads": "", "encoding-type": "url", "prefix": whole} | following


def uploads_in(
    root: Element, whole: str, own: str, abort: Callable[[str, str], None]
) -> Iterator[OpenUpload]:
    """Yield the uploads of keys that begin with `whole`; `own` is the datastore's prefix, `abort` takes key and id."""
    namespace = _namespace(root)
    is_encoded = root.findtext(f"{namespace}EncodingType") == "url"
    for entry in root.iterfind(f"{namespace}Upload"):
        key = key_of(entry.findtext(f"{namespace}Key"), is_encoded)
        upload = entry.findtext(f"{namespace}UploadId")
        # Not every server takes `prefix` as it is meant.
        if upload and key.startswith(whole):
            began = moment_of(entry.findtext(f"{namespace}Initiated"))
            yield OpenUpload(
                key.removeprefix(own), inf if began is None else began, partial(abort, key, upload)
            )


def following_of(root: Element) -> dict[str, str]:
    """Return what asks for the next page; empty where this is the last."""
    namespace = _namespace(root)
    if root.findtext(f"{namespace}IsTruncated") != "true":
        return {}
    is_encoded = root.findtext(f"{namespace}EncodingType") == "url"
    told = {parameter: root.findtext(f"{namespace}{element}") for element, parameter in _MARKERS.items()}
    return {parameter: key_of(text, is_encoded) for parameter, text in told.items() if text}


def _namespace(root: Element) -> str:
    namespace, _, _ = root.tag.rpartition("}")
    return f"{namespace}}}" if namespace else ""
