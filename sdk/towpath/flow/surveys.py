"""Questions that movers must answer before a run can be planned → their reports, or what the run waits for.

Each batch of questions is one Job, named by what is asked: asked again, it is the same Job. One that failed for a
reason that may pass is tried again under the next number, as long as the run is patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from towpath.flow.conditions import RunReason
from towpath.flow.exits import FINAL_EXITS
from towpath.flow.mover_orders import Survey
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost, judge_mover, words_of
from towpath.flow.observed import ObservedMover
from towpath.flow.readiness import Patience, WaitingError
from towpath.flow.sources import Waiting
from towpath.flow.stalled import StalledError
from towpath.flow.verdicts import Moment

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 20.0


@dataclass(frozen=True)
class Batch:
    """One Job's questions. `key` stands for what is asked; each container's failure concerns one of `subjects`.

    `make` gives the Job's order when told its `ask`; `doing` is what a run says while it waits for it.
    """

    key: str
    containers: tuple[str, ...]
    subjects: tuple[str, ...]
    doing: str
    make: Callable[[str], Survey]


def ask_all(
    batches: Iterable[Batch], surveyors: Sequence[ObservedMover], patience: Patience
) -> list[list[str | None]]:
    """The reports of each batch's containers; raises until all of them ended well."""
    answers: list[list[str | None]] = []
    waits: list[Waiting] = []
    for batch in batches:
        outcome = _asked(batch, surveyors, patience)
        if isinstance(outcome, Waiting):
            waits.append(outcome)
        else:
            answers.append(outcome)
    if waits:
        raise WaitingError(_together(waits))
    return answers


def in_pods(questions: Iterable[T], each: int) -> list[tuple[T, ...]]:
    """Questions, in their order, as many together as one pod can answer."""
    listed = tuple(questions)
    return [listed[start : start + each] for start in range(0, len(listed), each)]


def some_of(subjects: Sequence[str]) -> str:
    """The first of these, and how many more there are."""
    return subjects[0] + (f" and {len(subjects) - 1} more" if len(subjects) > 1 else "")


def final_failure(subject: str, words: str) -> StalledError:
    """What to raise for an answer that would come out the same again."""
    return StalledError(RunReason.INPUT_REFUSED, f"{subject}: {words}" if subject else words)


def _together(waits: Sequence[Waiting]) -> Waiting:
    return Waiting(
        RunReason.WAITING,
        waits[0].message,
        min(wait.check_after_seconds for wait in waits),
        surveys=tuple(survey for wait in waits for survey in wait.surveys),
        ask_admission=tuple(job for wait in waits for job in wait.ask_admission),
    )


def _asked(
    batch: Batch, surveyors: Sequence[ObservedMover], patience: Patience
) -> list[str | None] | Waiting:
    tries = {_number(mover): mover for mover in surveyors if _is_of(mover, batch) and not mover.deleting}
    if not tries:
        return _start(batch, 0, patience, batch.doing)
    number = max(tries)
    moment = Moment(patience.now, patience.limits)
    verdicts = [judge_mover(tries[number], moment, name) for name in batch.containers]
    failed = [
        (subject, verdict)
        for subject, verdict in zip(batch.subjects, verdicts, strict=True)
        if not isinstance(verdict, MoverGoing)
        and not (isinstance(verdict, MoverEnded) and not verdict.exit_code)
    ]
    for subject, verdict in failed:
        if isinstance(verdict, MoverEnded) and verdict.exit_code in FINAL_EXITS:
            raise final_failure(subject, words_of(verdict))
    going = next((verdict for verdict in verdicts if isinstance(verdict, MoverGoing)), None)
    if going is not None:
        return _wait_for(tries[number], going, batch)
    if failed:
        return _again(batch, number, tries[number], failed[0], patience)
    return [verdict.text for verdict in verdicts if isinstance(verdict, MoverEnded)]


def _is_of(mover: ObservedMover, batch: Batch) -> bool:
    return mover.ask.rpartition("-")[0] == batch.key


def _number(mover: ObservedMover) -> int:
    number = mover.ask.rpartition("-")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def _start(batch: Batch, number: int, patience: Patience, message: str) -> Waiting:
    check = float(patience.limits.no_pod_seconds)
    survey = batch.make(f"{batch.key}-{number}")
    return Waiting(RunReason.WAITING, message, check, surveys=(survey,))


def _wait_for(mover: ObservedMover, going: MoverGoing, batch: Batch) -> Waiting:
    message = f"{batch.doing} ({going.message})" if going.message else batch.doing
    ask = (mover.job,) if going.ask_admission else ()
    return Waiting(RunReason.WAITING, message, going.check_after_seconds, ask_admission=ask)


def _again(
    batch: Batch,
    number: int,
    mover: ObservedMover,
    failed: tuple[str, MoverEnded | MoverLost],
    patience: Patience,
) -> Waiting:
    subject, verdict = failed
    words = words_of(verdict)
    message = f"{subject}: {words}" if subject else words
    ended_at = max(
        (one.finished_at for one in (mover.pod.containers.values() if mover.pod else ()) if one.finished_at),
        default=mover.created_at,
    )
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(number, 10), LONGEST_PAUSE_SECONDS)
    left = pause - (patience.now - ended_at).total_seconds()
    wait = (
        Waiting(RunReason.WAITING, message, left)
        if left > 0
        else _start(batch, number + 1, patience, message)
    )
    held = patience.held(wait)
    if isinstance(held, WaitingError):
        return held.waiting
    raise held
