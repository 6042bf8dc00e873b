"""A Datastore, and what its namespace holds → whether to sweep it now, and what became of the sweep before.

It is swept when a version is gone whose Dataset says Delete, when a run is past its retention and its record is to be
written, when somebody asks, and otherwise each day on which there was something to do. `sweep_plan.py` says what goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from towpath.api.dataset import Dataset, DeletionPolicy
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.flow import movers, names, reports
from towpath.flow.conditions import brief, timestamp
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost
from towpath.flow.observed import ObservedMover
from towpath.flow.readiness import why_not_ready
from towpath.flow.refusals import refused_job
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.reports import SweepReport
from towpath.flow.retention import is_past_retention
from towpath.flow.sweep_references import Json, folder_of, is_finished
from towpath.flow.verdicts import Moment

# After a failure, or a sweep whose time was up.
PAUSE_SECONDS = 600.0
# How the status begins after such a failure.
NOT_SWEPT = "Not swept"
# Many runs end together: their records are written together.
RECORDS_PAUSE_SECONDS = 60.0
MOST_RECORDS = 50
# What a sweep left is not there to be told from what it was by facts: these stand for that.
_YOUNG, _LEFT = "young", "left"


@dataclass(frozen=True)
class SweepSources:
    """A Datastore, and what its namespace has of datasets, versions and runs; `sweeps` are its own movers.

    `refused` has the words that refused the Job of a sweep, by what that asks; `oldest_look` is when the oldest mover
    that is there began to look at sources.
    """

    datastore: Datastore
    datasets: tuple[Dataset, ...] = ()
    versions: tuple[DatasetVersion, ...] = ()
    runs: tuple[Json, ...] = ()
    sweeps: Sequence[ObservedMover] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    oldest_look: datetime | None = None


@dataclass(frozen=True)
class SweepDecision:
    """What to do, in this order: delete the runs that Job `recorded` has written records of, write `status` where there
    is one, delete Jobs, and begin the sweep that `ask` stands for, as `requested` by somebody.
    """

    status: dict[str, Any] | None = None
    ask: str | None = None
    requested: str | None = None
    recorded: str | None = None
    delete: tuple[str, ...] = ()
    ask_admission: tuple[str, ...] = ()
    check_after_seconds: float | None = None


def decide_sweep(sources: SweepSources, moment: Moment) -> SweepDecision:
    """Whether to sweep a Datastore now."""
    datastore, status = sources.datastore, sources.datastore.status
    since = names.ask_of(status.swept_at, status.sweep_requested)
    sweep = next((one for one in sources.sweeps if _part(one.ask, 2) == since and not one.deleting), None)
    if sweep is not None:
        return _begun(datastore, sweep, moment)
    if datastore.spec.read_only or why_not_ready(datastore) is not None:
        return SweepDecision()
    wanted = _Wanted(names.ask_of(*_gone(sources)), names.ask_of(*_facts(sources)))
    left = _seconds_until_due(sources, wanted, moment)
    if left > 0:
        return SweepDecision(check_after_seconds=left)
    earlier = tuple(sorted(one.job for one in sources.sweeps if not one.deleting))
    ask = f"{wanted.gone}-{wanted.facts}-{since}-{_asked(datastore)}"
    refused = refused_job(sources.refused.get(ask))
    if refused is not None:
        return SweepDecision(_failed(datastore, ask, refused, moment))
    return SweepDecision(
        None, ask, _requested(datastore), None, earlier, check_after_seconds=moment.limits.no_pod_seconds
    )


def due_records(sources: SweepSources, moment: Moment) -> Iterator[Json]:
    """The runs that are past their retention, where this is the Datastore that takes their records; not too many."""
    if sources.datastore.metadata.name == names.DEFAULT_DATASTORE and not moment.limits.sweep_is_dry:
        yield from islice((run for run in sources.runs if is_past_retention(run, moment.now)), MOST_RECORDS)


def letting_go(datasets: Iterable[Dataset]) -> Iterator[str]:
    """The datasets whose deleted versions take along what steps wrote for them."""
    for dataset in datasets:
        if dataset.spec.deletion_policy is DeletionPolicy.DELETE and not dataset.spec.sources:
            yield dataset.metadata.name or ""


@dataclass(frozen=True)
class _Wanted:
    """Stands for the versions that are gone and take their data along, and for all that is there."""

    gone: str
    facts: str


def _gone(sources: SweepSources) -> Iterator[str]:
    """Names of versions that are not there, though their numbers were given; a crash can have left a gap, too.

    While a run goes on, a dataset's last number may be that of a version which is just being made: were it taken for
    gone, the sweep for it would also count as the one for the version's deletion a moment later.
    """
    there = {(one.spec.dataset, one.spec.version) for one in sources.versions}
    last = {one.metadata.name: one.status.last_version or 0 for one in sources.datasets}
    is_settled = all(map(is_finished, sources.runs))
    for name in sorted(letting_go(sources.datasets)):
        known = range(1, last[name] + is_settled)
        yield from (f"{name}@{number}" for number in known if (name, number) not in there)


def _facts(sources: SweepSources) -> list[str]:
    """What has ended and what is there: as long as this is the same, another sweep finds nothing new."""
    ended = [folder_of(run) for run in sources.runs if is_finished(run)]
    datasets = (f"{one.metadata.name}/" for one in sources.datasets)
    return sorted([*ended, *datasets, *(one.metadata.name or "" for one in sources.versions)])


def _requested(datastore: Datastore) -> str | None:
    """What somebody asks by the annotation, if it was not answered yet."""
    value = datastore.metadata.annotations.get(names.SWEEP_ANNOTATION)
    asked = value[:256] if value else None
    return asked if asked != datastore.status.sweep_requested else None


def _asked(datastore: Datastore) -> str:
    """Stands for what somebody asks, or for nobody."""
    return names.ask_of(_requested(datastore) or "")


def _part(ask: str, which: int) -> str:
    return [*ask.split("-"), "", "", "", ""][which]


def _failed(datastore: Datastore, ask: str, why: str, moment: Moment) -> dict[str, Any]:
    """The status after a sweep that failed, or could not be: who asked for it is answered, who asked since is not."""
    after = {key: value for key, value in datastore.status.as_dict().items() if key != "sweptFor"}
    if _requested(datastore) is not None and _part(ask, 3) == _asked(datastore):
        after["sweepRequested"] = _requested(datastore)
    return after | {"sweptAt": timestamp(moment.now), "swept": brief(f"{NOT_SWEPT}: {why}", 1000)}


def _seconds_until_due(sources: SweepSources, wanted: _Wanted, moment: Moment) -> float:
    datastore, status = sources.datastore, sources.datastore.status
    since = status.swept_at or datastore.metadata.creation_timestamp or moment.now
    passed = moment.paused_since(since)
    if _requested(datastore) is not None:
        return 0.0
    if status.swept_at is not None and status.swept_for is None:
        return PAUSE_SECONDS - passed
    gone, _, facts = (status.swept_for or f"{_NOTHING}-{_NOTHING}").partition("-")
    if gone != wanted.gone:
        return 0.0
    if next(due_records(sources, moment), None) is not None:
        return RECORDS_PAUSE_SECONDS - passed if status.swept_at is not None else 0.0
    if facts == _LEFT:
        return PAUSE_SECONDS - passed
    left = moment.limits.sweep_interval_seconds - passed
    # Not due, and nothing to do: looked at again a day later.
    return left if left > 0 or facts != wanted.facts else moment.limits.sweep_interval_seconds


def _begun(datastore: Datastore, sweep: ObservedMover, moment: Moment) -> SweepDecision:
    verdict = movers.judge_mover(sweep, moment)
    match verdict:
        case MoverGoing():
            ask = (sweep.job,) if verdict.ask_admission else ()
            return SweepDecision(ask_admission=ask, check_after_seconds=verdict.check_after_seconds)
        case MoverLost():
            return SweepDecision(_failed(datastore, sweep.ask, verdict.message, moment), delete=(sweep.job,))
        case MoverEnded():
            return _ended(datastore, sweep, verdict, moment)


def _ended(datastore: Datastore, sweep: ObservedMover, ended: MoverEnded, moment: Moment) -> SweepDecision:
    if ended.exit_code != 0:
        return SweepDecision(_failed(datastore, sweep.ask, movers.words_of(ended), moment))
    try:
        report = reports.read_sweep(ended.text)
    except UnreadableReportError as error:
        why = f"the report cannot be read: {error}"
        return SweepDecision(_failed(datastore, sweep.ask, why, moment))
    recorded = sweep.job if report.records else None
    return SweepDecision(_swept(datastore, sweep, report, moment), recorded=recorded)


def _swept(datastore: Datastore, sweep: ObservedMover, report: SweepReport, moment: Moment) -> dict[str, Any]:
    after = datastore.status.as_dict() | {"swept": _words(report)}
    if report.requested is not None:
        after["sweepRequested"] = report.requested
    if report.is_dry and not moment.limits.sweep_is_dry:
        # It was only a question: what is due stays due.
        return after
    facts = _LEFT if report.is_cut else _YOUNG if report.young else _part(sweep.ask, 1)
    return after | {"sweptAt": timestamp(moment.now), "sweptFor": f"{_part(sweep.ask, 0)}-{facts}"}


def _words(report: SweepReport) -> str:
    doing = "Would delete" if report.is_dry else "Deleted"
    more = [
        (report.uploads, "{} uploads that were never completed {}."),
        (report.records, "{} records of runs were written."),
        (report.copies, "{} copies of sources."),
        (report.inventories, "{} inventories of sources."),
        (report.young, "{} more are too young."),
        (report.refused, "{} hold keys that cannot be deleted: the mover's log names them."),
    ]
    verb = "would be aborted" if report.is_dry else "were aborted"
    said = [words.format(count, verb) for count, words in more if count]
    listed = ["Such as " + ", ".join(report.names) + "."] if report.is_dry and report.names else []
    begin = f"{doing} {report.attempts} attempts of steps: {report.objects} objects, {report.bytes} bytes."
    cut = ["Its time was up; it goes on later."] if report.is_cut else []
    return brief(" ".join([begin, *said, *cut, *listed]), 1000)


_NOTHING = names.ask_of()
