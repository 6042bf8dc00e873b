"""Who a pod runs as and what it may do: the `restricted` Pod Security Standard, unless the step itself says
otherwise. One pod, one user: so `publish` can read what the step wrote with mode 0600, without a capability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from towpath.flow.planned import CLAIM
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_operator.jobs.settings import PodSettings

_RUNTIME_DEFAULT = {"type": "RuntimeDefault"}
_NO_PRIVILEGES = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def pod_security(
    asked: Mapping[str, Any], settings: PodSettings, datastores: Sequence[PlannedDatastore] = ()
) -> dict[str, Any]:
    """The pod's securityContext: the step's wishes over the installation's user; its group owns its volumes."""
    ours: dict[str, Any] = {"runAsNonRoot": asked.get("runAsUser") != 0, "seccompProfile": _RUNTIME_DEFAULT}
    if settings.user is not None:
        ours |= {"runAsUser": settings.user, "runAsGroup": settings.user}
    ours |= asked
    if any(datastore.kind == CLAIM for datastore in datastores):
        return _owning_volumes(ours)
    return ours


def _owning_volumes(security: Mapping[str, Any]) -> dict[str, Any]:
    """Lets the pod's group own its volumes; all files of one are looked at only where its top has another group."""
    group = {"fsGroup": security["runAsGroup"]} if "runAsGroup" in security else {}
    return group | {"fsGroupChangePolicy": "OnRootMismatch"} | dict(security)


def step_security() -> dict[str, Any]:
    """The securityContext of the user's container; its root file system is its own to write."""
    return dict(_NO_PRIVILEGES)


def sidecar_security() -> dict[str, Any]:
    """The securityContext of a FUSE sidecar: only root with all privileges may make a mount that others see.

    It stands on the container, since the pod's own says that nothing in it is root.
    """
    return {
        "privileged": True,
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "readOnlyRootFilesystem": True,
    }


def mover_security() -> dict[str, Any]:
    """The securityContext of a mover: nothing of its image can be changed, whatever the step asked for itself."""
    return _NO_PRIVILEGES | {"readOnlyRootFilesystem": True, "seccompProfile": _RUNTIME_DEFAULT}
