"""`find-result`: the number of an attempt whose pod is gone → what it published, as its `result` says.

The folder of an attempt is named after its pod too. Where the Job made several pods (a queue put one back), the one
with a result is it: a result is the last that an attempt writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from towpath_mover import report
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.fields import read_variable
from towpath_mover.objects import object_state, read_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import ORDER_VARIABLE, datastores_of
from towpath_mover.pod_paths import pod_paths
from towpath_mover.stores import Datastore, Store

_RESULT = "result"


class FindOrder(NamedTuple):
    """Where the attempts of a step lie, and the number of the one that is meant."""

    folder: str
    attempt: int
    datastores: Mapping[str, Datastore]


def find_order(environ: Mapping[str, str]) -> FindOrder:
    """Return the order of `find-result`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    return FindOrder(order.text("folder"), order.number("attempt"), datastores_of(order))


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> report.Report:  # noqa: ARG001 - every mover has both
    """Report what the attempt reported; a named failure where it has no result, or more than one."""
    order = find_order(environ)
    [datastore] = order.datastores
    store = OpenStores(order.datastores, pod_paths(environ).places).store(datastore)
    found = [key for key in _results(store, order) if object_state(store, key) is not None]
    if len(found) != 1:
        message = (
            f"Attempt {order.attempt} below {store.where(order.folder)} has {len(found)} results, and one that"
            " succeeded has one. Its data was deleted, or somebody else wrote there."
        )
        raise MoverFailure(Reason.OUTPUT_CHANGED, message)
    return _read(store, found[0])


def _results(store: Store, order: FindOrder) -> list[str]:
    beginning = f"{order.folder}{order.attempt}-"
    listed = store.list_objects(order.folder, recursive=False)
    return [
        f"{one.key}{_RESULT}" for one in listed if one.key.startswith(beginning) and one.key.endswith("/")
    ]


def _read(store: Store, key: str) -> report.Report:
    try:
        result: Any = json.loads(read_object(store, key))
    except ValueError:
        result = None
    if not isinstance(result, dict):
        message = f"{store.where(key)} is no result: it was changed since the attempt wrote it."
        raise MoverFailure(Reason.OUTPUT_CHANGED, message)
    return {name: value for name, value in result.items() if name != "formatVersion"}
