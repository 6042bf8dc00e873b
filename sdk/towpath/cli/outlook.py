"""A plan and what earlier runs have computed → per step what would be taken, moved and needed. Pure.

Reuse is judged by the operator's own search; whether the bytes are still there only a mover can say, so what is
taken here is taken if they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from towpath.cli.earlier import Earlier
from towpath.cli.preview import UNTAKEN
from towpath.cli.run_view import Data, InputView, source_words
from towpath.flow import reuse
from towpath.flow.contents import Content
from towpath.flow.decision import Limits
from towpath.flow.observed import Observed
from towpath.flow.planned import Plan, PlannedInput, PlannedStep, StepOutputRef
from towpath.flow.recorded import Miss, RecordedStep, StepState
from towpath.flow.upstream import contents_of
from towpath.flow.verdicts import Moment
from towpath.flow.verification import Answers, mark

Steps = Mapping[str, RecordedStep]


@dataclass(frozen=True)
class InputOutlook:
    """What a step would read: `about` where the size is estimated, and `like` the run whose output it is taken from."""

    view: InputView
    scratch: int | None = None
    about: bool = False
    like: str | None = None


@dataclass(frozen=True)
class StepOutlook:
    """What would become of a step: `taken_from` an earlier run, or run; `miss` says why, where that is known."""

    planned: PlannedStep
    inputs: tuple[InputOutlook, ...]
    taken_from: str | None = None
    miss: Miss | None = None

    @property
    def bytes_in(self) -> int | None:
        """What it would stage in; None where that is not known."""
        sizes = [given.view.data.bytes for given in self.inputs]
        return 0 if self.taken_from else sum(map(int, sizes)) if None not in sizes else None  # type: ignore[arg-type]

    @property
    def scratch(self) -> int | None:
        """What its inputs would take of a node's disk; None where that is not known."""
        sizes = [given.scratch for given in self.inputs]
        return 0 if self.taken_from else sum(map(int, sizes)) if None not in sizes else None  # type: ignore[arg-type]


def outlook(
    plan: Plan, earlier: Earlier, estimated: frozenset[str], now: datetime
) -> tuple[StepOutlook, ...]:
    """Every step of the plan, in its order."""
    steps: Steps = {step.name: RecordedStep(step.name) for step in plan.steps}
    moment = Moment(now, Limits())
    observed = Observed(finished=earlier.finished())
    missing = reuse.may_miss(plan, steps, observed)
    observed = replace(observed, nearest=earlier.nearest(plan.pipeline, missing))
    found = reuse.search(plan, steps, observed, moment)
    marks = frozenset(mark(one) for taken in found.candidates.values() for one in taken.outputs.values())
    assumed = replace(found, answers=Answers(there=marks), announced=frozenset(found.candidates)).take(
        steps, moment
    )
    last = _last_outputs(plan, earlier)
    return tuple(_step(planned, assumed, found, (last, estimated)) for planned in plan.steps)


def _step(
    planned: PlannedStep,
    steps: Steps,
    found: reuse.Search,
    known: tuple[Mapping[tuple[str, str], tuple[str, Content]], frozenset[str]],
) -> StepOutlook:
    last, estimated = known
    contents = contents_of(planned, steps)
    inputs = tuple(_input(planned, given, contents, last, estimated) for given in planned.inputs)
    if steps[planned.name].state is StepState.SUCCEEDED:
        origin = steps[planned.name].reused_from
        return StepOutlook(planned, inputs, taken_from=f"{origin.run}/{origin.step}" if origin else "")
    is_known = len(contents) == len(planned.inputs) and all(
        one.inventory.digest != UNTAKEN for one in contents.values()
    )
    return StepOutlook(planned, inputs, miss=found.miss(planned, steps) if is_known else None)


def _input(
    planned: PlannedStep,
    given: PlannedInput,
    contents: Mapping[str, Content],
    last: Mapping[tuple[str, str], tuple[str, Content]],
    estimated: frozenset[str],
) -> InputOutlook:
    view = InputView(given.name, source_words(given), transforms=given.transforms)
    content = contents.get(given.name)
    if content is not None and content.inventory.digest == UNTAKEN:
        return InputOutlook(view)
    like = None
    if content is None and isinstance(given.source, StepOutputRef):
        like, content = last.get((given.source.step, given.source.output), (None, None))
    if content is None:
        return InputOutlook(view)
    held = given.counted or content
    about = f"{planned.name}/{given.name}" in estimated or like is not None or bool(given.transforms)
    data = Data(held.files, held.bytes, content.inventory.digest)
    return InputOutlook(replace(view, data=data), held.scratch_bytes, about, like)


def _last_outputs(plan: Plan, earlier: Earlier) -> dict[tuple[str, str], tuple[str, Content]]:
    """What the steps of these names wrote in the last runs of this pipeline: sizes are often alike."""
    found: dict[tuple[str, str], tuple[str, Content]] = {}
    for run, steps in earlier.latest_outputs(plan.pipeline):
        for name, step in steps.items():
            for output in step.outputs:
                found.setdefault((name, output.name), (run, output.content))
    return found
