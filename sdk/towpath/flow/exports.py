"""Accepted outputs with an `export` → movers that copy them, and how far they are. The step has succeeded by then.

Each copy is made by one Job at a time. One that fails is tried again after a pause, as movers are; the run waits for
all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from towpath.flow import reports
from towpath.flow.conditions import StepReason, brief
from towpath.flow.exits import FINAL_EXITS, MoverExit
from towpath.flow.mover_orders import Export
from towpath.flow.movers import MoverEnded, MoverGoing, MoverLost, chosen, judge_mover
from towpath.flow.observed import Observed, ObservedMover
from towpath.flow.planned import Plan, PlannedOutput
from towpath.flow.recorded import ExportState, PublishedOutput, RecordedExport, RecordedStep, StepState
from towpath.flow.reports import ExportReport
from towpath.flow.verdicts import Moment
from towpath.flow.waiting import reason_of_refusal

Steps = Mapping[str, RecordedStep]

# Where a mover left no word of its own.
MOVER_FAILED = str(StepReason.MOVER_FAILED)


@dataclass(frozen=True)
class Exported:
    """The steps after one look at their exports, and what is to be done for them."""

    steps: dict[str, RecordedStep]
    create: tuple[Export, ...] = ()
    ask_admission: tuple[str, ...] = ()
    checks: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Looked:
    """One export, looked at."""

    recorded: RecordedExport
    create: Export | None = None
    ask_admission: tuple[str, ...] = ()
    check: float | None = None


def move_exports(plan: Plan, steps: Steps, observed: Observed, moment: Moment) -> Exported:
    """Move the exports of all steps that have succeeded forward."""
    after = dict(steps)
    looks: list[_Looked] = []
    for step, declared, output in _unfinished(plan, steps):
        looked = _look(_order(step, declared, output), output, observed, moment)
        looks.append(looked)
        after[step] = _with_export(after[step], output.name, looked.recorded)
    return Exported(
        after,
        create=tuple(look.create for look in looks if look.create),
        ask_admission=tuple(job for look in looks for job in look.ask_admission),
        checks=tuple(look.check for look in looks if look.check is not None),
    )


def stop_exports(plan: Plan, steps: Steps, reason: StepReason, words: str) -> dict[str, RecordedStep]:
    """The steps, with every export that is not finished given up."""
    after = dict(steps)
    for step, _, output in _unfinished(plan, steps):
        recorded = replace(
            output.export or RecordedExport(),
            state=ExportState.CANCELLED,
            reason=str(reason),
            message=words,
            retry_after=None,
        )
        after[step] = _with_export(after[step], output.name, recorded)
    return after


def unfinished_exports(plan: Plan, steps: Steps) -> list[str]:
    """The exports that a run still waits for, as messages name them."""
    return [f"{step}/{output.name}" for step, _, output in _unfinished(plan, steps)]


def ended_exports(steps: Steps, state: ExportState) -> Iterator[tuple[str, str, RecordedExport]]:
    """Step, output and record of the exports that ended so."""
    for name, step in steps.items():
        for output in step.outputs:
            if output.export and output.export.state is state:
                yield name, output.name, output.export


def needless_exporters(plan: Plan, steps: Steps, observed: Observed) -> list[str]:
    """The Jobs that copy on although nobody waits for them: of an earlier attempt, or of what was given up."""
    wanted = {
        _order(step, declared, output).ask
        for step, declared, output in _unfinished(plan, steps)
        if output.export is None or output.export.retry_after is None
    }
    return [mover.job for mover in observed.exporters if mover.ask not in wanted and runs(mover)]


def runs(mover: ObservedMover) -> bool:
    """Whether a mover's Job may still have something that runs."""
    return not mover.has_ended and not mover.deleting


def _unfinished(plan: Plan, steps: Steps) -> Iterator[tuple[str, PlannedOutput, PublishedOutput]]:
    for planned in plan.steps:
        step = steps[planned.name]
        declared = {output.name: output for output in planned.outputs if output.export}
        for output in step.outputs if step.state is StepState.SUCCEEDED else ():
            is_going = output.export is None or output.export.state is ExportState.EXPORTING
            if output.name in declared and is_going:
                yield planned.name, declared[output.name], output


def _order(step: str, declared: PlannedOutput, output: PublishedOutput) -> Export:
    attempt = output.export.attempt if output.export else 1
    if declared.export is None:
        raise ValueError(f"output {output.name} of step {step} has no export")
    return Export(step, output.name, attempt, output.content, declared.export)


def _with_export(step: RecordedStep, output: str, export: RecordedExport) -> RecordedStep:
    outputs = (replace(one, export=export) if one.name == output else one for one in step.outputs)
    return replace(step, outputs=tuple(outputs))


def _look(order: Export, output: PublishedOutput, observed: Observed, moment: Moment) -> _Looked:
    recorded = output.export or RecordedExport()
    left = moment.seconds_until(recorded.retry_after) if recorded.retry_after else 0.0
    if left:
        return _Looked(recorded, check=left)
    mover = chosen(observed.exporters, order.ask)
    if mover is None:
        # What the last attempt failed of stays to be read until the next one has said something.
        return _Looked(replace(recorded, retry_after=None), create=order)
    match judge_mover(mover, moment):
        case MoverGoing() as going:
            message = brief(going.message) if going.message else None
            asked = (mover.job,) if going.ask_admission else ()
            reason = str(reason_of_refusal(mover.refusal)) if mover.refusal and not mover.pod else None
            recorded = replace(recorded, message=message, reason=reason, retry_after=None)
            return _Looked(recorded, ask_admission=asked, check=going.check_after_seconds)
        case MoverEnded() | MoverLost() as ended:
            copied = _copied(ended, order)
            return _exported(recorded, copied) if copied else _after_failure(recorded, ended, moment)


def _copied(ended: MoverEnded | MoverLost, order: Export) -> ExportReport | None:
    if not isinstance(ended, MoverEnded) or ended.exit_code != MoverExit.OK:
        return None
    report = reports.read_export(ended.text)
    return report if report and report.digest == order.content.inventory.digest else None


def _exported(recorded: RecordedExport, copied: ExportReport) -> _Looked:
    done = replace(recorded, state=ExportState.EXPORTED, seconds=copied.seconds)
    return _Looked(replace(done, reason=None, message=None, retry_after=None))


def _after_failure(recorded: RecordedExport, ended: MoverEnded | MoverLost, moment: Moment) -> _Looked:
    code = ended.exit_code if isinstance(ended, MoverEnded) else None
    reason, words = _words(ended)
    failures = recorded.failures + (code != MoverExit.CREDENTIALS_REFUSED)
    failed = replace(recorded, failures=failures, reason=reason, message=brief(words), retry_after=None)
    if code in FINAL_EXITS:
        return _Looked(replace(failed, state=ExportState.FAILED))
    if failures > moment.limits.mover_failures:
        words = f"{words} ({failures} attempts)"
        return _Looked(replace(failed, state=ExportState.FAILED, message=brief(words)))
    pause = moment.limits.pause_seconds(recorded.attempt)
    later = moment.now + timedelta(seconds=pause)
    return _Looked(replace(failed, attempt=recorded.attempt + 1, retry_after=later), check=float(pause))


def _words(ended: MoverEnded | MoverLost) -> tuple[str, str]:
    if isinstance(ended, MoverLost):
        return MOVER_FAILED, ended.message
    said = reports.read_failure(ended.text)
    if said is not None:
        return said.reason, said.message
    return MOVER_FAILED, f"the mover ended with exit code {ended.exit_code} and left no report that it owes"
