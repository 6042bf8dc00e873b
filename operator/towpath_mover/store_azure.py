"""A datastore of kind `azureBlob` → an open store: a container of Azure Blob Storage, or of a server that speaks so."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from obstore.store import AzureStore

from towpath_mover.endpoints import checked, endpoint_of, is_plain_http, refuse_to_send
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import Fields
from towpath_mover.mounted import check_fit_for_headers, credentials_missing, hiding, secret_values
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

if TYPE_CHECKING:
    from obstore.store import AzureConfig
    from obstore.store import ObjectStore as Client

ACCOUNT_KEY = "AZURE_STORAGE_ACCOUNT_KEY"
SAS_TOKEN = "AZURE_STORAGE_SAS_TOKEN"  # noqa: S105 - the name of a key, not a key
CLIENT_ID = "AZURE_CLIENT_ID"
CLIENT_SECRET = "AZURE_CLIENT_SECRET"  # noqa: S105
TENANT_ID = "AZURE_TENANT_ID"
# Who gives tokens, in clouds that are not the public one.
AUTHORITY_HOST = "AZURE_AUTHORITY_HOST"
_CLIENT = (CLIENT_ID, CLIENT_SECRET, TENANT_ID)


class Identity(NamedTuple):
    """As whom a client speaks: what it is told, and the words for it."""

    config: AzureConfig
    words: str


def open_store(datastore: Datastore, places: Places, patience: Patience) -> ObjectStore:
    """Return an open store; it speaks to nobody yet."""
    location = Fields(datastore.location, "azureBlob")
    account, container = location.text("account"), location.text("container")
    endpoint = endpoint_of(datastore)
    address = endpoint or f"https://{account}.blob.core.windows.net"
    secret = secret_of(datastore, places)
    identity = identity_of(datastore, secret, address)
    config: AzureConfig = {"account_name": account, "container_name": container, **identity.config}

    def client_at(server: str, prefix: str | None) -> Client:
        options = client_options(datastore, places, patience, allow_http=is_plain_http(server))
        told: AzureConfig = {**config, "endpoint": server}
        retries = retry_config(patience)
        return make_client(
            datastore,
            lambda: AzureStore(prefix=prefix, config=told, client_options=options, retry_config=retries),
        )

    return ObjectStore(
        client=client_at(address, datastore.prefix or None),
        datastore=datastore,
        place=f"container {container!r} of account {account!r} at {endpoint or 'Azure'}",
        identity=identity.words,
        patience=patience,
        lister=any_key_lister(Route(client_at, address, places)),
        hidden=hiding(secret),
    )


def secret_of(datastore: Datastore, places: Places) -> dict[str, str]:
    """Return what the mounted Secret holds now of what counts here."""
    return secret_values(datastore, places, (ACCOUNT_KEY, SAS_TOKEN, *_CLIENT, AUTHORITY_HOST))


def identity_of(datastore: Datastore, secret: Mapping[str, str], address: str) -> Identity:
    """Return the identity that the Secret gives, the first that is whole; without a Secret the pod's own."""
    of_secret = f"of Secret {datastore.credentials_secret!r}"
    if datastore.credentials_secret is None:
        # An identity of the pod is a token: it does not travel where everybody can read it.
        return (
            Identity({"skip_signature": True}, ANONYMOUS) if is_plain_http(address) else Identity({}, AMBIENT)
        )
    if ACCOUNT_KEY in secret:
        _check_account_key(datastore, secret[ACCOUNT_KEY])
        return Identity({"account_key": secret[ACCOUNT_KEY]}, f"the account key {of_secret}")
    if SAS_TOKEN in secret:
        check_fit_for_headers(datastore, secret, (SAS_TOKEN,))
        refuse_to_send(datastore, address, SAS_TOKEN)
        return Identity(
            {"sas_key": secret[SAS_TOKEN].lstrip("?")}, f"the shared access signature {of_secret}"
        )
    if all(key in secret for key in _CLIENT):
        refuse_to_send(datastore, address, CLIENT_SECRET)
        return Identity(_client(datastore, secret), f"client {secret[CLIENT_ID]!r} {of_secret}")
    raise credentials_missing(
        datastore,
        f"{ACCOUNT_KEY}, or {SAS_TOKEN}, or {', '.join(_CLIENT[:2])} and {TENANT_ID}",
        "Create the Secret with one of these.",
    )


def _client(datastore: Datastore, secret: Mapping[str, str]) -> AzureConfig:
    check_fit_for_headers(datastore, secret, _CLIENT)
    client, password, tenant = (secret[key] for key in _CLIENT)
    config: AzureConfig = {"client_id": client, "client_secret": password, "tenant_id": tenant}
    if AUTHORITY_HOST in secret:
        words = f"{AUTHORITY_HOST} of Secret {datastore.credentials_secret!r} for Datastore {datastore.name}"
        config["authority_host"] = checked(secret[AUTHORITY_HOST], words)
        refuse_to_send(datastore, config["authority_host"], CLIENT_SECRET)
    return config


def _check_account_key(datastore: Datastore, key: str) -> None:
    try:
        b64decode(key, validate=True)
    except ValueError:
        message = (
            f"Datastore {datastore.name} cannot use {ACCOUNT_KEY} of Secret {datastore.credentials_secret!r}: "
            "it is not Base64, as every account key is. Write the value alone, as it was given."
        )
        raise MoverFailure(Reason.CREDENTIALS_REFUSED, message) from None
