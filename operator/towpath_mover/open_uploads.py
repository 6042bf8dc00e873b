"""Objects that were begun in parts and never completed → each one's key, when it was begun, and how to abort it.

A publisher that is killed leaves them; no listing shows them, and they cost as much as objects. Each kind of store has
its own; Azure's needs none, for the service drops blocks that nobody committed after a week.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import NamedTuple, cast

from towpath_mover.stores import Kind, Places, Store

_MODULES = {
    Kind.S3: "s3_uploads",
    Kind.GCS: "gcs_uploads",
    Kind.PERSISTENT_VOLUME_CLAIM: "volume_uploads",
}


class OpenUpload(NamedTuple):
    """One of them: its key below the datastore's prefix, and when it was begun, in seconds since 1970."""

    key: str
    began: float
    abort: Callable[[], None]


def open_uploads(store: Store, places: Places, prefix: str) -> Iterator[OpenUpload]:
    """Yield the open uploads of keys below a prefix, which ends in `/`; those whose age is not known are as of now."""
    module = _MODULES.get(store.datastore.kind)
    if module is None:
        return iter(())
    found = import_module(f"towpath_mover.{module}").open_uploads(store, places, prefix)
    return cast("Iterator[OpenUpload]", found)
