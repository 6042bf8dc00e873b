"""The seam between movers and the places that hold bytes: what a store can do, whatever kind of store it is.

A mover knows `Store` and nothing behind it; `open_store` gives one for a datastore of the run document. Each kind is a
module of its own with a function `open_store(datastore, places, patience)`, loaded when the first datastore of its kind
is opened: every step waits for two movers' imports. Stores of objects share `object_store.py`, and obstore in it.

What holds of every store:
- Keys lie below the datastore's prefix. Those that `list_objects` yields are hostile: they are given as they are.
- No method raises anything but a MoverFailure, which names the object by `where` and says as whom. One that another
  try may cure has Exit.TRY_AGAIN: `retry.patiently` tries again, the store itself does not.
- A read of what is not there is OBJECT_NOT_FOUND; a read with a pin of what has changed is INPUT_DRIFT.
- A write is seen whole or not at all, and replaces what was there. A delete of what is not there is no failure.
- Many threads use one store at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

from towpath_mover.fields import Fields, OrderError


class Kind(StrEnum):
    """The kinds of stores, by their names in the Datastore's spec."""

    S3 = "s3"
    AZURE_BLOB = "azureBlob"
    GCS = "gcs"
    PERSISTENT_VOLUME_CLAIM = "persistentVolumeClaim"


_MODULES = {
    Kind.S3: "store_s3",
    Kind.AZURE_BLOB: "store_azure",
    Kind.GCS: "store_gcs",
    Kind.PERSISTENT_VOLUME_CLAIM: "store_volume",
}


class Datastore(NamedTuple):
    """A datastore of the run document: where it is, and the names of its Secret and CA ConfigMap, if it has them.

    `location` is the block of its kind, as the API has it; only the kind's own module reads it.
    """

    name: str
    kind: Kind
    location: Mapping[str, Any]
    prefix: str = ""
    credentials_secret: str | None = None
    ca_config_map: str | None = None
    read_only: bool = False


class Places(NamedTuple):
    """The folders where a mover's pod has credentials, CA certificates and volumes, one subfolder per datastore."""

    credentials: Path = Path("/towpath/credentials")
    ca: Path = Path("/towpath/ca")
    volumes: Path = Path("/towpath/volumes")


class Patience(NamedTuple):
    """How long a store may take: time-outs in seconds, and how often one object is tried from the start."""

    connect_timeout: float
    read_timeout: float
    request_timeout: float
    retries: int
    retry_timeout: float
    tries: int


# Silence of two minutes is a stall. The client counts from when it begins to send a request, so what is sent at once,
# 64 MiB at most, must be through by then (560 kB/s). A store that is away may come back within three minutes.
TRANSFER = Patience(5, 120, 600, retries=10, retry_timeout=60, tries=3)
PROBE = Patience(3, 5, 10, retries=1, retry_timeout=5, tries=1)


class ObjectState(NamedTuple):
    """What a store reports of an object; the ETag is without its quotes. Only files of a volume are executable."""

    size: int
    etag: str | None
    version: str | None
    executable: bool = False


class ListedObject(NamedTuple):
    """A key below the datastore's prefix, as the store lists it; a folder of a flat listing has no ETag.

    What lies on a volume may be no file: `unfit` says what it is instead, such as "a symbolic link". `modified` is when
    it was last written, in seconds since 1970, as the store reports it.
    """

    key: str
    size: int
    etag: str | None
    executable: bool = False
    unfit: str | None = None
    version: str | None = None
    modified: float | None = None


class Pin(NamedTuple):
    """The state of an object that a read must find; None: whatever there is."""

    etag: str | None = None
    version: str | None = None


ANY_STATE = Pin()


class Span(NamedTuple):
    """Bytes of an object: from the first to the one after the last."""

    start: int
    end: int


class Parts(NamedTuple):
    """How a large object is written: the size of a part, and how many of them are held and sent at once."""

    size: int
    in_flight: int


class Body(Protocol):
    """An object, or a span of it, whose bytes are still to be read, once."""

    @property
    def state(self) -> ObjectState:
        """What the store reports of the whole object that is being read."""

    def whole(self) -> memoryview:
        """Return the bytes, without a copy where the store allows it."""


class Stream(Protocol):
    """A span of an object whose bytes are still to be read, once."""

    @property
    def state(self) -> ObjectState:
        """What the store reports of the whole object that is being read."""

    def pieces(self) -> Iterator[bytes | memoryview]:
        """Yield the bytes in order, in pieces of 1 MiB at most; each is used up when the next is asked for."""


class Store(Protocol):
    """An open store: what movers do with it, and its words for messages, which hold no secret."""

    @property
    def datastore(self) -> Datastore:
        """What it was opened from."""

    @property
    def identity(self) -> str:
        """As whom it speaks."""

    @property
    def patience(self) -> Patience:
        """How long it may take."""

    def where(self, key: str | None = None) -> str:
        """Return the words for the store, or for one object in it."""

    def read(self, key: str, pin: Pin = ANY_STATE, span: Span | None = None) -> Body:
        """Begin to read an object, or a span of it that is not empty. One request."""

    def stream(self, key: str, pin: Pin, span: Span) -> Stream:
        """Begin to read a span that is not empty, and is held nowhere whole."""

    def state(self, key: str) -> ObjectState:
        """Return what the store reports of an object."""

    def write(self, key: str, content: bytes | memoryview, *, executable: bool = False) -> None:
        """Write an object that is in memory. One request."""

    def create(self, key: str, content: bytes) -> None:
        """Write an object that is in memory if there is none. It does not say whether it did: answers get lost.

        Two who create one key read what is there afterwards. A store without this replaces what is there.
        """

    def write_parts(
        self, key: str, pieces: Iterable[bytes], parts: Parts, *, executable: bool = False
    ) -> None:
        """Write an object of any size; what the pieces raise ends the write, and rises as it is."""

    def sync(self) -> None:
        """Wait until all that was written would outlive a failure of the machine that stores it."""

    def delete(self, key: str) -> None:
        """Delete an object."""

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[ListedObject]:
        """Yield every object below `prefix`, in the store's order; not recursive: one level of them, and its folders.

        `prefix` is empty or ends in `/`.
        """

    def try_list(self) -> None:
        """Ask for the beginning of the listing, to see whether that is allowed; cheaper to load than a listing."""


def datastore_from(document: Fields) -> Datastore:
    """Return the datastore that an entry of the run document's `datastores` describes."""
    name = document.text("name")
    kind = next((kind for kind in Kind if document.optional_child(kind)), None)
    if kind is None:
        raise OrderError(f"The datastore {name!r} is of a kind that this mover does not know.")
    location = document.child(kind)
    return Datastore(
        name=name,
        kind=kind,
        location=location.plain(),
        prefix=_folder(location.optional_text("prefix") or ""),
        credentials_secret=document.optional_text("credentialsSecret"),
        ca_config_map=document.optional_text("caConfigMap"),
        read_only=document.flag("readOnly"),
    )


def open_store(datastore: Datastore, places: Places = Places(), patience: Patience = TRANSFER) -> Store:  # noqa: B008
    """Return an open store; it speaks to nobody yet. A missing file or key is CredentialsMissing, by name."""
    module = import_module(f"towpath_mover.{_MODULES[datastore.kind]}")
    return cast("Store", module.open_store(datastore, places, patience))


def _folder(prefix: str) -> str:
    return f"{prefix.strip('/')}/" if prefix.strip("/") else ""
