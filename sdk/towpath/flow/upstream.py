"""What a step waits for and what it will be given, judged by the record: may it start, and is there what it reads?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from towpath.flow import graph
from towpath.flow.conditions import StepReason
from towpath.flow.contents import Content
from towpath.flow.planned import PlannedInput, PlannedStep, StepOutputRef
from towpath.flow.progress import has_live_attempt
from towpath.flow.recorded import RecordedStep, StepState
from towpath.flow.scratch import scratch_bytes, why_empty_shares, why_too_large
from towpath.flow.verdicts import Moment

Steps = Mapping[str, RecordedStep]


def is_startable(planned: PlannedStep, steps: Steps) -> bool:
    """Whether a step has no live attempt and everything that it waits for has succeeded."""
    recorded = steps[planned.name]
    if recorded.state.is_final or has_live_attempt(recorded):
        return False
    return all(steps[name].state is StepState.SUCCEEDED for name in graph.upstream(planned))


def contents_of(planned: PlannedStep, steps: Steps) -> dict[str, Content]:
    """What each input of a step will be given, of those that are known."""
    found = {given.name: _content(given, steps) for given in planned.inputs}
    return {name: content for name, content in found.items() if content is not None}


def _content(given: PlannedInput, steps: Steps) -> Content | None:
    if not isinstance(given.source, StepOutputRef):
        return given.source.content
    outputs = {output.name: output.content for output in steps[given.source.step].outputs}
    content = outputs.get(given.source.output)
    # What a step wrote are files; who reads it may say that they hold rows.
    return content and replace(content, format=given.source.format)


def without_input(planned: PlannedStep, steps: Steps, moment: Moment) -> RecordedStep | None:
    """The record of a step that is not to start, because of what it would read; None where all is well."""
    contents = contents_of(planned, steps)
    recorded = steps[planned.name]
    for given in planned.inputs:
        content = contents.get(given.name)
        if content is None and isinstance(given.source, StepOutputRef):
            words = f"input {given.name}: step {given.source.step} did not write {given.source.output}"
            return ended(recorded, StepState.FAILED, StepReason.INPUT_NOT_WRITTEN, words, moment)
        if content is not None and content.files == 0 and not given.allow_empty:
            words = f"input {given.name} has no files; say allowEmpty: true if that is meant"
            return ended(recorded, StepState.FAILED, StepReason.EMPTY_INPUT, words, moment)
        few = _why_few(planned, given, content)
        if few is not None:
            words = f"input {given.name}: {few}"
            return ended(recorded, StepState.FAILED, StepReason.EMPTY_INPUT, words, moment)
    too_large = why_too_large(scratch_bytes(planned, contents), moment.limits, planned.target)
    if too_large is not None:
        return ended(recorded, StepState.FAILED, StepReason.TOO_LARGE, too_large, moment)
    return None


def _why_few(planned: PlannedStep, given: PlannedInput, content: Content | None) -> str | None:
    """Why an input from another step has too little to share out; of a view of it, and of rows, that is not known."""
    shards = planned.shards
    if shards is None or shards.input != given.name or content is None:
        return None
    if given.transforms or content.format is not None:
        return None
    return None if given.allow_empty or given.pinned else why_empty_shares(content.files, shards.count)


def ended(
    recorded: RecordedStep, state: StepState, reason: StepReason, words: str, moment: Moment
) -> RecordedStep:
    """The step's record when it has come to an end without an attempt of its own."""
    return replace(
        recorded, state=state, reason=reason, message=words, completion_time=moment.now, retry_after=None
    )
