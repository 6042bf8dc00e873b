"""The versions of a dataset that exist, also those that no event has told of yet."""

from __future__ import annotations

from towpath.flow import names
from towpath_operator.cluster.listing import list_all
from towpath_operator.cluster.resources import DATASET_VERSIONS
from towpath_operator.handlers.context import Context


async def learn_versions(context: Context, namespace: str, dataset: str, last: int) -> bool:
    """Whether there are versions up to number `last` that were not known; they are now.

    Another leader may have raised the number, made the version and died: to make one now could make it twice.
    """
    store = context.cache.versions
    known = (one["spec"]["version"] for one in store.all(namespace) if one["spec"]["dataset"] == dataset)
    if max(known, default=0) >= last:
        return False
    labels = {"labelSelector": f"{names.DATASET_LABEL}={names.label_value(dataset)}"}
    found, _ = await list_all(context.client, DATASET_VERSIONS, namespace, labels)
    return sum(store.put(item) for item in found) > 0
