"""Who a pod runs as and what it may do: the `restricted` Pod Security Standard, unless the step itself says
otherwise. One pod, one user: so `publish` can read what the step wrote with mode 0600, without a capability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath_operator.jobs.settings import PodSettings

_RUNTIME_DEFAULT = {"type": "RuntimeDefault"}
_NO_PRIVILEGES = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod_security(asked: Mapping[str, Any], settings: PodSettings) -> dict[str, Any]:
    """The pod's securityContext: the step's wishes over the installation's user."""
    ours: dict[str, Any] = {"runAsNonRoot": asked.get("runAsUser") != 0, "seccompProfile": _RUNTIME_DEFAULT}
    if settings.user is not None:
        ours |= {"runAsUser": settings.user, "runAsGroup": settings.user}
    return ours | dict(asked)


def step_security() -> dict[str, Any]:
    """The securityContext of the user's container; its root file system is its own to write."""
    return dict(_NO_PRIVILEGES)


def mover_security() -> dict[str, Any]:
    """The securityContext of a mover: nothing of its image can be changed, whatever the step asked for itself."""
    return _NO_PRIVILEGES | {"readOnlyRootFilesystem": True, "seccompProfile": _RUNTIME_DEFAULT}
