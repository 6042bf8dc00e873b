"""A store of objects: what movers do, done by obstore's client, whichever of its stores that is.

The modules `store_*.py` open the clients and know the words; what obstore raises becomes a named failure in `classify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, InvalidPathError

from towpath_mover import memory
from towpath_mover.classify import STORE_ERRORS, failure, server_code
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.mounted import certificate, no_certificate
from towpath_mover.stores import (
    ANY_STATE,
    Datastore,
    ListedObject,
    ObjectState,
    Parts,
    Patience,
    Pin,
    Places,
    Span,
    Stream,
)
from towpath_mover.surroundings import surroundings

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta
    from obstore.store import ClientConfig, RetryConfig
    from obstore.store import ObjectStore as Client

_PIECE = 1 << 20

Result = TypeVar("Result")
Lister = Callable[["ObjectStore", str, bool], Iterator[ListedObject]]
Streamer = Callable[["ObjectStore", str, Pin, Span], Stream]

AMBIENT = "the pod's own identity (the Datastore has no credentialsSecretRef)"
ANONYMOUS = "nobody (the Datastore has no credentialsSecretRef, and no identity travels over plain HTTP)"


class Route(NamedTuple):
    """The way to a store's server: its address, and a client, for keys below a prefix, of any other address."""

    client_at: Callable[[str, str | None], Client]
    address: str
    places: Places


class ObjectStore(NamedTuple):
    """A `Store` of objects. `place` is where they are, in words; `hidden` takes secrets out of the store's words.

    `streamer` is a quicker way to read a span than the client's, where there is one.
    """

    client: Client
    datastore: Datastore
    place: str
    identity: str
    patience: Patience
    lister: Lister
    hidden: Callable[[str], str] = str
    streamer: Streamer | None = None

    def where(self, key: str | None = None) -> str:
        """Return the words for the store, or for one object in it."""
        inside = f"object {self.datastore.prefix + key!r} in {self.place}" if key is not None else self.place
        return f"{inside} (Datastore {self.datastore.name})"

    def read(self, key: str, pin: Pin = ANY_STATE, span: Span | None = None) -> ObjectBody:
        """Begin to read an object, or a span of it."""
        try:
            return self._begin(key, pin, span)
        except MoverFailure as failed:
            # Who may read objects may not always read their versions. By its ETag it is the same object, or drift.
            if failed.reason is not Reason.PERMISSION_DENIED or pin.version is None or pin.etag is None:
                raise
            return self._begin(key, Pin(pin.etag), span)

    def stream(self, key: str, pin: Pin, span: Span) -> Stream:
        """Begin to read a span, piece by piece."""
        return self.streamer(self, key, pin, span) if self.streamer else self.read(key, pin, span)

    def _begin(self, key: str, pin: Pin, span: Span | None) -> ObjectBody:
        options = _options(pin, span)
        return ObjectBody(
            self, key, self._do("read", key, lambda: obstore.get(self.client, key, options=options))
        )

    def state(self, key: str) -> ObjectState:
        """Return what the store reports of an object."""
        return _state(self._do("look at", key, lambda: obstore.head(self.client, key)))

    def write(self, key: str, content: bytes | memoryview, *, executable: bool = False) -> None:
        """Write an object that is in memory; the inventory alone knows that it is executable."""
        del executable
        self._do("write", key, lambda: obstore.put(self.client, key, content, use_multipart=False))

    def create(self, key: str, content: bytes) -> None:
        """Write an object that is in memory if there is none; a store that says it cannot do that writes it."""
        try:
            obstore.put(self.client, key, content, mode="create")
        except AlreadyExistsError:
            return
        except STORE_ERRORS as error:
            if server_code(str(error)) != "NotImplemented":
                raise failure(error, self, "write", key) from error
            self.write(key, content)

    def write_parts(
        self, key: str, pieces: Iterable[bytes], parts: Parts, *, executable: bool = False
    ) -> None:
        """Write an object of any size."""
        del executable
        size, in_flight = parts
        self._do(
            "write",
            key,
            lambda: obstore.put(self.client, key, iter(pieces), chunk_size=size, max_concurrency=in_flight),
        )

    def sync(self) -> None:
        """Nothing is left to wait for: a store answers when it has the object."""

    def delete(self, key: str) -> None:
        """Delete an object."""
        try:
            self._do("delete", key, lambda: obstore.delete(self.client, key))
        except MoverFailure as failed:
            # To S3 it is no failure, to others it is.
            if failed.reason is not Reason.OBJECT_NOT_FOUND:
                raise

    def list_objects(self, prefix: str, *, recursive: bool = True) -> Iterator[ListedObject]:
        """Yield every object whose key begins with `prefix`: by a lister of its own, for obstore refuses some keys."""
        return self.lister(self, prefix, recursive)

    def try_list(self) -> None:
        """Ask for the beginning of the listing."""
        self._do("list", None, lambda: _list_some(self.client))

    def _do(self, doing: str, key: str | None, action: Callable[[], Result]) -> Result:
        try:
            return action()
        except STORE_ERRORS as error:
            raise failure(error, self, doing, key) from error
        except ValueError as error:
            raise unsafe_key(error, self, key or "") from error


class ObjectBody:
    """An object, or a span of it, whose bytes are still to be read."""

    __slots__ = ("_key", "_result", "_store")

    def __init__(self, store: ObjectStore, key: str, result: GetResult) -> None:
        self._store = store
        self._key = key
        self._result = result

    @property
    def state(self) -> ObjectState:
        """What the store reports of the whole object."""
        return _state(self._result.meta)

    def whole(self) -> memoryview:
        """Return the bytes: the client's own buffer."""
        try:
            return memoryview(self._result.bytes())
        except STORE_ERRORS as error:
            raise failure(error, self._store, "read", self._key) from error

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes in order."""
        try:
            yield from self._result.stream(min_chunk_size=_PIECE)
        except STORE_ERRORS as error:
            raise failure(error, self._store, "read", self._key) from error


def unsafe_key(error: ValueError, store: ObjectStore, key: str) -> Exception:
    """Return the failure for a key that the client takes for no key at all; the error itself if it is another."""
    if "Could not parse path" not in str(error):
        return error
    message = (
        f"{store.where(key)} cannot be asked for: it has an empty part, a dot part or a control character."
    )
    return MoverFailure(Reason.UNSAFE_KEY, f"{message} Rename it there, or list the folder above it.")


def bare_etag(etag: str | None) -> str | None:
    """Return an ETag in the one form that inventories hold: without quotes."""
    return etag.strip('"') or None if etag else None


def known_version(version: str | None) -> str | None:
    """Return a version id; some stores call the only state of an object in a bucket without versions "null"."""
    return None if version == "null" else version


def any_key_lister(route: Route) -> Lister:
    """Return a lister of all keys, for stores whose keys obstore alone would list."""

    def list_objects(store: ObjectStore, prefix: str, recursive: bool) -> Iterator[ListedObject]:
        # Slow to load, and most movers list nothing.
        from towpath_mover import any_keys  # noqa: PLC0415

        return any_keys.list_objects(store, route, prefix, recursive)

    return list_objects


def make_client(datastore: Datastore, client: Callable[[], Client]) -> Client:
    """Return the client; what it is made from was looked at before, but for the certificate."""
    memory.keep_little()
    try:
        with surroundings(are_seen=datastore.credentials_secret is None):
            return client()
    except (ValueError, BaseError) as error:
        if not datastore.ca_config_map:
            raise
        raise no_certificate(datastore) from error


def client_options(
    datastore: Datastore, places: Places, patience: Patience, *, allow_http: bool
) -> ClientConfig:
    """Return what all of obstore's stores are told about connections."""
    options: ClientConfig = {
        "allow_http": allow_http,
        "connect_timeout": timedelta(seconds=patience.connect_timeout),
        "read_timeout": timedelta(seconds=patience.read_timeout),
        "timeout": timedelta(seconds=patience.request_timeout),
        "user_agent": "towpath-mover",
    }
    if datastore.ca_config_map:
        options["root_certificate"] = certificate(datastore, places)
    return options


def retry_config(patience: Patience) -> RetryConfig:
    """Return how often obstore tries one request."""
    return {
        "max_retries": patience.retries,
        "retry_timeout": timedelta(seconds=patience.retry_timeout),
        "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=10), "base": 2},
    }


def _list_some(client: Client) -> None:
    # Where a key is refused the store answered: it matters only to who takes an inventory of the keys.
    with suppress(InvalidPathError):
        next(iter(obstore.list(client, chunk_size=1)), None)


def _options(pin: Pin, span: Span | None) -> GetOptions | None:
    if pin.etag is None and span is None:
        return None
    options: GetOptions = {}
    if span is not None:
        options["range"] = span
    if pin.etag is not None:
        options["if_match"] = f'"{pin.etag}"'
    if pin.version is not None:
        options["version"] = pin.version
    return options


def _state(meta: ObjectMeta) -> ObjectState:
    return ObjectState(meta["size"], bare_etag(meta["e_tag"]), known_version(meta["version"]))
