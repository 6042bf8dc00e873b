"""What a write of a run's status changed → the few things that people are told of it as Events: transitions only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from towpath.flow.conditions import CONDITION_LIMIT, RunReason, StepReason, brief
from towpath.flow.recorded import RecordedRun, RecordedStep, StepState
from towpath.flow.sources import Refused, Waiting

# Of a write in which a thousand steps failed: the status has them all.
MOST_AT_ONCE = 10
_WELL = frozenset({RunReason.SUCCEEDED, RunReason.CANCELLED})
# What somebody may have to do something about. Any other waiting passes by itself, or is what a user asked for.
_TELLING = frozenset(
    {
        StepReason.RETRYING,
        StepReason.CREDENTIALS,
        StepReason.SCHEDULING,
        StepReason.IMAGE,
        StepReason.CONFIG,
        StepReason.NOT_SET_UP,
        StepReason.QUOTA,
        StepReason.POD_SECURITY,
        StepReason.POD_REFUSED,
    }
)


@dataclass(frozen=True)
class Occurrence:
    """One thing to tell: a documented reason, a sentence, and whether it is a warning."""

    reason: str
    note: str
    is_warning: bool = False


def planned(recorded: RecordedRun) -> Occurrence:
    """The run has begun."""
    return Occurrence("Planned", f"steps: {len(recorded.steps)}")


def unplanned(outcome: Waiting | Refused) -> Occurrence:
    """The run waits for what it names, or was refused."""
    return Occurrence(outcome.reason, brief(outcome.message, CONDITION_LIMIT), isinstance(outcome, Refused))


def changes(before: RecordedRun, after: RecordedRun) -> tuple[Occurrence, ...]:
    """What is to be told of a run whose record was replaced: failed and troubled steps, and its end."""
    old = {step.name: step for step in before.steps}
    told = (_of_step(old.get(step.name, RecordedStep(step.name)), step) for step in after.steps)
    steps = tuple(islice((one for one in told if one is not None), MOST_AT_ONCE))
    return steps + tuple(_end(before, after))


def _of_step(old: RecordedStep, new: RecordedStep) -> Occurrence | None:
    if (old.state, old.reason, old.attempt) == (new.state, new.reason, new.attempt):
        return None
    has_failed = new.state is StepState.FAILED
    if not has_failed and (new.state is not StepState.WAITING or new.reason not in _TELLING):
        return None
    return Occurrence(
        new.reason or "Failed", brief(f"step {new.name}: {new.message or ''}", CONDITION_LIMIT), True
    )


def _end(before: RecordedRun, after: RecordedRun) -> Iterator[Occurrence]:
    if after.completion_time is not None and before.completion_time is None:
        yield Occurrence(after.reason, brief(after.message, CONDITION_LIMIT), after.reason not in _WELL)
