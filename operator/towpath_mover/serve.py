"""`serve`: a datastore's bytes for a laptop, over the pod's loopback, to which only a port-forward leads.

The pod is its user's own. It ends by itself when nobody has asked for a while, however the laptop's process ended.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from threading import Thread
from typing import NamedTuple

from towpath_mover import memory
from towpath_mover.fields import read_variable
from towpath_mover.order import ORDER_VARIABLE
from towpath_mover.pod_paths import pod_paths
from towpath_mover.report import Report
from towpath_mover.served_door import Door
from towpath_mover.served_requests import Server
from towpath_mover.served_store import ServedStore
from towpath_mover.stores import Datastore, datastore_from, open_store
from towpath_mover.transfer_protocol import PORT

# Tests run several on one machine.
PORT_VARIABLE = "TOWPATH_SERVE_PORT"


class ServeOrder(NamedTuple):
    """One datastore, the SHA-256 of the token that opens it, and after how much silence to end."""

    namespace: str
    datastore: Datastore
    token_sha256: str
    idle_seconds: int


def serve_order(environ: Mapping[str, str]) -> ServeOrder:
    """Return the order of `serve`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    return ServeOrder(
        order.text("namespace"),
        datastore_from(order.child("datastore")),
        order.text("tokenSHA256"),
        order.number("idleSeconds"),
    )


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> Report:  # noqa: ARG001 - every mover has both
    """Serve until nobody has asked for a while."""
    memory.keep_little()
    order = serve_order(environ)
    # A missing Secret is said at once, as the pod's last words.
    store = open_store(order.datastore, pod_paths(environ).places)
    port = int(environ.get(PORT_VARIABLE) or PORT)
    door = Door(ServedStore(store, order.namespace), order.token_sha256)
    with Server(("127.0.0.1", port), door) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        door.wait_until_idle(order.idle_seconds)
    return {"served": True, "requests": door.requests, "pid": os.getpid()}
