"""Steps → their order: what each one waits for, from data and from `dependsOn`."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from towpath.api.pipeline import PipelineSpec
from towpath.api.step import Step
from towpath.flow.conditions import RunReason
from towpath.flow.near_names import near
from towpath.flow.planned import PlannedStep, StepOutputRef
from towpath.flow.stalled import StalledError


def order(spec: PipelineSpec) -> tuple[str, ...]:
    """The steps' names in topological order, the same every time; StalledError names a cycle's path."""
    names = {step.name for step in spec.steps}
    for step in spec.steps:
        _refuse_unknown(step, names)
    return sorted_by({step.name: _waits_for(step) for step in spec.steps})


def sorted_by(waits_for: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """A topological order of what waits for what."""
    graph = {name: sorted(others) for name, others in waits_for.items()}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        # graphlib gives each node before the one that waits for it.
        path = " → ".join(reversed(error.args[1]))
        raise StalledError(
            RunReason.INVALID_PIPELINE, f"Steps wait for one another in a circle: {path}. Break it somewhere."
        ) from None


def upstream(step: PlannedStep) -> frozenset[str]:
    """The steps that must have succeeded before this one starts."""
    sources = (given.source for given in step.inputs)
    return frozenset(step.depends_on) | {
        source.step for source in sources if isinstance(source, StepOutputRef)
    }


def _waits_for(step: Step) -> frozenset[str]:
    return frozenset(step.depends_on) | {given.from_.step for given in step.inputs if given.from_}


def _refuse_unknown(step: Step, names: set[str]) -> None:
    for other in sorted(_waits_for(step) - names):
        raise StalledError(
            RunReason.INVALID_PIPELINE,
            f"Step {step.name} waits for the step {other}, which does not exist. {near(other, names)}",
        )
