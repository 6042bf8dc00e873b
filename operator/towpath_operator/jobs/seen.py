"""Where a step's own command finds its ports and folders: as planned in a pod, below another root as a process.

A process has no mounts: what is mounted at a path of the user's choice in a pod lies where movers put it.
"""

from __future__ import annotations

from dataclasses import replace

from towpath.flow import names
from towpath.flow.planned import PlannedStep
from towpath_operator.jobs.settings import POD_ROOT, PodSettings


def as_seen(step: PlannedStep, settings: PodSettings) -> PlannedStep:
    """The step with the paths of its ports as its command is told them."""
    if settings.root == POD_ROOT:
        return step
    return replace(
        step,
        inputs=tuple(
            replace(given, path=below(f"{names.CONTAINER_INPUTS}/{given.name}", settings))
            for given in step.inputs
        ),
        outputs=tuple(
            replace(output, path=below(names.output_place(output.path), settings)) for output in step.outputs
        ),
    )


def below(path: str, settings: PodSettings) -> str:
    """A path of a pod, below the root that stands for /towpath."""
    return settings.root + path.removeprefix(POD_ROOT)
