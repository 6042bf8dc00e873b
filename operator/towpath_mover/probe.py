"""`probe`: a datastore as it is described → whether a mover can do there what movers do, or the reason why not.

It lists, says whose the place is, writes, reads back and deletes one small object, so that a wrong key is found
before a run is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread
from typing import Any

from towpath.flow import names
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import delete_object, read_object, write_object
from towpath_mover.order import ProbeOrder, probe_order
from towpath_mover.owner import Owner, claim
from towpath_mover.pod_paths import pod_paths
from towpath_mover.report import Report
from towpath_mover.stores import PROBE, Places, Store, open_store

# The condition is to show within 30 s, of which the pod's start takes some.
DEADLINE = 15.0


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Try one datastore and report that it is ready; what is wrong rises as a named failure."""
    order = probe_order(environ)
    places = pod_paths(environ).places
    store = open_store(order.datastore, places, PROBE)
    did = _within(DEADLINE, store, lambda: _probe(order, store, places))
    return {"ready": True, "message": f"{did} in {store.where()} as {store.identity}."}


def _probe(order: ProbeOrder, store: Store, places: Places) -> str:
    try:
        return _try(order, store)
    except MoverFailure as failed:
        if failed.reason is not Reason.BUCKET_NOT_FOUND or not order.datastore.location.get("createBucket"):
            raise
    # Only the API of s3 has createBucket.
    from towpath_mover.store_s3 import make_bucket  # noqa: PLC0415 - loaded only where its kind is used

    make_bucket(order.datastore, places, PROBE)
    return f"Made the bucket. {_try(order, store)}"


def _try(order: ProbeOrder, store: Store) -> str:
    store.try_list()
    if order.datastore.read_only:
        return "Listed (readOnly, so nothing was written)"
    claim(store, Owner(order.cluster_id, order.namespace))
    key = names.probe_key(order.namespace, os.urandom(8).hex())
    content = f"Written by Towpath's probe, {key}. It can be deleted.\n".encode()
    write_object(store, key, content)
    if read_object(store, key) != content:
        message = f"What was written to {store.where(key)} as {store.identity} came back as something else."
        raise MoverFailure(
            Reason.STORE_REFUSED, f"{message} See whether the endpoint is a store of this kind."
        )
    delete_object(store, key)
    return "Listed, wrote, read back and deleted an object"


def _within(seconds: float, store: Store, action: Callable[[], str]) -> str:
    """Return what the action gives; a store that lets it wait longer than this cannot be used."""
    given: list[Any] = []
    ended = Event()

    def act() -> None:
        try:
            given.append(action())
        except BaseException as error:
            # Also a panic of the store's client, which is no Exception.
            given.append(error)
        ended.set()

    Thread(target=act, daemon=True).start()
    if not ended.wait(seconds):
        message = f"No answer within {seconds:.0f} s from {store.where()} as {store.identity}."
        advice = "See whether the store is overloaded, or a network policy drops what is sent to it."
        raise MoverFailure(Reason.STORE_UNAVAILABLE, f"{message} {advice}")
    if isinstance(given[0], BaseException):
        raise given[0]
    return str(given[0])
