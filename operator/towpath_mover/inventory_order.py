"""The document in `TOWPATH_ORDER` of an inventory → a frozen order: which sources are listed, and where it goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from towpath.flow import store_keys
from towpath_mover.fields import Fields, read_variable
from towpath_mover.order import ORDER_VARIABLE, datastores_of, format_of
from towpath_mover.stores import Datastore


class ArchiveOrder(NamedTuple):
    """How a source is packed, which of its entries are taken, and how much it may hold; None: as usual."""

    type: str
    entry_glob: str | None = None
    max_entries: int | None = None
    max_bytes: int | None = None
    max_ratio: int | None = None


class SourceOrder(NamedTuple):
    """One source of a dataset: a file, folder or glob in a datastore, or a URL.

    `ca_config_map` holds who is trusted beside the public authorities. Only who reads the content imports archives.
    `copied_as` tells its copies from those of other sources.
    """

    path: str = ""
    datastore: str = ""
    url: str | None = None
    by_content: bool = False
    archive: ArchiveOrder | None = None
    partition_format: str | None = None
    ca_config_map: str | None = None
    copied_as: str = ""


class InventoryOrder(NamedTuple):
    """A dataset whose sources are to be listed; the inventory goes into datastore `into`.

    `format` is that of its rows, where its records are rows.
    """

    namespace: str
    dataset: str
    sources: tuple[SourceOrder, ...]
    into: str
    datastores: Mapping[str, Datastore]
    format: Mapping[str, Any] | None = None


def inventory_order(environ: Mapping[str, str]) -> InventoryOrder:
    """Return the order of `take-inventory`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    return InventoryOrder(
        namespace=order.text("namespace"),
        dataset=order.text("dataset"),
        sources=tuple(map(_source, order.children("sources"))),
        into=order.text("into"),
        datastores=datastores_of(order),
        format=format_of(order),
    )


def _source(source: Fields) -> SourceOrder:
    url, archive = source.optional_text("url"), source.optional_child("archive")
    return SourceOrder(
        path="" if url else source.text("path"),
        datastore="" if url else source.text("datastore"),
        url=url,
        by_content=source.optional_text("hash") == "Content",
        archive=_archive(archive) if archive else None,
        partition_format=source.optional_text("partitionFormat"),
        ca_config_map=source.optional_text("caConfigMap"),
        copied_as=store_keys.copied_source(source.plain()) if url or archive else "",
    )


def _archive(archive: Fields) -> ArchiveOrder:
    return ArchiveOrder(
        archive.text("type"),
        archive.optional_text("entryGlob"),
        archive.optional_number("maxEntries"),
        archive.optional_number("maxBytes"),
        archive.optional_number("maxRatio"),
    )
