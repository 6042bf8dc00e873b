"""What a write of a run's status changed → the few things that people are told of it as Events: transitions only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from towpath.flow.conditions import CONDITION_LIMIT, RunReason, StepReason, brief
from towpath.flow.recorded import ExportState, RecordedExport, RecordedRun, RecordedStep, StepState
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
    """What is to be told of a run whose record was replaced: troubled steps, exports, and its end."""
    old = {step.name: step for step in before.steps}
    pairs = [(old.get(step.name, RecordedStep(step.name)), step) for step in after.steps]
    told = chain((_of_step(*pair) for pair in pairs), *(_of_exports(*pair) for pair in pairs))
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


def _of_exports(old: RecordedStep, new: RecordedStep) -> Iterator[Occurrence]:
    """What became of the copies of a step's outputs: made, failed, or held up by something else than before."""
    for name, before, after in exports_changed(old, new):
        where, words = f"step {new.name}, output {name}", after.message or ""
        if after.state is ExportState.EXPORTED:
            yield Occurrence("Exported", f"{where}: the copy is there")
        elif after.state is ExportState.FAILED:
            words = f"{where} was not exported: {after.reason}: {words}"
            yield Occurrence(RunReason.EXPORT_FAILED, brief(words, CONDITION_LIMIT), True)
        elif after.state is ExportState.EXPORTING and after.reason not in (None, before.reason):
            yield Occurrence(after.reason or "", brief(f"{where}: {words}", CONDITION_LIMIT), True)


def exports_changed(
    old: RecordedStep, new: RecordedStep
) -> Iterator[tuple[str, RecordedExport, RecordedExport]]:
    """The exports of a step of which something else is recorded now: the output's name, before and after."""
    known = {output.name: output.export for output in old.outputs}
    for output in new.outputs:
        before = known.get(output.name) or RecordedExport()
        if output.export is not None and output.export != before:
            yield output.name, before, output.export


def _end(before: RecordedRun, after: RecordedRun) -> Iterator[Occurrence]:
    if after.completion_time is not None and before.completion_time is None:
        yield Occurrence(after.reason, brief(after.message, CONDITION_LIMIT), after.reason not in _WELL)
