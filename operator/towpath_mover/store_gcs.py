"""A datastore of kind `gcs` → an open store: a bucket of Google Cloud Storage, or of a server with its XML API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from obstore.exceptions import BaseError
from obstore.store import GCSStore

from towpath_mover.endpoints import endpoint_of, is_plain_http, refuse_to_send
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import Fields, OrderError, read_text
from towpath_mover.mounted import credentials_missing, hiding, secret_values
from towpath_mover.object_store import (
    AMBIENT,
    ANONYMOUS,
    ObjectStore,
    Route,
    any_key_lister,
    client_options,
    make_client,
    retry_config,
)
from towpath_mover.stores import Datastore, Patience, Places
from towpath_mover.surroundings import surroundings

if TYPE_CHECKING:
    from obstore.store import GCSConfig
    from obstore.store import ObjectStore as Client

SERVICE_ACCOUNT_KEY = "GOOGLE_SERVICE_ACCOUNT_KEY"
GOOGLE = "https://storage.googleapis.com"
# So the client asks nobody for a token. Its own switch for that counts for reading only.
NOBODY = json.dumps({"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""})


class Identity(NamedTuple):
    """As whom a client speaks: the key document it is given, and the words for it."""

    key: str | None
    words: str


class _Entrance(NamedTuple):
    """How the bucket is reached, as whom, and what the Secret holds."""

    route: Route
    identity: Identity
    secret: dict[str, str]


def open_store(datastore: Datastore, places: Places, patience: Patience) -> ObjectStore:
    """Return an open store; it speaks to nobody yet."""
    route, identity, secret = _entrance(datastore, places, patience)
    bucket = Fields(datastore.location, "gcs").text("bucket")
    return ObjectStore(
        client=route.client_at(route.address, datastore.prefix or None),
        datastore=datastore,
        place=f"bucket {bucket!r} at {endpoint_of(datastore) or 'Google Cloud Storage'}",
        identity=identity.words,
        patience=patience,
        lister=any_key_lister(route),
        hidden=hiding(secret),
    )


def route_of(datastore: Datastore, places: Places, patience: Patience) -> Route:
    """Return the way to the bucket, for what obstore does not ask."""
    return _entrance(datastore, places, patience).route


def _entrance(datastore: Datastore, places: Places, patience: Patience) -> _Entrance:
    bucket = Fields(datastore.location, "gcs").text("bucket")
    address = endpoint_of(datastore) or GOOGLE
    secret = secret_values(datastore, places, (SERVICE_ACCOUNT_KEY,))
    identity = identity_of(datastore, secret.get(SERVICE_ACCOUNT_KEY), address)

    def client_at(server: str, prefix: str | None) -> Client:
        options = client_options(datastore, places, patience, allow_http=is_plain_http(server))
        config: GCSConfig = {"bucket": bucket, "base_url": server}
        if identity.key:
            config["service_account_key"] = identity.key
        retries = retry_config(patience)
        return make_client(
            datastore,
            lambda: GCSStore(prefix=prefix, config=config, client_options=options, retry_config=retries),
        )

    return _Entrance(Route(client_at, address, places), identity, secret)


def identity_of(datastore: Datastore, key: str | None, address: str) -> Identity:
    """Return the identity that the Secret's key gives; without a Secret the pod's own, or nobody's."""
    if datastore.credentials_secret is None:
        # An identity of the pod is a token: it does not travel where everybody can read it.
        return Identity(NOBODY, ANONYMOUS) if is_plain_http(address) else Identity(None, AMBIENT)
    if key is None:
        advice = "Create the Secret with the JSON document of a service account's key."
        raise credentials_missing(datastore, SERVICE_ACCOUNT_KEY, advice)
    refuse_to_send(datastore, address, SERVICE_ACCOUNT_KEY)
    return _service_account(datastore, key)


def _service_account(datastore: Datastore, key: str) -> Identity:
    """Return the identity of a key document, of which only these fields count: others name servers to ask."""
    try:
        document = read_text(key, SERVICE_ACCOUNT_KEY)
        fields = {name: document.text(name) for name in ("client_email", "private_key", "private_key_id")}
        with surroundings(are_seen=False):
            GCSStore("any", service_account_key=json.dumps(fields))
    except (OrderError, BaseError):
        message = (
            f"Datastore {datastore.name} cannot use {SERVICE_ACCOUNT_KEY} of Secret {datastore.credentials_secret!r}: "
            "it is not the JSON document of a service account's key. Write the file's content, as it was given."
        )
        raise MoverFailure(Reason.CREDENTIALS_REFUSED, message) from None
    who = f"service account {fields['client_email']!r} of Secret {datastore.credentials_secret!r}"
    return Identity(json.dumps(fields), who)
