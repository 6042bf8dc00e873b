"""A datastore of kind `s3` → an open store: a bucket of Amazon S3, or of a server that speaks its protocol."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from obstore.store import S3Store

from towpath_mover.endpoints import endpoint_of, is_plain_http
from towpath_mover.fields import Fields
from towpath_mover.mounted import check_fit_for_headers, credentials_missing, secret_values
from towpath_mover.object_store import (
    AMBIENT,
    Lister,
    ObjectStore,
    Streamer,
    client_options,
    make_client,
    retry_config,
)
from towpath_mover.stores import Datastore, ListedObject, Patience, Pin, Places, Span, Stream

if TYPE_CHECKING:
    from obstore.store import S3Config

    from towpath_mover.direct_stream import Route

DEFAULT_REGION = "us-east-1"
ACCESS_KEY = "AWS_ACCESS_KEY_ID"
SECRET_KEY = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a key, not a key
SESSION_TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105
_PROXIES = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}


class Bucket(NamedTuple):
    """What the datastore's `s3` block says."""

    name: str
    endpoint: str | None
    region: str

    @property
    def is_plain_http(self) -> bool:
        """Return whether everybody on the way can read what is sent."""
        return is_plain_http(self.endpoint or "")


class Credentials(NamedTuple):
    """What the files say. Never shown whole: `access_key` is named by its first characters only."""

    access_key: str
    secret_key: str
    session_token: str | None

    def __repr__(self) -> str:
        return f"Credentials(access_key={_shortened(self.access_key)!r})"

    def hidden_in(self, words: str) -> str:
        """Return a store's words without what is in the Secret: some repeat the access key that they were given."""
        words = words.replace(self.access_key, _shortened(self.access_key))
        for secret in filter(None, (self.secret_key, self.session_token)):
            words = words.replace(secret, "…")
        return words


def open_store(datastore: Datastore, places: Places, patience: Patience) -> ObjectStore:
    """Return an open store; it speaks to nobody yet."""
    bucket = bucket_of(datastore)
    credentials = read_credentials(datastore, places)
    options = client_options(datastore, places, patience, allow_http=bucket.is_plain_http)

    def client() -> S3Store:
        return S3Store(
            prefix=datastore.prefix or None,
            config=_config(bucket, credentials),
            client_options=options,
            retry_config=retry_config(patience),
        )

    return ObjectStore(
        client=make_client(datastore, client),
        datastore=datastore,
        place=f"bucket {bucket.name!r} at {bucket.endpoint or 'AWS S3'}",
        identity=_identity(datastore, credentials),
        patience=patience,
        lister=_lister(places),
        hidden=credentials.hidden_in if credentials else str,
        streamer=_streamer(bucket, credentials),
    )


def make_bucket(datastore: Datastore, places: Places, patience: Patience) -> None:
    """Make the datastore's bucket."""
    # The package that makes buckets is slow to load, and most movers never need it.
    from towpath_mover import administration  # noqa: PLC0415

    administration.make_bucket(open_store(datastore, places, patience), places)


def look_at_bucket(datastore: Datastore, places: Places, patience: Patience) -> None:
    """Ask for the bucket itself: of a bucket in another region only that answer always names the region."""
    from towpath_mover import administration  # noqa: PLC0415 - as in make_bucket

    administration.look_at_bucket(open_store(datastore, places, patience), places)


def bucket_of(datastore: Datastore) -> Bucket:
    """Return where the datastore is; EndpointInvalid for an address at which the client would panic."""
    location = Fields(datastore.location, "s3")
    region = location.optional_text("region") or DEFAULT_REGION
    return Bucket(location.text("bucket"), endpoint_of(datastore), region)


def read_credentials(datastore: Datastore, places: Places) -> Credentials | None:
    """Return what the mounted Secret holds now, or None for a datastore without one."""
    if datastore.credentials_secret is None:
        return None
    values = secret_values(datastore, places, (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN))
    missing = [key for key in (ACCESS_KEY, SECRET_KEY) if key not in values]
    if missing:
        advice = "Create the Secret with both keys."
        raise credentials_missing(datastore, " and ".join(missing), advice)
    check_fit_for_headers(datastore, values, (ACCESS_KEY, SESSION_TOKEN))
    return Credentials(values[ACCESS_KEY], values[SECRET_KEY], values.get(SESSION_TOKEN))


def _config(bucket: Bucket, credentials: Credentials | None) -> S3Config:
    config: S3Config = {"bucket": bucket.name, "region": bucket.region}
    if bucket.endpoint:
        config["endpoint"] = bucket.endpoint
    else:
        # As AWS wants it; its certificates do not hold for another dot before its own name.
        config["virtual_hosted_style_request"] = "." not in bucket.name
    # Over TLS the body is protected already, and signing it costs as much as hashing it once more.
    config["unsigned_payload"] = not bucket.is_plain_http
    if credentials:
        config["access_key_id"] = credentials.access_key
        config["secret_access_key"] = credentials.secret_key
        if credentials.session_token:
            config["session_token"] = credentials.session_token
    return config


def _lister(places: Places) -> Lister:
    def list_objects(store: ObjectStore, prefix: str, recursive: bool) -> Iterator[ListedObject]:
        # Most movers list nothing.
        from towpath_mover import s3_listing  # noqa: PLC0415

        return s3_listing.list_objects(store, places, prefix, recursive=recursive)

    return list_objects


def _streamer(bucket: Bucket, credentials: Credentials | None) -> Streamer | None:
    # TLS comes in records of 16 KiB, each of which would wake Python; and only the client knows of proxies.
    if credentials is None or not bucket.is_plain_http or _PROXIES.intersection(os.environ):
        return None

    @cache
    def route() -> Route:
        # Slow to load, and most movers move no large file.
        from towpath_mover import direct_stream  # noqa: PLC0415

        return direct_stream.Route(bucket, credentials)

    def stream(store: ObjectStore, key: str, pin: Pin, span: Span) -> Stream:
        return route().stream(store, key, pin, span)

    return stream


def _identity(datastore: Datastore, credentials: Credentials | None) -> str:
    if credentials is None:
        return AMBIENT
    return f"access key {_shortened(credentials.access_key)!r} of Secret {datastore.credentials_secret!r}"


def _shortened(access_key: str) -> str:
    # An access key is no secret, but people paste the two fields the wrong way round.
    return access_key[:4] + "…"
