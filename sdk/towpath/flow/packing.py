"""Which outputs may lie in packs: those for whose files nobody looks in the store but steps that download them."""

from __future__ import annotations

from collections.abc import Mapping

from towpath.api.pipeline import PipelineSpec
from towpath.api.ports import Output
from towpath.flow import checks
from towpath.flow.planned import Mounting

StepOutput = tuple[str, str]


def mounted_outputs(
    spec: PipelineSpec, mountings: Mapping[tuple[str, str], Mounting]
) -> frozenset[StepOutput]:
    """The outputs, by step and name, that a step mounts: their files must be there one by one."""
    steps = {step.name: step for step in spec.steps}
    found = set()
    for step in spec.steps:
        for given in step.inputs:
            mounting = mountings.get((step.name, given.name))
            if given.from_ is not None and mounting is not None and mounting.is_mounted:
                found.add((given.from_.step, checks.source_output(step, given, steps) or ""))
    return frozenset(found)


def is_packed(step: str, output: Output, mounted: frozenset[StepOutput]) -> bool:
    """Whether an output's small files share objects: it is not registered, not exported, and no step mounts it."""
    return output.register_ is None and output.export is None and (step, output.name) not in mounted
