"""Connections by urllib3, for what obstore does not do: the certificates and time-outs are the datastore's own."""

from __future__ import annotations

import certifi
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from towpath_mover.mounted import certificate_file
from towpath_mover.stores import Datastore, Patience, Places

# The words by which `classify` knows what obstore's client says.
_SIGNS = (
    (NameResolutionError, "dns error"),
    (SSLError, "InvalidCertificate"),
    ((ConnectTimeoutError, NewConnectionError), "tcp connect error"),
    (ReadTimeoutError, "kind: Timeout"),
)


def connections(datastore: Datastore, places: Places, patience: Patience) -> urllib3.PoolManager:
    """Return a pool that tries passing trouble again; the last answer is given, whatever its status."""
    # Minimal images have no certificates of the system's own.
    authority = certificate_file(datastore, places) if datastore.ca_config_map else certifi.where()
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=patience.connect_timeout, read=patience.read_timeout),
        retries=urllib3.Retry(
            total=patience.retries,
            # Without jitter: a mover asks one question at a time here.
            backoff_factor=0.2,
            backoff_max=patience.retry_timeout / 6,
            status_forcelist=[429, 500, 502, 503, 504],
            raise_on_status=False,
        ),
        ca_certs=str(authority),
    )


def words_of(error: BaseException) -> str:
    """Return what went wrong with a connection, in words that `classify` knows."""
    for kinds, sign in _SIGNS:
        if isinstance(error, kinds):
            return sign
    # A connection that was tried again and again holds the last error inside.
    inside = getattr(error, "reason", None)
    return words_of(inside) if isinstance(inside, BaseException) else str(error)
