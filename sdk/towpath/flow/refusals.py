"""Jobs that the API server refuses to make (a quota on Jobs, an admission policy): what waits for them says so.

In the API server's own words, until the Job can be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from towpath.flow.conditions import StepReason, brief
from towpath.flow.decision import Decision
from towpath.flow.recorded import RecordedRun, RecordedStep
from towpath.flow.sources import Waiting
from towpath.flow.waiting import reason_of_refusal

Words = Mapping[str, str]


def refused_job(refusal: str | None) -> str | None:
    """What is said of a Job that was refused; None of one that was not."""
    return brief(f"the Job is refused: {refusal}") if refusal else None


def with_refusals(decision: Decision, of_steps: Words, of_movers: Words) -> RecordedRun:
    """The record of a decision, in which whatever is to be started says why its Job was refused.

    `of_steps` are by step, `of_movers` by what a mover asks.
    """
    steps = dict(_refusals_of_steps(decision, of_steps, of_movers))
    exports = {
        (order.step, order.output): of_movers[order.ask]
        for order in decision.export
        if order.ask in of_movers
    }
    told = (_exports_told(_told(step, steps.get(step.name)), exports) for step in decision.recorded.steps)
    return replace(decision.recorded, steps=tuple(told))


def waits_for_admission(waiting: Waiting, of_movers: Words) -> Waiting:
    """What a run waits for before it has a plan, and why the Job that would find it out is refused."""
    refusal = next((of_movers[one.ask] for one in waiting.surveys if one.ask in of_movers), None)
    words = refused_job(refusal)
    return replace(waiting, message=f"{waiting.message}: {words}") if words else waiting


def _refusals_of_steps(decision: Decision, of_steps: Words, of_movers: Words) -> Iterator[tuple[str, str]]:
    yield from ((one.step, of_steps[one.step]) for one in decision.create if one.step in of_steps)
    yield from ((one.step, of_movers[one.ask]) for one in decision.find if one.ask in of_movers)
    for refusal in (of_movers[one.ask] for one in decision.verify if one.ask in of_movers):
        verifying = (one for one in decision.recorded.steps if one.reason == StepReason.VERIFYING)
        yield from ((step.name, refusal) for step in verifying)


def _told(step: RecordedStep, refusal: str | None) -> RecordedStep:
    if refusal is None or step.state.is_final:
        return step
    return replace(step, reason=reason_of_refusal(refusal), message=refused_job(refusal))


def _exports_told(step: RecordedStep, refusals: Mapping[tuple[str, str], str]) -> RecordedStep:
    outputs = tuple(
        replace(
            output,
            export=replace(
                output.export, reason=str(reason_of_refusal(refusal)), message=refused_job(refusal)
            ),
        )
        if output.export and (refusal := refusals.get((step.name, output.name)))
        else output
        for output in step.outputs
    )
    return replace(step, outputs=outputs) if outputs != step.outputs else step
