"""The address of a store, as its Datastore gives it: checked before a client is made, which panics at some."""

from __future__ import annotations

import re

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.stores import Datastore

_ADDRESS = re.compile(r"https?://[A-Za-z0-9._\[\]:-]+(/[!-~]*)?", re.IGNORECASE)
# Where people write what is no part of an address and may be secret: a password, a signature.
_BESIDE = re.compile(r"(?<=//)[^/]*@|[?#].*", re.DOTALL)


def endpoint_of(datastore: Datastore) -> str | None:
    """Return the datastore's endpoint, or None; EndpointInvalid for what is not the address of a store."""
    endpoint = datastore.location.get("endpoint")
    if endpoint is None:
        return None
    return checked(endpoint, f"The endpoint {_BESIDE.sub('…', endpoint)!a} of Datastore {datastore.name}")


def checked(address: str, words: str) -> str:
    """Return an address without a slash at its end; EndpointInvalid for what is none, which these words call it."""
    if not _ADDRESS.fullmatch(address) or _BESIDE.search(address):
        message = f"{words} is not the address of a server. Write it as http://HOST:PORT or https://HOST."
        raise MoverFailure(Reason.ENDPOINT_INVALID, message)
    return address.rstrip("/")


def is_plain_http(address: str) -> bool:
    """Return whether everybody on the way can read what is sent there."""
    return address.lower().startswith("http://")


def refuse_to_send(datastore: Datastore, address: str, what: str) -> None:
    """Refuse to send what lets its reader be somebody else, such as a token, where everybody can read it."""
    if is_plain_http(address):
        message = (
            f"Datastore {datastore.name} has {what} in Secret {datastore.credentials_secret!r}. It travels, or gives a "
            f"token that does, and {address} is plain HTTP, which everybody on the way can read. Give an address that "
            "begins with https://; an endpoint cannot be changed, so make another Datastore for it."
        )
        raise MoverFailure(Reason.ENDPOINT_INVALID, message)
