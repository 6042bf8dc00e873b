"""The document in `TOWPATH_ORDER` of a verification → a frozen order: which outputs are looked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath_mover.fields import read_variable
from towpath_mover.order import ORDER_VARIABLE, InventoryRef, datastores_of, inventory_of
from towpath_mover.stores import Datastore


class OutputToVerify(NamedTuple):
    """An output of an earlier step, and how many files it has."""

    inventory: InventoryRef
    files: int


class VerifyOrder(NamedTuple):
    """Outputs that may be gone."""

    outputs: tuple[OutputToVerify, ...]
    datastores: Mapping[str, Datastore]


def verify_order(environ: Mapping[str, str]) -> VerifyOrder:
    """Return the order of `verify-outputs`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    outputs = (
        OutputToVerify(inventory_of(output.child("inventory")), output.number("files"))
        for output in order.children("outputs")
    )
    return VerifyOrder(tuple(outputs), datastores_of(order))
