"""What obstore cannot do, by the `minio` package: make a bucket, tell its region, and list keys that obstore refuses.

Loaded only where it is needed: it costs a third of a second and 20 MB. Its errors become the same named failures.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials.providers import IamAwsProvider
from minio.error import MinioException, S3Error, ServerError
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from towpath_mover.classify import failure
from towpath_mover.connections import connections
from towpath_mover.failures import MoverFailure
from towpath_mover.object_store import ObjectStore, bare_etag
from towpath_mover.store_s3 import bucket_of, read_credentials
from towpath_mover.stores import ListedObject, Places

_ERRORS = (MinioException, HTTPError)
# The words by which `classify` knows what obstore's client says.
_SIGNS = (
    (NameResolutionError, "dns error"),
    (SSLError, "InvalidCertificate"),
    ((ConnectTimeoutError, NewConnectionError), "tcp connect error"),
    (ReadTimeoutError, "kind: Timeout"),
)


def make_bucket(store: ObjectStore, places: Places) -> None:
    """Make the datastore's bucket."""
    try:
        _client(store, places).make_bucket(bucket_of(store.datastore).name)
    except _ERRORS as error:
        raise _named(error, store, "make", None) from error


def look_at_bucket(store: ObjectStore, places: Places) -> None:
    """Ask for the datastore's bucket."""
    try:
        _client(store, places).bucket_exists(bucket_of(store.datastore).name)
    except _ERRORS as error:
        raise _named(error, store, "look at", None) from error


def list_objects(
    store: ObjectStore, places: Places, prefix: str, *, recursive: bool = True
) -> Iterator[ListedObject]:
    """Yield every object whose key begins with `prefix`, in the store's order; not recursive: one level only."""
    own = store.datastore.prefix
    client, bucket = _client(store, places), bucket_of(store.datastore).name
    try:
        for found in client.list_objects(bucket, prefix=own + prefix, recursive=recursive):
            key = str(found.object_name)[len(own) :]
            yield ListedObject(key, found.size or 0, bare_etag(found.etag))
    except _ERRORS as error:
        raise _named(error, store, "list", prefix) from error


def _client(store: ObjectStore, places: Places) -> Minio:
    datastore, bucket = store.datastore, bucket_of(store.datastore)
    endpoint = urlsplit(bucket.endpoint or "https://s3.amazonaws.com")
    keys = read_credentials(datastore, places)
    return Minio(
        endpoint.netloc,
        access_key=keys.access_key if keys else None,
        secret_key=keys.secret_key if keys else None,
        session_token=keys.session_token if keys else None,
        secure=endpoint.scheme == "https",
        region=bucket.region,
        http_client=connections(datastore, places, store.patience),
        credentials=None if keys else IamAwsProvider(),
    )


def _named(error: Exception, store: ObjectStore, doing: str, key: str | None) -> MoverFailure:
    return failure(Exception(_words(error)), store, doing, key)


def _words(error: BaseException) -> str:
    if isinstance(error, S3Error):
        status = error.response.status if error.response else 400
        return f"status code: {status} <Code>{error.code}</Code><Message>{error.message}</Message>"
    if isinstance(error, ServerError):
        return f"status code: {error.status_code}"
    for kinds, sign in _SIGNS:
        if isinstance(error, kinds):
            return sign
    # A connection that was tried again and again holds the last error inside.
    inside = getattr(error, "reason", None)
    return _words(inside) if isinstance(inside, BaseException) else str(error)
