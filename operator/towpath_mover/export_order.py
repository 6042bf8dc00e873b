"""The document in `TOWPATH_ORDER` of an export → a frozen order: which output is copied, and where to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath_mover.export_claim import Claim
from towpath_mover.fields import read_variable
from towpath_mover.order import ORDER_VARIABLE, ExportPlace, InventoryRef, datastores_of, inventory_of
from towpath_mover.stores import Datastore


class ExportOrder(NamedTuple):
    """One published output to copy; `files` and `bytes` are for progress."""

    claim: Claim
    inventory: InventoryRef
    place: ExportPlace
    files: int
    bytes: int
    datastores: Mapping[str, Datastore]


def export_order(environ: Mapping[str, str]) -> ExportOrder:
    """Return the order of `export`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    run, content, place = order.child("run"), order.child("content"), order.child("export")
    claim = Claim(
        order.text("namespace"),
        run.text("name"),
        run.text("uid"),
        order.text("step"),
        order.text("output"),
        run.optional_text("retried"),
    )
    return ExportOrder(
        claim=claim,
        inventory=inventory_of(content.child("inventory")),
        place=ExportPlace(place.text("datastore"), place.text("path")),
        files=content.number("files"),
        bytes=content.number("bytes"),
        datastores=datastores_of(order),
    )
