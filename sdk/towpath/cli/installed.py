"""The images of an installation, as its runs tell them: nobody outside it can ask the chart. Pure."""

from __future__ import annotations

from collections.abc import Collection

from towpath.backend import Manifest
from towpath.cli.earlier import Earlier, pipeline_of, restored
from towpath.flow.sources import Installation

# What stands for an image that nobody could tell: by no digest, so nothing is believed to be equal to it.
UNKNOWN = "the-image-of-the-installation"


def installation_of(earlier: Earlier, pipeline: str, imageless: Collection[str]) -> Installation:
    """What the last runs were given: mover and cluster, and the image of the pipeline's steps that name none."""
    youngest = sorted(
        earlier.runs, key=lambda run: run["metadata"].get("creationTimestamp") or "", reverse=True
    )
    step_image, mover_image, cluster = UNKNOWN, UNKNOWN, ""
    for run in sorted(youngest, key=lambda run: pipeline_of(run) != pipeline):
        plan = restored(earlier.plan_of(run))
        if plan is None:
            continue
        if mover_image == UNKNOWN:
            mover_image, cluster = plan.mover_image, plan.cluster_id
        same = (
            [step.image for step in plan.steps if step.name in imageless]
            if pipeline_of(run) == pipeline
            else []
        )
        if same:
            step_image = same[0]
            break
        if pipeline_of(run) != pipeline or not imageless:
            break
    return Installation(step_image, mover_image, cluster)


def imageless_steps(pipeline: Manifest | None) -> frozenset[str]:
    """The steps of a Pipeline that name no image."""
    steps = ((pipeline or {}).get("spec") or {}).get("steps") or ()
    return frozenset(step["name"] for step in steps if not step.get("image"))
