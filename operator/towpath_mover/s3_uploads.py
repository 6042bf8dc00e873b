"""The open multipart uploads of a bucket, by S3's own ListMultipartUploads and AbortMultipartUpload."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from towpath_mover.object_store import ObjectStore
from towpath_mover.open_uploads import OpenUpload
from towpath_mover.retry import patiently
from towpath_mover.s3_requests import S3Requests
from towpath_mover.stores import Places
from towpath_mover.upload_listing import following_of, question, uploads_in


def open_uploads(store: ObjectStore, places: Places, prefix: str) -> Iterator[OpenUpload]:
    """Yield the open uploads of keys below a prefix."""
    requests, own = S3Requests(store, places), store.datastore.prefix

    def abort(key: str, upload: str) -> None:
        patiently(store, lambda: requests.delete(key, {"uploadId": upload}))

    following: dict[str, str] = {}
    while True:
        asked = question(own + prefix, following)
        root = patiently(store, partial(requests.document, asked, prefix))
        yield from uploads_in(root, own + prefix, own, abort)
        following = following_of(root)
        if not following:
            return
