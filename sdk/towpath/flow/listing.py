"""The sources of a dataset, registered or not → what a mover is told so that it lists them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from towpath.api.dataset import DatasetSpec
from towpath.api.datastore import Datastore
from towpath.api.sources import Format, InlineDataset, Source
from towpath.flow import names
from towpath.flow.datastores import planned_datastore
from towpath.flow.mover_orders import Listing
from towpath.flow.readiness import why_not_ready


def datastores_of(sources: Iterable[Source]) -> Iterator[str]:
    """The names of the datastores that sources lie in, or are copied into."""
    for source in sources:
        yield source.datastore or names.DEFAULT_DATASTORE
        if is_copied(source):
            yield names.DEFAULT_DATASTORE


def is_copied(source: Source) -> bool:
    """Whether the files of a source are copied: they lie behind a URL, or in an archive."""
    return source.url is not None or source.archive is not None


def why_not_copied(sources: Iterable[Source], datastores: Mapping[str, Datastore]) -> str | None:
    """Why what must be copied cannot be, or None."""
    datastore = datastores.get(names.DEFAULT_DATASTORE)
    if datastore is None or not datastore.spec.read_only or not any(map(is_copied, sources)):
        return None
    return f"a URL or an archive is copied into Datastore {names.DEFAULT_DATASTORE}, which is readOnly"


def written_into(sources: Collection[Source], datastores: Mapping[str, Datastore]) -> str | None:
    """The datastore that takes the inventory of sources; None where none of those there are can be written to."""
    # Beside its data where that can be written: who may read the data may then read the list. That of copies lies
    # beside them, where a sweep finds both.
    copied = [names.DEFAULT_DATASTORE for source in sources if is_copied(source)]
    for name in (*copied, *datastores_of(sources), names.DEFAULT_DATASTORE):
        datastore = datastores.get(name)
        if datastore and not datastore.spec.read_only and why_not_ready(datastore) is None:
            return name
    return None


def listing_of(given: DatasetSpec | InlineDataset, into: str, datastores: Mapping[str, Datastore]) -> Listing:
    """What to list. Each datastore that is named must exist."""
    stores = sorted({into, *datastores_of(given.sources)})
    return Listing(
        type=given.type.value,
        sources=tuple(map(source_document, given.sources)),
        into=into,
        datastores=tuple(planned_datastore(datastores[name]) for name in stores),
        format=format_document(given.format),
    )


def format_document(format_: Format | None) -> dict[str, Any] | None:
    """How rows are written, with every default in its place: equal formats give equal documents."""
    return format_.as_dict() if format_ else None


def source_document(source: Source) -> dict[str, Any]:
    """A source as a mover is told of it."""
    document: dict[str, Any] = {"url": source.url}
    if source.url is None:
        datastore = source.datastore or names.DEFAULT_DATASTORE
        document = {"path": source.path, "datastore": datastore, "hash": source.hash.value}
    ca = source.ca_config_map_ref.name if source.ca_config_map_ref else None
    document |= {"caConfigMap": ca, "partitionFormat": source.partition_format}
    document |= {"archive": source.archive.as_dict() if source.archive else None}
    return {key: value for key, value in document.items() if value is not None}
