"""A Dataset, its versions and its inventory movers → its status, and what to do next: look, or make a version.

A crash anywhere leaves at most a gap in the numbers: `status.lastVersion` is raised and awaited first, then the
version is created, and only when it is seen does the status speak of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from towpath.api.dataset import Dataset
from towpath.flow import movers, names, registration, reports, support
from towpath.flow.dataset_status import DatasetSources, Said, changed, looked_at, status_of
from towpath.flow.datastore_flow import requested_at
from towpath.flow.documents import content_document
from towpath.flow.listing import datastores_of, format_document, listing_of, why_not_copied, written_into
from towpath.flow.mover_orders import Listing
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost
from towpath.flow.observed import ObservedMover, ObservedVersion
from towpath.flow.readiness import ready_condition, why_not_ready
from towpath.flow.ready_reasons import DatasetReason
from towpath.flow.refusals import refused_job
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.reports import InventoryReport
from towpath.flow.verdicts import Moment


@dataclass(frozen=True)
class DatasetDecision:
    """What to do for a Dataset, in this order: write `status` where there is one, and await it; create `version`
    (a manifest); make the `inventory` Job, which answers `ask`; delete Jobs. `ask_probe` names Datastores to be
    looked at now."""

    status: dict[str, Any] | None = None
    version: dict[str, Any] | None = None
    inventory: Listing | None = None
    ask: str = ""
    delete: tuple[str, ...] = ()
    ask_admission: tuple[str, ...] = ()
    ask_probe: tuple[str, ...] = ()
    check_after_seconds: float | None = None


def decide_dataset(sources: DatasetSources, moment: Moment) -> DatasetDecision:
    """What to do for a Dataset now."""
    dataset = sources.dataset
    refusal = support.refusal(dataset.spec)
    if refusal is not None:
        return _said_only(sources, ("False", DatasetReason.NOT_SUPPORTED_YET, refusal), moment)
    if not dataset.spec.sources:
        return _said_only(sources, _of_registered(sources), moment)
    ask = ask_of(dataset)
    mover = movers.chosen(sources.inventories, ask)
    if mover is not None:
        return replace(_looked(sources, mover, moment), delete=movers.outdated(sources.inventories, ask))
    left = _seconds_until_due(sources, moment)
    if left is None or left > 0:
        status = changed(sources, status_of(sources, None, moment))
        outdated = movers.outdated(sources.inventories, ask)
        return DatasetDecision(status, delete=outdated, check_after_seconds=left)
    return replace(_look(sources, ask, moment), delete=movers.earlier(sources.inventories, ask))


def ask_of(dataset: Dataset) -> str:
    """What the next look is for: a look that has ended changes it."""
    return names.ask_of(dataset.metadata.generation, requested_at(dataset), dataset.status.observed_at)


def _of_registered(sources: DatasetSources) -> Said:
    if sources.versions:
        return "True", DatasetReason.READY, "its versions come from runs"
    words = "it has no sources, and no run has registered a version yet"
    return "False", DatasetReason.NO_VERSION, words


def _said_only(sources: DatasetSources, said: Said, moment: Moment) -> DatasetDecision:
    return DatasetDecision(changed(sources, status_of(sources, said, moment)))


def _seconds_until_due(sources: DatasetSources, moment: Moment) -> float | None:
    dataset = sources.dataset
    ready, observed_at = ready_condition(dataset), dataset.status.observed_at
    is_new = ready is None or ready.observed_generation != dataset.metadata.generation
    if ready is None or is_new or observed_at is None or requested_at(dataset) != dataset.status.requested_at:
        return 0.0
    waits = [*_refreshes(sources, moment)]
    if ready.status != "True" or not sources.versions:
        pause = movers.next_look(observed_at, ready.last_transition_time, sources.is_asked)
        waits.append(pause - moment.paused_since(observed_at))
    return max(0.0, min(waits)) if waits else None


def _refreshes(sources: DatasetSources, moment: Moment) -> Iterator[float]:
    """Seconds until `refresh` asks for a look: by its interval, and for a run that waits for one."""
    refresh, status = sources.dataset.spec.refresh, sources.dataset.status
    if refresh and refresh.interval_seconds and status.observed_at:
        yield refresh.interval_seconds - moment.paused_since(status.observed_at)
    wanted = sources.wanted_after
    if wanted and (status.look_began_at is None or status.look_began_at <= wanted):
        # Not in the same second as the run: by their times it could not be told which was first.
        yield 1.0 - moment.seconds_since(wanted)


def _look(sources: DatasetSources, ask: str, moment: Moment) -> DatasetDecision:
    """Look at the sources, if every datastore that is needed for it can be used."""
    given = sources.dataset.spec
    for name in sorted(set(datastores_of(given.sources))):
        datastore = sources.datastores.get(name)
        why = why_not_ready(datastore) if datastore else "it does not exist."
        if why:
            words = f"Datastore {name} is not Ready: {why}"
            said = ("False", DatasetReason.DATASTORE_NOT_READY, words)
            ask_probe = (name,) if datastore else ()
            status = changed(sources, status_of(sources, said, moment))
            return DatasetDecision(status, ask_probe=ask_probe, check_after_seconds=30.0)
    into = written_into(given.sources, sources.datastores)
    refused = why_not_copied(given.sources, sources.datastores)
    if into is None or refused:
        words = refused or "its datastores are readOnly, and so is, or is missing, the one named default"
        return _said_only(sources, ("False", DatasetReason.READ_ONLY, words), moment)
    refused, ready = refused_job(sources.refused.get(ask)), ready_condition(sources.dataset)
    said = ("Unknown", DatasetReason.TAKING_INVENTORY, refused or "its sources are being listed")
    is_told = ready is None or (refused is not None and ready.status != "True")
    status = changed(sources, status_of(sources, said, moment)) if is_told else None
    check = float(moment.limits.no_pod_seconds)
    listing = listing_of(given, into, sources.datastores)
    return DatasetDecision(status, inventory=listing, ask=ask, check_after_seconds=check)


def _looked(sources: DatasetSources, mover: ObservedMover, moment: Moment) -> DatasetDecision:
    verdict = movers.judge_mover(mover, moment)
    match verdict:
        case MoverGoing():
            return _under_way(sources, mover, verdict, moment)
        case MoverLost():
            said = ("False", DatasetReason.INVENTORY_FAILED, verdict.message)
        case MoverEnded():
            found = _found(verdict)
            if isinstance(found, InventoryReport):
                return _registered(sources, mover, found, moment)
            said = ("False", *found)
    status = looked_at(sources, mover, said, moment)
    return DatasetDecision(status, check_after_seconds=movers.FIRST_PAUSE_SECONDS)


def _under_way(
    sources: DatasetSources, mover: ObservedMover, going: MoverGoing, moment: Moment
) -> DatasetDecision:
    ready = ready_condition(sources.dataset)
    status = None
    # A version that can be used stays usable while its sources are looked at again.
    if going.message and (ready is None or ready.status != "True"):
        said = ("Unknown", DatasetReason.TAKING_INVENTORY, going.message)
        status = changed(sources, status_of(sources, said, moment))
    ask = (mover.job,) if going.ask_admission else ()
    return DatasetDecision(status, ask_admission=ask, check_after_seconds=going.check_after_seconds)


def _found(ended: MoverEnded) -> InventoryReport | tuple[DatasetReason, str]:
    """What the sources hold, or why that is not known."""
    if ended.exit_code == 0:
        try:
            return reports.read_inventory(ended.text)
        except UnreadableReportError as error:
            return DatasetReason.INVENTORY_FAILED, f"the inventory's report cannot be read: {error}"
    failure = reports.read_failure(ended.text)
    if failure is None:
        words = f"the mover ended with exit code {ended.exit_code} and left no report"
        return DatasetReason.INVENTORY_FAILED, words
    known = next((known for known in DatasetReason if known == failure.reason), None)
    words = failure.message if known else f"{failure.reason}: {failure.message}"
    return known or DatasetReason.INVENTORY_FAILED, words


def _registered(
    sources: DatasetSources, mover: ObservedMover, found: InventoryReport, moment: Moment
) -> DatasetDecision:
    last = sources.dataset.status.last_version or 0
    choice = registration.register(last, _observed(sources), None, found.content.inventory.digest)
    if isinstance(choice, registration.Existing):
        words = f"version {choice.version.version} is what its sources hold"
        return DatasetDecision(looked_at(sources, mover, ("True", DatasetReason.READY, words), moment))
    raised = {**sources.dataset.status.as_dict(), "lastVersion": choice.number}
    version = _version_manifest(sources.dataset, found, choice.number)
    return DatasetDecision(raised, version, check_after_seconds=1.0)


def _observed(sources: DatasetSources) -> list[ObservedVersion]:
    """The versions; the same bytes with records of another kind, or in another format, are other content."""
    wanted = sources.dataset.spec
    return [
        ObservedVersion(
            one.metadata.name or "",
            one.spec.dataset,
            one.spec.version,
            one.spec.inventory.digest
            if (one.spec.type, one.spec.format) == (wanted.type, wanted.format)
            else "",
        )
        for one in sources.versions
    ]


def _version_manifest(dataset: Dataset, found: InventoryReport, number: int) -> dict[str, Any]:
    name = dataset.metadata.name or ""
    spec: dict[str, Any] = {"dataset": name, "version": number, "type": dataset.spec.type.value}
    spec |= content_document(replace(found.content, format=format_document(dataset.spec.format)))
    if found.columns:
        spec["schema"] = {"columns": [{"name": column, "type": type_} for column, type_ in found.columns]}
    spec |= {"tags": dict(dataset.spec.tags)} if dataset.spec.tags else {}
    spec |= {"description": dataset.spec.description} if dataset.spec.description else {}
    labels = {names.DATASET_LABEL: names.label_value(name)}
    metadata = {"name": names.version_name(name, number), "namespace": dataset.metadata.namespace}
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DatasetVersion",
        "metadata": metadata | {"labels": labels},
        "spec": spec,
    }
