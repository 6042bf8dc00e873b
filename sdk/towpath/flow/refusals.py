"""Jobs that the API server refuses to make (a quota on Jobs, an admission policy): their steps say so, in its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from towpath.flow.conditions import brief
from towpath.flow.recorded import RecordedRun, RecordedStep
from towpath.flow.waiting import reason_of_refusal


def with_refusals(recorded: RecordedRun, refusals: Mapping[str, str]) -> RecordedRun:
    """The record, in which each step that is still to start says why its Job was refused. `refusals` are by step."""
    return replace(recorded, steps=tuple(_told(step, refusals.get(step.name)) for step in recorded.steps))


def _told(step: RecordedStep, refusal: str | None) -> RecordedStep:
    if refusal is None or step.state.is_final:
        return step
    return replace(step, reason=reason_of_refusal(refusal), message=brief(f"the Job is refused: {refusal}"))
