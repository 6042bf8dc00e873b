"""A Datastore, the datasets that let data go, and their versions → whether to sweep now, and what may go then.

Nothing is deleted but what is proven to be of no use: what versions, unfinished runs and outputs refer to stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from towpath.api.dataset import Dataset, DeletionPolicy
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.api.sources import Source
from towpath.flow import movers, names, reports
from towpath.flow.conditions import brief, timestamp
from towpath.flow.datastores import planned_datastore
from towpath.flow.mover_orders import Sweep
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost
from towpath.flow.observed import ObservedMover
from towpath.flow.planned import InventoryRef
from towpath.flow.readiness import why_not_ready
from towpath.flow.reports import SweepReport, UnreadableReportError
from towpath.flow.verdicts import Moment

AGAIN_SECONDS = 86_400.0
FAILED_PAUSE_SECONDS = 600.0
# An order is a variable of a container, which may have 128 KiB; a run's folder is as long as some eight marks.
MOST_KEPT = 6000
_MARKS_PER_RUN = 8


@dataclass(frozen=True)
class SweepSources:
    """A Datastore, and what its namespace has of datasets and versions; `sweeps` are its own movers."""

    datastore: Datastore
    datasets: tuple[Dataset, ...] = ()
    versions: tuple[DatasetVersion, ...] = ()
    sweeps: Sequence[ObservedMover] = ()


@dataclass(frozen=True)
class References:
    """What runs refer to: the folders of unfinished ones, and inventories of what they, or what is shown, need."""

    runs: tuple[str, ...] = ()
    inventories: tuple[InventoryRef, ...] = ()


@dataclass(frozen=True)
class SweepDecision:
    """What to do: write `status` where there is one, then begin the sweep that `ask` stands for."""

    status: dict[str, Any] | None = None
    ask: str | None = None
    delete: tuple[str, ...] = ()
    ask_admission: tuple[str, ...] = ()
    check_after_seconds: float | None = None


def decide_sweep(sources: SweepSources, moment: Moment) -> SweepDecision:
    """Whether to sweep a Datastore now: when a version is gone whose Dataset says Delete, and each day after that."""
    datastore, status = sources.datastore, sources.datastore.status
    gone = list(_gone(sources))
    since = names.ask_of(status.swept_at)
    sweep = next((one for one in sources.sweeps if _half(one, 1) == since and not one.deleting), None)
    if sweep is not None:
        return _begun(datastore, sweep, moment)
    if not gone or datastore.spec.read_only or why_not_ready(datastore) is not None:
        return SweepDecision()
    wanted = names.ask_of(*gone)
    left = _seconds_until_due(datastore, wanted, moment)
    if left > 0:
        return SweepDecision(check_after_seconds=left)
    earlier = tuple(sorted(one.job for one in sources.sweeps if not one.deleting))
    return SweepDecision(None, f"{wanted}-{since}", earlier, check_after_seconds=moment.limits.no_pod_seconds)


def sweep_of(sources: SweepSources, references: References, moment: Moment) -> Sweep | None:
    """What the sweep may delete; None if nothing can go, or more is kept than an order can say."""
    namespace = sources.datastore.metadata.namespace or ""
    theirs = [InventoryRef(**one.spec.inventory.as_dict()) for one in sources.versions]
    # Whatever their Datastore is called: two of them may be one place.
    kept = {
        names.prefix_mark(names.attempt_prefix_of(one.path))
        for one in (*theirs, *references.inventories)
        if one.path.startswith(f"{namespace}/datasets/")
    }
    datasets = [one for one in _letting_go(sources) if not _is_read_in_place(sources, one)]
    if not datasets or len(kept) + len(references.runs) * _MARKS_PER_RUN > MOST_KEPT:
        return None
    limits = moment.limits
    return Sweep(
        datastore=planned_datastore(sources.datastore),
        datasets=tuple(datasets),
        runs=tuple(sorted(references.runs)),
        kept=tuple(sorted(kept)),
        # What begins from now on is in none of these lists, whatever the age is set to.
        written_before=int(moment.now.timestamp()) - limits.sweep_older_than_seconds,
        is_dry=limits.sweep_is_dry,
    )


def not_swept(datastore: Datastore, why: str, moment: Moment) -> dict[str, Any]:
    """The status after a sweep that could not be, or failed: it is tried again later."""
    after = {key: value for key, value in datastore.status.as_dict().items() if key != "sweptFor"}
    return after | {"sweptAt": timestamp(moment.now), "swept": brief(why, 1000)}


def _letting_go(sources: SweepSources) -> Iterator[str]:
    """The datasets whose deleted versions take along what steps wrote for them."""
    for dataset in sources.datasets:
        if dataset.spec.deletion_policy is DeletionPolicy.DELETE and not dataset.spec.sources:
            yield dataset.metadata.name or ""


def _gone(sources: SweepSources) -> Iterator[str]:
    """Names of versions that are not there, though their numbers were given."""
    there = {(one.spec.dataset, one.spec.version) for one in sources.versions}
    last = {one.metadata.name: one.status.last_version or 0 for one in sources.datasets}
    for name in sorted(_letting_go(sources)):
        yield from (f"{name}@{number}" for number in range(1, last[name] + 1) if (name, number) not in there)


def _is_read_in_place(sources: SweepSources, dataset: str) -> bool:
    """Whether a Dataset's source names, as files in place, what steps wrote for another."""
    namespace = sources.datastore.metadata.namespace or ""
    folder = names.dataset_prefix(namespace, dataset)
    bases = (_base(source) for one in sources.datasets for source in one.spec.sources)
    return any(
        base.startswith(f"{namespace}/") and (base.startswith(folder) or folder.startswith(base))
        for base in bases
    )


def _base(source: Source) -> str:
    """The part of a path before its first pattern."""
    path = source.path or ""
    return path[: next((place for place, letter in enumerate(path) if letter in "*?["), len(path))]


def _half(sweep: ObservedMover, which: int) -> str:
    return [*sweep.ask.split("-"), ""][which]


def _seconds_until_due(datastore: Datastore, wanted: str, moment: Moment) -> float:
    status = datastore.status
    if status.swept_at is None or (status.swept_for is not None and status.swept_for != wanted):
        return 0.0
    pause = FAILED_PAUSE_SECONDS if status.swept_for is None else AGAIN_SECONDS
    return pause - moment.seconds_since(status.swept_at)


def _begun(datastore: Datastore, sweep: ObservedMover, moment: Moment) -> SweepDecision:
    verdict = movers.judge_mover(sweep, moment)
    match verdict:
        case MoverGoing():
            ask = (sweep.job,) if verdict.ask_admission else ()
            return SweepDecision(ask_admission=ask, check_after_seconds=verdict.check_after_seconds)
        case MoverLost():
            return SweepDecision(not_swept(datastore, verdict.message, moment), delete=(sweep.job,))
        case MoverEnded():
            return SweepDecision(_swept(datastore, sweep, verdict, moment))


def _swept(datastore: Datastore, sweep: ObservedMover, ended: MoverEnded, moment: Moment) -> dict[str, Any]:
    if ended.exit_code != 0:
        failure = reports.read_failure(ended.text)
        words = (
            f"{failure.reason}: {failure.message}" if failure else f"exit code {ended.exit_code}, no report"
        )
        return not_swept(datastore, f"Not swept: {words}", moment)
    try:
        said = _words(reports.read_sweep(ended.text), moment.limits.sweep_is_dry)
    except UnreadableReportError as error:
        return not_swept(datastore, f"Not swept: the report cannot be read: {error}", moment)
    after = {"sweptAt": timestamp(moment.now), "swept": said, "sweptFor": _half(sweep, 0)}
    return datastore.status.as_dict() | after


def _words(report: SweepReport, is_dry: bool) -> str:
    doing = "Would delete" if is_dry else "Deleted"
    young = f" {report.young} more are too young." if report.young else ""
    return (
        f"{doing} {report.attempts} attempts of steps: {report.objects} objects, {report.bytes} bytes.{young}"
    )
