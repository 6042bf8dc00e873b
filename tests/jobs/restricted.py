"""The `restricted` Pod Security Standard as a list of what a pod violates; the rules of its version 1.35."""

from __future__ import annotations

from typing import Any

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim"}
VOLUMES |= {"projected", "secret"}
HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")


def violations(pod: dict[str, Any]) -> list[str]:
    """What a pod spec does that `restricted` forbids; empty if it passes."""
    found = [f"{field} is set" for field in HOST if pod.get(field)]
    for volume in pod["volumes"]:
        kinds = set(volume) - {"name"}
        found += [f"volume {volume['name']} is a {kind}" for kind in kinds - VOLUMES]
    for container in containers(pod):
        found += [f"{container['name']}: {what}" for what in _of_container(container, pod)]
    return found


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """All containers of a pod."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def _of_container(container: dict[str, Any], pod: dict[str, Any]) -> list[str]:
    own = container["securityContext"]
    effective = pod["securityContext"] | own
    found = []
    if effective.get("runAsNonRoot") is not True or effective.get("runAsUser") == 0:
        found.append("may be root")
    if effective.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("has no seccomp profile")
    if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
        found.append("may gain privileges")
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        found.append("keeps capabilities")
    return found + [f"binds host port {port}" for port in container.get("ports", []) if port.get("hostPort")]
