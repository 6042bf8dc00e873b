"""A Dataset's sources and the question why they are looked at → the Job whose mover takes their inventory."""

from __future__ import annotations

from towpath.flow import names
from towpath.flow.documents import datastore_document
from towpath.flow.mover_orders import Listing
from towpath.flow.planned import FORMAT_VERSION
from towpath.flow.sources import Installation
from towpath_operator.jobs.job import JobIdentity, Object, Owner
from towpath_operator.jobs.mover_job import MoverOrder, mover_job
from towpath_operator.jobs.settings import PodSettings


def render(
    listing: Listing, owner: Owner, ask: str, installation: Installation, settings: PodSettings
) -> Object:
    """The inventory Job of a Dataset; the same `ask` gives the same Job."""
    identity = JobIdentity(
        name=names.mover_job_name(names.INVENTORY_COMPONENT, owner.name, owner.uid, ask),
        owner=owner,
        labels=names.job_labels(names.INVENTORY_COMPONENT)
        | {names.DATASET_LABEL: names.label_value(owner.name)},
        annotations={names.ASK_ANNOTATION: ask},
    )
    order = listing_order(listing, owner.namespace, owner.name, installation.mover_image)
    return mover_job(identity, order, settings)


def listing_order(listing: Listing, namespace: str, dataset: str, image: str) -> MoverOrder:
    """What the mover of one inventory is told; `dataset` is what its messages call it."""
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": namespace,
        "dataset": dataset,
        "type": listing.type,
        "sources": [dict(source) for source in listing.sources],
        "into": listing.into,
        "datastores": [datastore_document(datastore) for datastore in listing.datastores],
    }
    document |= {"format": dict(listing.format)} if listing.format else {}
    return MoverOrder(names.INVENTORY_CONTAINER, image, document, listing.datastores, _trusted(listing))


def _trusted(listing: Listing) -> tuple[str, ...]:
    return tuple(sorted({source["caConfigMap"] for source in listing.sources if "caConfigMap" in source}))
