"""What the inputs of a run's steps take of a node's disk, as far as it is known by now; too much is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath.api.pipeline import PipelineSpec
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Counted, Pinned
from towpath.flow.decision import Limits
from towpath.flow.planned import Mounting, PlannedTarget
from towpath.flow.scratch import disk_of, why_too_large
from towpath.flow.stalled import StalledError

Place = tuple[str, str]


class Inputs(NamedTuple):
    """What is known of inputs, by (step, input)."""

    pins: Mapping[Place, Pinned]
    counts: Mapping[Place, Counted]
    mountings: Mapping[Place, Mounting]

    def disk_of(self, place: Place) -> int:
        """What one takes of a node's disk; 0 of one that a step has still to write."""
        content = self.counts.get(place) or (self.pins[place].content if place in self.pins else None)
        mounting = self.mountings.get(place)
        return disk_of(content, is_mounted=mounting is not None and mounting.is_mounted) if content else 0


def refuse_large(
    spec: PipelineSpec, inputs: Inputs, targets: Mapping[str, PlannedTarget], limits: Limits
) -> None:
    """Refuse a step whose inputs, of those that are known by now, would not fit on a node's disk."""
    for step in spec.steps:
        scratch = sum(inputs.disk_of((step.name, given.name)) for given in step.inputs)
        words = why_too_large(scratch, limits, targets.get(step.name))
        if words:
            raise StalledError(RunReason.TOO_LARGE, f"Step {step.name}: {words}")
