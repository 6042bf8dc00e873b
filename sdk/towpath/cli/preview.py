"""A run that nobody has made yet → the plan that the operator would make of it, or the mistake in it. Pure.

`resolve` and `plan` are the operator's own. What only a mover could say (the size of a view, what a source holds) is
estimated and called so; what a run would wait for is listed, and taken to come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from towpath.api.datastore import Datastore
from towpath.api.meta import Condition, ConditionStatus
from towpath.flow import documents, names
from towpath.flow.contents import InventoryRef
from towpath.flow.decision import Limits
from towpath.flow.mover_orders import CountSurvey, Survey, View
from towpath.flow.observed import ObservedContainer, ObservedMover, ObservedPod
from towpath.flow.plan import plan as make_plan
from towpath.flow.planned import Plan
from towpath.flow.resolve import resolve
from towpath.flow.row_counts import row_share
from towpath.flow.sources import Refused, Resolved, Sources, Waiting
from towpath.flow.transform_documents import read_chain

# A preview waits for nothing: what is missing is a mistake, and what is not ready is listed.
_LIMITS = Limits(not_found_seconds=0, store_timeout_seconds=1 << 31)
# An inventory that nobody has taken has no digest; by this one it is known.
UNTAKEN = "sha256:" + "0" * 64
Sizes = Mapping[str, tuple[int, int, int]]


@dataclass(frozen=True)
class Foreseen:
    """What a run would come to: a plan, or the mistake for which it would be refused; and what it would wait for."""

    plan: Plan | None = None
    mistake: str | None = None
    waits: tuple[str, ...] = ()
    estimated: frozenset[str] = field(default_factory=frozenset)


def foresee(sources: Sources, sizes: Sizes, now: datetime) -> Foreseen:
    """The plan that the operator would make; `sizes` are files, bytes and disk of pinned inventories, by digest."""
    waits: list[str] = []
    estimated: set[str] = set()
    while True:
        outcome = resolve(sources, now, _LIMITS)
        if isinstance(outcome, Resolved):
            return _planned(make_plan(outcome), tuple(waits), frozenset(estimated))
        if isinstance(outcome, Refused):
            return Foreseen(mistake=f"{outcome.reason}: {outcome.message}", waits=tuple(waits))
        after = _helped(sources, outcome, sizes, now)
        if after is None:
            return Foreseen(mistake=f"{outcome.reason}: {outcome.message}", waits=tuple(waits))
        if outcome.surveys:
            estimated |= {name for survey in outcome.surveys for name in survey.inputs}
        else:
            waits.append(outcome.message)
        sources = after


def _planned(plan: Plan, waits: tuple[str, ...], estimated: frozenset[str]) -> Foreseen:
    too_large = documents.why_too_large(documents.pack(documents.write(plan)))
    return Foreseen(plan, too_large, waits, estimated)


def _helped(sources: Sources, waiting: Waiting, sizes: Sizes, now: datetime) -> Sources | None:
    """The sources after what is waited for has come; None where it is not known what that would be."""
    if waiting.surveys:
        answers = tuple(_answer(survey, sizes, now) for survey in waiting.surveys)
        return replace(sources, surveyors=sources.surveyors + answers)
    for kind, name in waiting.ask:
        if kind == "Datastore" and name in sources.datastores:
            stores = {**sources.datastores, name: _ready(sources.datastores[name], now)}
            return replace(sources, datastores=stores)
        if kind == "Dataset" and name in sources.datasets and sources.versions.get(name):
            dataset = sources.datasets[name]
            spec = dataset.spec.model_copy(update={"refresh": None})
            ready = dataset.model_copy(update={"spec": spec, **_ready_fields(dataset, now)})
            return replace(sources, datasets={**sources.datasets, name: ready})
    return None


def _ready(datastore: Datastore, now: datetime) -> Datastore:
    return datastore.model_copy(update=_ready_fields(datastore, now))


def _ready_fields(thing: object, now: datetime) -> dict[str, object]:
    said = Condition(
        type="Ready",
        status=ConditionStatus.TRUE,
        reason="Ready",
        message="assumed",
        last_transition_time=now,
        observed_generation=thing.metadata.generation or 0,  # type: ignore[attr-defined]
    )
    return {"status": thing.status.model_copy(update={"conditions": (said,)})}  # type: ignore[attr-defined]


def _answer(survey: Survey, sizes: Sizes, now: datetime) -> ObservedMover:
    """A mover that has ended well and says what is estimated."""
    if isinstance(survey, CountSurvey):
        views = [_estimate(view, sizes) for view in survey.views]
        reports = {names.COUNT_CONTAINER: json.dumps({"formatVersion": 1, "views": views})}
    else:
        reports = {
            names.listing_container(number): _untaken(listing.into)
            for number, listing in enumerate(survey.listings)
        }
    containers = {
        name: ObservedContainer(name, "terminated", message=text, exit_code=0, finished_at=now)
        for name, text in reports.items()
    }
    pod = ObservedPod(survey.ask, survey.ask, now, "Succeeded", containers)
    return ObservedMover(survey.ask, survey.ask, now, pod, has_ended=True)


def _estimate(view: View, sizes: Sizes) -> tuple[int, int, int]:
    files, size, scratch = sizes.get(view.inventory.digest, (1, 0, 0))
    share = row_share(read_chain(view.transforms)) / view.shards
    return max(_part(files, share), view.shards), _part(size, share), _part(scratch, share)


def _part(whole: int, share: Fraction) -> int:
    return -(-whole * share.numerator // share.denominator)


def _untaken(into: str) -> str:
    inventory = InventoryRef(into, "not-taken.jsonl.gz", UNTAKEN)
    told = {
        "formatVersion": 1,
        "inventory": documents.inventory_document(inventory),
        "files": 1,
        "bytes": 0,
        "scratchBytes": 0,
        "directory": True,
        "datastores": [into],
    }
    return json.dumps(told)
