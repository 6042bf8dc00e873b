"""The document in `TOWPATH_ORDER` of a sweep, and the lists beside it → a frozen order: what may be deleted, what not.

The lists are too long for a variable: they are files of the pod, gzipped JSON, from ConfigMaps that the sweep owns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from towpath_mover.fields import Fields, OrderError, read_variable, read_zipped
from towpath_mover.order import ORDER_VARIABLE
from towpath_mover.owner import Owner
from towpath_mover.pod_paths import PodPaths
from towpath_mover.stores import Datastore, datastore_from
from towpath_mover.sweep_rules import Rules


class Record(NamedTuple):
    """The record of a finished run that is to be written: the run's folder, and the document."""

    run: str
    document: Mapping[str, Any]


class SweepOrder(NamedTuple):
    """What a sweep is to do. Only what was written in the window goes, in seconds since 1970.

    Of inventories and copies of sources only what was condemned before `condemned_before` is deleted; None: all stay.
    """

    owner: Owner
    datastore: Datastore
    rules: Rules
    written_since: int
    written_before: int
    is_dry: bool
    requested: str | None
    records: tuple[Record, ...]
    condemned_before: int | None = None


def sweep_order(paths: PodPaths, environ: Mapping[str, str]) -> SweepOrder:
    """Return the order of `sweep`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    namespace = order.text("namespace")
    lists = [_file(paths, f"list-{number}") for number in range(order.number("lists"))]
    records = (_file(paths, f"record-{number}") for number in range(order.number("records")))
    return SweepOrder(
        owner=Owner(order.text("clusterID"), namespace),
        datastore=datastore_from(order.child("datastore")),
        rules=_rules(namespace, lists),
        written_since=order.number("writtenSince"),
        written_before=order.number("writtenBefore"),
        is_dry=order.flag("dryRun"),
        requested=order.optional_text("requested"),
        records=tuple(Record(_word(record, "folder"), record.plain()) for record in records),
        condemned_before=order.optional_number("condemnedBefore"),
    )


def _file(paths: PodPaths, name: str) -> Fields:
    return read_zipped(paths.sweep / name).check_format()


def _rules(namespace: str, lists: Sequence[Fields]) -> Rules:
    return Rules(
        namespace=namespace,
        datasets=frozenset(_words(lists, "datasets")),
        runs=frozenset(_words(lists, "runs")),
        kept=frozenset(_words(lists, "kept")),
        in_place=tuple(_texts(lists, "inPlace")),
        inventories=frozenset(_words(lists, "inventories")),
        sources=frozenset(_words(lists, "sources")),
    )


def _words(lists: Iterable[Fields], key: str) -> list[str]:
    # Each is one part of a key: with a slash, or empty, it would be other folders.
    words = [word for one in lists if (text := one.optional_text(key)) for word in text.split(",")]
    if not all(words) or any("/" in word for word in words):
        raise OrderError(f"The {key} of the order are not words.")
    return words


def _word(document: Fields, key: str) -> str:
    word = document.text(key)
    if not word or "/" in word or word in (".", ".."):
        raise OrderError(f"The {key} of a record is not a word.")
    return word


def _texts(lists: Iterable[Fields], key: str) -> list[str]:
    found = chain.from_iterable(one.plain().get(key) or () for one in lists)
    return [str(text) for text in found]
