"""The document in `TOWPATH_ORDER` of a sweep → a frozen order: what may be deleted, and what may not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath_mover.fields import Fields, OrderError, read_variable
from towpath_mover.order import ORDER_VARIABLE
from towpath_mover.stores import Datastore, datastore_from


class SweepOrder(NamedTuple):
    """What may be deleted in a datastore: attempts of `datasets`, but for those of `runs` and those that are `kept`.

    `kept` holds marks of prefixes (`names.prefix_mark`); `written_before` is in seconds since 1970.
    """

    namespace: str
    datastore: Datastore
    datasets: tuple[str, ...]
    runs: frozenset[str]
    kept: frozenset[str]
    written_before: int
    is_dry: bool


def sweep_order(environ: Mapping[str, str]) -> SweepOrder:
    """Return the order of `sweep`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    return SweepOrder(
        namespace=order.text("namespace"),
        datastore=datastore_from(order.child("datastore")),
        datasets=tuple(_words(order, "datasets")),
        runs=frozenset(_words(order, "runs")),
        kept=frozenset(_words(order, "kept")),
        written_before=order.number("writtenBefore"),
        is_dry=order.flag("dryRun"),
    )


def _words(order: Fields, key: str) -> list[str]:
    # Each is one part of a key: with a slash, or empty, it would be other folders.
    words = order.text(key).split(",") if order.optional_text(key) else []
    if not all(words) or any("/" in word for word in words):
        raise OrderError(f"The {key} of the order are not words.")
    return words
