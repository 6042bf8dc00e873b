"""`owner.json`: who writes below a namespace's prefix in a datastore → the place is ours, or whose it is.

Two clusters with one bucket and one prefix would sweep each other's data. The first who writes there says so.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from towpath.flow import store_keys
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import create_object, read_object
from towpath_mover.stores import Store

FORMAT_VERSION = 1


class Owner(NamedTuple):
    """Who writes: a namespace of a cluster."""

    cluster_id: str
    namespace: str

    def __str__(self) -> str:
        return f"namespace {self.namespace!a} of the cluster {self.cluster_id!a}"


def claim(store: Store, owner: Owner) -> None:
    """Say that the place is this owner's where nothing says whose it is; OwnedElsewhere if it is another's."""
    if not check(store, owner):
        create_object(store, store_keys.owner_key(owner.namespace), _written(owner))
        # Whatever was answered: an answer may have been lost, and some stores replace what is there.
        _judge(store, owner, read_object(store, store_keys.owner_key(owner.namespace)))


def check(store: Store, owner: Owner) -> bool:
    """Return whether the place is said to be this owner's; OwnedElsewhere if it is another's."""
    found = look(store, owner)
    if found is not None:
        _judge(store, owner, found)
    return found is not None


def look(store: Store, owner: Owner) -> bytes | None:
    """Return what says whose the place is, whoever that is; None where nothing does."""
    try:
        return read_object(store, store_keys.owner_key(owner.namespace))
    except MoverFailure as failed:
        if failed.reason is Reason.OBJECT_NOT_FOUND:
            return None
        raise


def _judge(store: Store, owner: Owner, content: bytes) -> None:
    said = _read(content)
    if said == owner:
        return
    whose = f"belongs to {said}" if said else "cannot be read, so it is not known whose this place is"
    message = (
        f"{store.where(store_keys.owner_key(owner.namespace))}, read as {store.identity}, {whose}; this is {owner}. "
        "Make a Datastore with a prefix of its own, or say readOnly: true to read only. If nobody else writes there "
        "any more, delete that object."
    )
    raise MoverFailure(Reason.OWNED_ELSEWHERE, message)


def _written(owner: Owner) -> bytes:
    document = {
        "formatVersion": FORMAT_VERSION,
        "clusterID": owner.cluster_id,
        "namespace": owner.namespace,
    }
    return f"{json.dumps(document)}\n".encode()


def _read(content: bytes) -> Owner | None:
    """Return who is named; None where that cannot be read."""
    try:
        document = json.loads(content)
        cluster_id, namespace = document["clusterID"], document["namespace"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    are_texts = isinstance(cluster_id, str) and isinstance(namespace, str)
    return Owner(cluster_id[:253], namespace[:253]) if are_texts else None
