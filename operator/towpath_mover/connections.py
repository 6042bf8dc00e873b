"""Connections by urllib3, for what obstore does not do: the certificates and time-outs are the datastore's own."""

from __future__ import annotations

import certifi
import urllib3

from towpath_mover.mounted import certificate_file
from towpath_mover.stores import Datastore, Patience, Places


def connections(datastore: Datastore, places: Places, patience: Patience) -> urllib3.PoolManager:
    """Return a pool that tries passing trouble again."""
    # Minimal images have no certificates of the system's own.
    authority = certificate_file(datastore, places) if datastore.ca_config_map else certifi.where()
    return urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=patience.connect_timeout, read=patience.read_timeout),
        retries=urllib3.Retry(
            total=patience.retries, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504]
        ),
        ca_certs=str(authority),
    )
