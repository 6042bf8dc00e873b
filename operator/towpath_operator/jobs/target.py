"""What a step's pod has of its compute target: volumes of its own, and how the step's container mounts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.flow.planned import PlannedStep

# So that none of them is ever taken for one of ours.
_OWN = "target-"


def target_volumes(step: PlannedStep) -> list[dict[str, Any]]:
    """The volumes of the target, which the movers do not mount."""
    return [_renamed(volume) for volume in step.target.volumes] if step.target else []


def target_mounts(step: PlannedStep) -> list[dict[str, Any]]:
    """Where the step finds them."""
    return [_renamed(mount) for mount in step.target.volume_mounts] if step.target else []


def target_security(step: PlannedStep) -> dict[str, Any]:
    """What the target asks of the step's own container."""
    return {"readOnlyRootFilesystem": True} if step.target and step.target.read_only_root else {}


def _renamed(part: Mapping[str, Any]) -> dict[str, Any]:
    return {**part, "name": _OWN + part["name"]}
