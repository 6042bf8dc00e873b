"""The stores of one transfer: each datastore is opened once, with the credentials that lie in the pod then."""

from __future__ import annotations

from collections.abc import Mapping

from towpath_mover.fields import OrderError
from towpath_mover.stores import Datastore, Places, Store, open_store


class OpenStores:
    """Opens datastores by name when they are first asked for."""

    def __init__(self, datastores: Mapping[str, Datastore], places: Places) -> None:
        self._datastores = datastores
        self._places = places
        self._open: dict[str, Store] = {}

    def store(self, name: str) -> Store:
        """Return the open store of a datastore; OrderError if the order does not describe it."""
        if name not in self._open:
            if name not in self._datastores:
                raise OrderError(f"The order does not describe the datastore {name!r}, which it uses.")
            self._open[name] = open_store(self._datastores[name], self._places)
        return self._open[name]
