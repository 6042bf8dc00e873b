"""What obstore cannot do, by the `minio` package: make a bucket, tell its region, say what identity the pod has.

Loaded only where it is needed: it costs a third of a second and 20 MB. Its errors become the same named failures.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from minio import Minio
from minio.credentials.providers import IamAwsProvider
from minio.error import MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from towpath_mover.classify import METADATA_SERVICES, failure
from towpath_mover.connections import connections, words_of
from towpath_mover.object_store import ObjectStore
from towpath_mover.store_s3 import Credentials, bucket_of, read_credentials
from towpath_mover.stores import Places

_ERRORS = (MinioException, HTTPError)


def make_bucket(store: ObjectStore, places: Places) -> None:
    """Make the datastore's bucket."""
    try:
        _client(store, places).make_bucket(bucket_of(store.datastore).name)
    except _ERRORS as error:
        raise failure(Exception(_words(error)), store, "make") from error


def look_at_bucket(store: ObjectStore, places: Places) -> None:
    """Ask for the datastore's bucket."""
    try:
        _client(store, places).bucket_exists(bucket_of(store.datastore).name)
    except _ERRORS as error:
        raise failure(Exception(_words(error)), store, "look at") from error


def ambient(store: ObjectStore) -> Callable[[], Credentials]:
    """Return what gives the keys of the pod's own identity, fetched anew before they expire."""
    provider = IamAwsProvider()

    def retrieve() -> Credentials:
        try:
            keys = provider.retrieve()
        except (*_ERRORS, ValueError, OSError) as error:
            raise failure(Exception(f"://{METADATA_SERVICES[0]}/"), store, "list") from error
        return Credentials(keys.access_key, keys.secret_key, keys.session_token)

    return retrieve


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


def _words(error: BaseException) -> str:
    if isinstance(error, S3Error):
        status = error.response.status if error.response else 400
        return f"status code: {status} <Code>{error.code}</Code><Message>{error.message}</Message>"
    if isinstance(error, ServerError):
        return f"status code: {error.status_code}"
    return words_of(error)
