"""The document in `TOWPATH_ORDER` of a count → a frozen order: of which parts of inventories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from towpath_mover.fields import Fields, read_variable
from towpath_mover.order import ORDER_VARIABLE, InventoryRef, datastores_of, inventory_of
from towpath_mover.stores import Datastore


class ViewOrder(NamedTuple):
    """A part of an inventory, perhaps shared out; `input` is whose it is, for messages."""

    input: str
    inventory: InventoryRef
    transforms: tuple[Mapping[str, Any], ...]
    shards: int = 1


class CountOrder(NamedTuple):
    """Views that are to be counted."""

    views: tuple[ViewOrder, ...]
    datastores: Mapping[str, Datastore]


def count_order(environ: Mapping[str, str]) -> CountOrder:
    """Return the order of `count-views`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    return CountOrder(tuple(map(_view, order.children("views"))), datastores_of(order))


def _view(view: Fields) -> ViewOrder:
    transforms = tuple(transform.plain() for transform in view.children("transforms"))
    shards = view.optional_number("shards") or 1
    return ViewOrder(view.text("input"), inventory_of(view.child("inventory")), transforms, shards)
