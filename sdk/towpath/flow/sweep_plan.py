"""A Datastore and all that its namespace refers to → the order of a sweep: what may go, and what must stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from towpath.api.datastore import KINDS_OF_STORE, Datastore
from towpath.flow import names, store_keys
from towpath.flow.contents import Content, PinnedSource
from towpath.flow.datastores import planned_datastore
from towpath.flow.mover_orders import Sweep
from towpath.flow.planned import Plan
from towpath.flow.sweep_flow import SweepSources, letting_go
from towpath.flow.sweep_references import folder_of, folders_wanted_by, is_finished, is_settled, named_by
from towpath.flow.sweep_sources import ALL, kept_inventories, kept_sources
from towpath.flow.verdicts import Moment

# How a Datastore's kind says which of its places it is, but for the prefix.
_PLACES = {"s3": "bucket", "azureBlob": "container", "gcs": "bucket", "persistentVolumeClaim": "claimName"}


_CLOCKS_APART_SECONDS = 3600


@dataclass(frozen=True)
class References:
    """The plans of unfinished runs, by UID, and the namespace's Datastores: two of them may be one place."""

    plans: Mapping[str, Plan] = field(default_factory=dict)
    datastores: tuple[Datastore, ...] = ()


def sweep_of(
    sources: SweepSources, references: References, cluster_id: str, requested: str | None, moment: Moment
) -> Sweep:
    """What a sweep may delete. Every unfinished run must have its plan among the `references`."""
    datastore, limits = sources.datastore, moment.limits
    untouched = _untouched(sources)
    plans = tuple(references.plans.values())
    inventories = kept_inventories(sources, plans)
    kept = {
        store_keys.prefix_mark(attempt)
        for attempt in _kept(sources, references)
        if store_keys.run_folder_of(attempt) not in untouched
    }
    is_asked_dry = requested is not None and requested.startswith(names.DRY_RUN)
    return Sweep(
        datastore=planned_datastore(datastore),
        cluster_id=cluster_id,
        datasets=tuple(sorted(letting_go(sources.datasets))),
        runs=tuple(sorted(map(store_keys.prefix_mark, untouched))),
        kept=tuple(sorted(kept)),
        in_place=tuple(sorted(set(_in_place(sources, references)))),
        written_since=_seconds(datastore.metadata.creation_timestamp),
        # What begins from now on is in none of these lists, whatever the age is set to.
        written_before=int(moment.now.timestamp()) - limits.sweep_older_than_seconds,
        is_dry=limits.sweep_is_dry or is_asked_dry,
        requested=requested,
        inventories=tuple(sorted(inventories)),
        sources=tuple(sorted(set(kept_sources(sources, plans)))),
        condemned_before=None if ALL in inventories else _condemned_before(sources, moment),
    )


def _condemned_before(sources: SweepSources, moment: Moment) -> int:
    """Who looked at a source before it was condemned may have taken it up, and is waited for as long as it is there."""
    aged = int(moment.now.timestamp()) - moment.limits.sweep_older_than_seconds
    if sources.oldest_look is None:
        return aged
    # The store's clock and the cluster's differ.
    apart = min(moment.limits.sweep_older_than_seconds, _CLOCKS_APART_SECONDS)
    return min(aged, int(sources.oldest_look.timestamp()) - apart)


def _untouched(sources: SweepSources) -> set[str]:
    """The folders of runs of which nothing can go: they are not even looked into."""
    versions = _names(sources)
    unfinished = [run for run in sources.runs if not is_finished(run)]
    folders = {folder_of(run) for run in unfinished}
    folders |= {folder for run in unfinished for folder in folders_wanted_by(run)}
    return folders | {folder_of(run) for run in sources.runs if is_settled(run, versions)}


def _kept(sources: SweepSources, references: References) -> Iterator[str]:
    namespace = sources.datastore.metadata.namespace or ""
    theirs = [one.spec.inventory.path for one in sources.versions]
    for path in (*theirs, *(content.inventory.path for content in _pinned(references))):
        attempt = store_keys.attempt_at(namespace, path)
        if attempt is not None:
            yield attempt
    versions = _names(sources)
    for run in sources.runs:
        yield from named_by(run, versions)


def _names(sources: SweepSources) -> set[str]:
    return {one.metadata.name or "" for one in sources.versions}


def _pinned(references: References) -> Iterator[Content]:
    for plan in references.plans.values():
        for step in plan.steps:
            yield from (given.pinned for given in step.inputs if given.pinned is not None)


def _in_place(sources: SweepSources, references: References) -> Iterator[str]:
    """What sources name in the place that is swept, whatever Datastore they name it by: whole keys, with prefixes."""
    known = {one.metadata.name: one for one in (*references.datastores, sources.datastore)}
    swept = _place(sources.datastore)
    for name, path in _named(sources, references):
        there = _place(known[name]) if name in known else None
        if there is None or there[:2] != swept[:2]:
            continue
        # A pattern does not see what Towpath keeps for itself below this prefix, unless it names it.
        base, own = _base(path), f"{sources.datastore.metadata.namespace}/"
        if there != swept or base.startswith(own):
            yield there[2] + base


def _named(sources: SweepSources, references: References) -> Iterator[tuple[str, str]]:
    for one in sources.datasets:
        for source in one.spec.sources:
            if source.path is not None:
                yield source.datastore or names.DEFAULT_DATASTORE, source.path
    for plan in references.plans.values():
        for given in (given for step in plan.steps for given in step.inputs):
            pinned = given.source.sources if isinstance(given.source, PinnedSource) else ()
            yield from ((one["datastore"], one["path"]) for one in pinned if "path" in one)


def _base(path: str) -> str:
    """The part of a path before its first pattern."""
    return path[: next((place for place, letter in enumerate(path) if letter in "*?["), len(path))]


def _place(datastore: Datastore) -> tuple[str, Any, str]:
    """What kind of store, which bucket or the like, and the prefix. Endpoints have many names, so they do not count."""
    described = datastore.spec.as_dict()
    kind = next(kind for kind in KINDS_OF_STORE if kind in described)
    location = described[kind]
    prefix = (location.get("prefix") or location.get("subPath") or "").strip("/")
    return kind, location.get(_PLACES[kind]), f"{prefix}/" if prefix else ""


def _seconds(moment: datetime | None) -> int:
    return int(moment.timestamp()) if moment else 0
