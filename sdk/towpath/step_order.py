"""The steps of a pipeline: nested lists and sequences → one list, with what runs after what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from towpath.errors import DefinitionError
from towpath.step import Step
from towpath.steps import StepSequence


@dataclass
class StepOrder:
    """Every step once, in the order they were named; `after` are the orders that no data say."""

    steps: list[Step] = field(default_factory=list)
    after: dict[Step, list[Step]] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        """Take a step in, once; DefinitionError for another of its name."""
        if step in self.steps:
            return
        if any(other.name == step.name for other in self.steps):
            raise DefinitionError(f"Two steps are named {step.name}: give one of them another name.")
        self.steps.append(step)

    def dependencies(self, step: Step) -> list[str]:
        """Return the names of the steps that it runs after without reading their outputs."""
        reads = {producer for producer in step.producers() if producer not in step.after}
        later = [*step.after, *self.after.get(step, [])]
        return list(dict.fromkeys(other.name for other in later if other not in reads))


def order_of(given: object, resolve_closure: bool) -> StepOrder:
    """Return the order of what `Pipeline(steps=…)` was given, with the producers that it did not name."""
    order = StepOrder()
    _take(order, given)
    if not order.steps:
        raise DefinitionError("A pipeline needs at least one step.")
    ordered = StepOrder(after=order.after)
    for step in order.steps:
        _close(ordered, step, None if resolve_closure else order.steps, ())
    return ordered


def _take(order: StepOrder, given: object) -> tuple[list[Step], list[Step]]:
    """Take steps in; return those that begin and those that end what was given."""
    if isinstance(given, Step):
        order.add(given)
        return [given], [given]
    if isinstance(given, StepSequence):
        return _take_sequence(order, given.steps)
    if isinstance(given, (list, tuple)):
        return _take_group(order, given)
    raise DefinitionError(
        f"{given!r} is no step: give PythonScriptStep, CommandStep, StepSequence or lists of them."
    )


def _take_group(order: StepOrder, group: Iterable[object]) -> tuple[list[Step], list[Step]]:
    ends = [_take(order, item) for item in group]
    return [step for begins, _ in ends for step in begins], [step for _, last in ends for step in last]


def _take_sequence(order: StepOrder, items: list[object]) -> tuple[list[Step], list[Step]]:
    first: list[Step] = []
    before: list[Step] = []
    for item in items:
        begins, ends = _take(order, item)
        for step in begins:
            order.after.setdefault(step, []).extend(before)
        first, before = first or begins, ends
    return first, before


def _close(ordered: StepOrder, step: Step, listed: list[Step] | None, above: tuple[Step, ...]) -> None:
    """Take a step in after those that it needs; `listed` are all that there may be."""
    if step in above or step in ordered.steps:
        return
    for producer in step.producers():
        if listed is not None and producer not in listed:
            raise DefinitionError(
                f"Step {step.name} needs step {producer.name}, which is not among the pipeline's steps: add it, or "
                "leave out resolve_closure=False."
            )
        _close(ordered, producer, listed, (*above, step))
    ordered.add(step)
