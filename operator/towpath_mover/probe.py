"""`probe`: a datastore as it is described → whether a mover can do there what movers do, or the reason why not.

It lists, looks whose the place is, writes, reads back and deletes one small object, so that a wrong key is found before
a run is. After a refusal it goes on, to tell all that is refused and what is not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from threading import Event, Thread
from typing import Any

from towpath.flow import store_keys
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import delete_object, read_object, write_object
from towpath_mover.order import ProbeOrder, probe_order
from towpath_mover.owner import Owner, check, claim, look
from towpath_mover.pod_paths import pod_paths
from towpath_mover.report import Report
from towpath_mover.stores import PROBE, Datastore, Kind, Places, Store, open_store

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
        if failed.reason is Reason.WRONG_REGION:
            raise _with_region(failed, order.datastore, places) from failed
        if failed.reason is not Reason.BUCKET_NOT_FOUND or not order.datastore.location.get("createBucket"):
            raise
    # Only the API of s3 has createBucket.
    from towpath_mover.store_s3 import make_bucket  # noqa: PLC0415 - loaded only where its kind is used

    make_bucket(order.datastore, places, PROBE)
    return f"Made the bucket. {_try(order, store)}"


def _with_region(failed: MoverFailure, datastore: Datastore, places: Places) -> MoverFailure:
    """Return the failure with the right region, where the store names it only to who asks for the bucket itself."""
    if datastore.kind is not Kind.S3:
        return failed
    from towpath_mover.store_s3 import look_at_bucket  # noqa: PLC0415 - as above

    try:
        look_at_bucket(datastore, places, PROBE)
    except MoverFailure as told:
        return told if told.reason is Reason.WRONG_REGION else failed
    return failed


def _try(order: ProbeOrder, store: Store) -> str:
    tried, owner = _Tried(), Owner(order.cluster_id, order.namespace)
    tried.do("list", store.try_list)
    if order.datastore.read_only:
        tried.do("read", lambda: look(store, owner))
        tried.raise_refusal()
        return "Listed and read (readOnly, so nothing was written)"
    tried.do("read", lambda: check(store, owner))
    key = store_keys.probe_key(order.namespace, os.urandom(8).hex())
    content = f"Written by Towpath's probe, {key}. It can be deleted.\n".encode()
    if tried.do("write", lambda: write_object(store, key, content)):
        tried.do("read", lambda: _read_back(store, key, content))
    tried.do("delete", lambda: delete_object(store, key))
    tried.raise_refusal()
    claim(store, owner)
    return "Listed, wrote, read back and deleted an object"


def _read_back(store: Store, key: str, content: bytes) -> None:
    if read_object(store, key) != content:
        message = f"What was written to {store.where(key)} as {store.identity} came back as something else."
        raise MoverFailure(
            Reason.STORE_REFUSED, f"{message} See whether the endpoint is a store of this kind."
        )


class _Tried:
    """What was tried: what is not permitted is told in the end, with what is; any other failure rises at once."""

    def __init__(self) -> None:
        self._allowed: list[str] = []
        self._refused: dict[str, MoverFailure] = {}

    def do(self, what: str, action: Callable[[], object]) -> bool:
        """Return whether it is permitted."""
        try:
            action()
        except MoverFailure as failed:
            if failed.reason is not Reason.PERMISSION_DENIED:
                raise
            self._refused[what] = failed
            return False
        # Who may not list is told that an object that is not there is not theirs to read.
        self._refused.pop(what, None)
        if what not in self._allowed:
            self._allowed.append(what)
        return True

    def raise_refusal(self) -> None:
        """Raise the first refusal with a summary, if there was one."""
        if not self._refused:
            return
        first = next(iter(self._refused.values()))
        told = f"Refused: {', '.join(self._refused)}; allowed: {', '.join(self._allowed) or 'nothing'}."
        if "write" in self._refused and not self._refused.keys() & {"list", "read"}:
            told += " Or say readOnly: true in the Datastore, to read only."
        raise MoverFailure(first.reason, f"{first.message} {told}")


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
        raise MoverFailure(Reason.NO_ANSWER, f"{message} {advice}")
    if isinstance(given[0], BaseException):
        raise given[0]
    return str(given[0])
