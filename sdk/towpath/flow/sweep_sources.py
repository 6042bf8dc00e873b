"""What versions, runs and Datasets say → the inventories and the copies of sources that no sweep may delete.

A run says in its status which inventories its plan pinned, so that it can be taken up or looked into as long as it is
there, and no sweep has to read the plans of all runs that have ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from towpath.api.dataset import Dataset, DeletionPolicy
from towpath.flow import store_keys
from towpath.flow.contents import PinnedSource
from towpath.flow.listing import is_copied, source_document
from towpath.flow.planned import Plan
from towpath.flow.sweep_flow import SweepSources

# What a run says that has pinned more than fit into its status.
ALL = "all"
MOST_PINNED = 4096


def pinned_inventories(plan: Plan) -> tuple[str, ...]:
    """The marks of the inventories of sources that a plan's inputs read."""
    paths = {given.pinned.inventory.path for step in plan.steps for given in step.inputs if given.pinned}
    own = {path for path in paths if store_keys.is_source_inventory(plan.run.namespace, path)}
    return tuple(sorted(map(store_keys.prefix_mark, own))) if len(own) <= MOST_PINNED else (ALL,)


def kept_inventories(sources: SweepSources, plans: Iterable[Plan]) -> set[str]:
    """The marks of the inventories that stay; ALL among them where one run has pinned too many to tell."""
    namespace = sources.datastore.metadata.namespace or ""
    paths = (one.spec.inventory.path for one in sources.versions)
    kept = {store_keys.prefix_mark(path) for path in paths if store_keys.is_source_inventory(namespace, path)}
    kept.update(*map(pinned_inventories, plans))
    kept.update(*map(_told, sources.runs))
    return kept


def kept_sources(sources: SweepSources, plans: Iterable[Plan]) -> Iterator[str]:
    """The marks of the sources whose whole copies stay: of Datasets that retain them, and of unfinished runs."""
    namespace = sources.datastore.metadata.namespace or ""
    for document in (*_of_datasets(sources.datasets), *_of_plans(plans)):
        yield store_keys.prefix_mark(store_keys.copies_prefix(namespace, store_keys.copied_source(document)))


def _told(run: Mapping[str, Any]) -> list[str]:
    told = (run.get("status") or {}).get("inventories")
    return told.split(",") if told else []


def _of_datasets(datasets: Iterable[Dataset]) -> Iterator[Mapping[str, Any]]:
    for dataset in datasets:
        if dataset.spec.deletion_policy is DeletionPolicy.RETAIN:
            yield from (source_document(one) for one in dataset.spec.sources if is_copied(one))


def _of_plans(plans: Iterable[Plan]) -> Iterator[Mapping[str, Any]]:
    for given in (given for plan in plans for step in plan.steps for given in step.inputs):
        pinned = given.source.sources if isinstance(given.source, PinnedSource) else ()
        yield from (one for one in pinned if "url" in one or "archive" in one)
