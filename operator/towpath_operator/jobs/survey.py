"""What a run must know before it is planned → the Job whose movers find it out: inventories, or counts of views."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from towpath.flow import names
from towpath.flow.documents import datastore_document, inventory_document
from towpath.flow.mover_orders import CountSurvey, InventorySurvey, Survey
from towpath.flow.planned import FORMAT_VERSION
from towpath_operator.jobs.inventory import listing_order
from towpath_operator.jobs.job import Object, Owner, mover_of_run
from towpath_operator.jobs.mover_job import MoverOrder, mover_job, movers_job
from towpath_operator.jobs.settings import PodSettings


def render(survey: Survey, owner: Owner, image: str, settings: PodSettings) -> Object:
    """The Job of a run; the same survey gives the same Job. `image` is the movers' own."""
    match survey:
        case InventorySurvey():
            name = names.mover_job_name(names.INVENTORY_COMPONENT, owner.name, owner.uid, survey.ask)
            identity = mover_of_run(name, names.INVENTORY_COMPONENT, survey.ask, owner)
            return movers_job(identity, _listings(survey, owner, image), settings)
        case CountSurvey():
            name = names.mover_job_name(names.COUNT_COMPONENT, owner.name, owner.uid, survey.ask)
            identity = mover_of_run(name, names.COUNT_COMPONENT, survey.ask, owner)
            return mover_job(identity, _count(survey, owner, image), settings)


def _listings(survey: InventorySurvey, owner: Owner, image: str) -> list[MoverOrder]:
    orders = [
        listing_order(listing, owner.namespace, name, image)
        for listing, name in zip(survey.listings, survey.inputs, strict=True)
    ]
    return [replace(order, container=names.listing_container(number)) for number, order in enumerate(orders)]


def _count(survey: CountSurvey, owner: Owner, image: str) -> MoverOrder:
    views: list[dict[str, Any]] = [
        {
            "input": name,
            "inventory": inventory_document(view.inventory),
            "transforms": [dict(transform) for transform in view.transforms],
            **({"shards": view.shards} if view.shards > 1 else {}),
        }
        for view, name in zip(survey.views, survey.inputs, strict=True)
    ]
    document = {
        "formatVersion": FORMAT_VERSION,
        "namespace": owner.namespace,
        "views": views,
        "datastores": [datastore_document(datastore) for datastore in survey.datastores],
    }
    return MoverOrder(names.COUNT_CONTAINER, image, document, survey.datastores)
