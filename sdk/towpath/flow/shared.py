"""Which inputs a pipeline's steps share out, and whether that can be."""

from __future__ import annotations

from collections.abc import Iterable

from towpath.api.pipeline import PipelineSpec
from towpath.api.step import Step
from towpath.flow import names
from towpath.flow.conditions import RunReason
from towpath.flow.near_names import near
from towpath.flow.stalled import StalledError

# Each takes 22 bytes of the run's status.
MOST_SHARDS_OF_RUN = 16_384


def shared_inputs(spec: PipelineSpec) -> dict[tuple[str, str], int]:
    """The inputs that steps with shards share out, by (step, input), and into how many shares."""
    return {(step.name, step.shards.input): step.shards.count for step in spec.steps if step.shards}


def check_shards(step: Step, templates: Iterable[str]) -> None:
    """Raise StalledError for what is wrong with a step's shards; `templates` are the texts of its container."""
    if step.shards is None:
        return
    inputs = [given.name for given in step.inputs]
    if step.shards.input not in inputs:
        wanted = step.shards.input
        raise _invalid(
            f"Step {step.name}: shards.input names no input of it: {wanted}. {near(wanted, inputs)}"
        )
    if any(f"$({names.INDEX_VARIABLE})" in text for text in templates):
        # The kubelet would put the pod's place in its Job there, which is another when a shard is tried again.
        raise _invalid(
            f"Step {step.name}: $({names.INDEX_VARIABLE}) is not the number of the shard when that is tried "
            "again. Let the command read TOWPATH_SHARD from its environment."
        )


def check_shards_of_run(spec: PipelineSpec) -> None:
    """All that is published of shards stands in the run's status until their steps have ended."""
    shards = sum(shared_inputs(spec).values())
    if shards > MOST_SHARDS_OF_RUN:
        raise StalledError(
            RunReason.TOO_LARGE,
            f"The steps have {shards} shards together, and a run may have {MOST_SHARDS_OF_RUN}. Use fewer.",
        )


def _invalid(message: str) -> StalledError:
    return StalledError(RunReason.INVALID_PIPELINE, message)
