"""Outputs that steps would take → the movers that look whether they are there, and what these have answered.

An answer is about one inventory, whichever Job gave it. While one looks, no other is started: what turned up meanwhile
is asked next. A mover that cannot answer is tried again, and after three failures nothing more is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from towpath.flow import movers, names, reports, store_keys
from towpath.flow.contents import Content
from towpath.flow.documents import canonical, inventory_document
from towpath.flow.mover_orders import Verification
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost
from towpath.flow.observed import ObservedMover
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.report_fields import UnreadableReportError
from towpath.flow.reports import VerificationReport
from towpath.flow.verdicts import Moment

TRIES = 3
PAUSE_SECONDS = 5.0
# The marks of so many fit into a report of 2,457 bytes, and so many bytes into a variable of a container.
MOST_PER_POD = 150
_MOST_BYTES = 100_000


@dataclass(frozen=True)
class Answers:
    """What movers have said: marks of inventories that are there, and those that are gone, with the words for it.

    `given_up` says why nobody will be asked any more.
    """

    there: frozenset[str] = frozenset()
    gone: Mapping[str, str] = field(default_factory=dict)
    given_up: str | None = None


@dataclass(frozen=True)
class Asked:
    """What is to be done so that open questions get answers."""

    verify: tuple[Verification, ...] = ()
    delete: tuple[str, ...] = ()
    ask_admission: tuple[str, ...] = ()
    checks: tuple[float, ...] = ()


def mark(content: Content) -> str:
    """What stands for an output in a report."""
    inventory = content.inventory
    return store_keys.inventory_mark(inventory.datastore, inventory.path, inventory.digest)


def answers_of(verifiers: Iterable[ObservedMover], moment: Moment) -> Answers:
    """All that was said until now."""
    there: set[str] = set()
    gone: dict[str, str] = {}
    failures: list[str] = []
    for mover in verifiers:
        outcome = _outcome(mover, moment)
        if isinstance(outcome, VerificationReport):
            there |= outcome.there
            gone |= dict.fromkeys(outcome.gone, outcome.why)
        elif isinstance(outcome, str):
            failures.append(outcome)
    given_up = failures[-1] if len(failures) >= TRIES else None
    return Answers(frozenset(there - gone.keys()), gone, given_up)


def ask(
    wanted: Sequence[Content],
    datastores: Sequence[PlannedDatastore],
    verifiers: Sequence[ObservedMover],
    moment: Moment,
) -> Asked:
    """How to get answers about these outputs, which nobody has answered yet."""
    going = [(mover, _outcome(mover, moment)) for mover in verifiers if not mover.deleting]
    lost = tuple(mover.job for mover, outcome in going if isinstance(outcome, str) and not mover.has_ended)
    waits = [(mover, outcome) for mover, outcome in going if isinstance(outcome, MoverGoing)]
    if waits and wanted:
        admission = tuple(mover.job for mover, outcome in waits if outcome.ask_admission)
        checks = tuple(outcome.check_after_seconds for _, outcome in waits)
        return Asked(delete=lost, ask_admission=admission, checks=checks)
    if not wanted:
        return Asked(delete=(*lost, *(mover.job for mover, _ in waits)))
    failed = sum(isinstance(outcome, str) for _, outcome in going)
    left = _pause_left(verifiers, moment) if failed else 0.0
    if left > 0:
        return Asked(delete=lost, checks=(left,))
    # Of those that failed the first may have been collected: a Job that is there answers no other question.
    taken = {mover.ask for mover in verifiers}
    orders = tuple(_order(some, datastores, failed, taken) for some in _in_pods(wanted))
    return Asked(orders, lost, checks=(float(moment.limits.no_pod_seconds),))


def running(verifiers: Iterable[ObservedMover]) -> tuple[str, ...]:
    """The Jobs that have not ended: nobody waits for them when a run has."""
    return tuple(mover.job for mover in verifiers if not mover.has_ended and not mover.deleting)


def _outcome(mover: ObservedMover, moment: Moment) -> VerificationReport | MoverGoing | str:
    """What a mover has said; words where it failed."""
    verdict = movers.judge_mover(mover, moment)
    match verdict:
        case MoverGoing():
            return verdict
        case MoverLost():
            return verdict.message
        case MoverEnded(exit_code, text):
            if exit_code:
                return movers.words_of(verdict)
            try:
                return reports.read_verification(text)
            except UnreadableReportError as error:
                return f"the mover's report cannot be read: {error}"


def _pause_left(verifiers: Sequence[ObservedMover], moment: Moment) -> float:
    ends = (
        container.finished_at
        for mover in verifiers
        for container in (mover.pod.containers.values() if mover.pod else ())
    )
    last = max((end for end in ends if end is not None), default=None)
    return PAUSE_SECONDS - moment.seconds_since(last) if last else 0.0


def _in_pods(wanted: Sequence[Content]) -> Iterator[Sequence[Content]]:
    some: list[Content] = []
    size = 0
    for content in wanted:
        more = len(canonical(inventory_document(content.inventory))) + 40
        if some and (len(some) == MOST_PER_POD or size + more > _MOST_BYTES):
            yield some
            some, size = [], 0
        some.append(content)
        size += more
    if some:
        yield some


def _order(
    some: Sequence[Content], datastores: Sequence[PlannedDatastore], failed: int, taken: Collection[str]
) -> Verification:
    entered = {name for content in some for name in (content.inventory.datastore, *content.datastores)}
    question = names.ask_of("verify", *map(mark, some))
    return Verification(
        ask=next(ask for number in count(failed) if (ask := f"{question}-{number}") not in taken),
        outputs=tuple(some),
        datastores=tuple(store for store in datastores if store.name in entered),
    )
