"""The sources of a dataset, registered or not → what a mover is told so that it lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from towpath.api.datastore import Datastore
from towpath.api.sources import DatasetType, Source
from towpath.flow import names
from towpath.flow.datastores import planned_datastore
from towpath.flow.planned import PlannedDatastore
from towpath.flow.readiness import why_not_ready


@dataclass(frozen=True)
class Listing:
    """One inventory to take: of which sources, in which datastore it is written, and how to enter what is named."""

    type: str
    sources: tuple[Mapping[str, str], ...]
    into: str
    datastores: tuple[PlannedDatastore, ...]


def datastores_of(sources: Iterable[Source]) -> Iterator[str]:
    """The names of the datastores that sources lie in."""
    for source in sources:
        yield source.datastore or names.DEFAULT_DATASTORE


def written_into(sources: Iterable[Source], datastores: Mapping[str, Datastore]) -> str | None:
    """The datastore that takes the inventory of sources; None where none of those there are can be written to."""
    # Beside its data where that can be written: who may read the data may then read the list.
    for name in (*datastores_of(sources), names.DEFAULT_DATASTORE):
        datastore = datastores.get(name)
        if datastore and not datastore.spec.read_only and why_not_ready(datastore) is None:
            return name
    return None


def listing_of(
    type_: DatasetType, sources: tuple[Source, ...], into: str, datastores: Mapping[str, Datastore]
) -> Listing:
    """What to list. Each datastore that is named must exist."""
    stores = sorted({into, *datastores_of(sources)})
    return Listing(
        type=type_.value,
        sources=tuple(_source(source) for source in sources),
        into=into,
        datastores=tuple(planned_datastore(datastores[name]) for name in stores),
    )


def _source(source: Source) -> dict[str, str]:
    return {
        "path": source.path or "",
        "datastore": source.datastore or names.DEFAULT_DATASTORE,
        "hash": source.hash.value,
    }
