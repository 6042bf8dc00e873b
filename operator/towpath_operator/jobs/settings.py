"""What an installation says about every pod that the operator makes; the operator reads it once, at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Bytes in flight are budgeted, so the limit holds whatever the size of the data. No CPU limit: it would only slow.
MOVER_RESOURCES: Mapping[str, Any] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "256Mi"},
}

# rclone takes 64 MiB, 1 KiB for each object that it listed, and some 24 MiB for each file that is read at once.
SIDECAR_RESOURCES: Mapping[str, Any] = {
    "requests": {"cpu": "100m", "memory": "128Mi"},
    "limits": {"memory": "512Mi"},
}

POD_ROOT = "/towpath"


@dataclass(frozen=True)
class PodSettings:
    """Settings of the chart. `user` is UID and GID where a step names none; None leaves both to the platform."""

    user: int | None = 1000
    mover_resources: Mapping[str, Any] = field(default_factory=lambda: dict(MOVER_RESOURCES))
    sidecar_resources: Mapping[str, Any] = field(default_factory=lambda: dict(SIDECAR_RESOURCES))
    mover_image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    ttl_seconds_after_finished: int = 3600
    # How long a pod with a publisher may take to end: what its step wrote in full is still published.
    termination_grace_period_seconds: int = 120
    # How long a command may take to end after it was told to, before it is killed.
    step_grace_seconds: int = 30
    # What stands for /towpath in what a step is told: where steps are processes, their folders lie elsewhere.
    root: str = POD_ROOT
