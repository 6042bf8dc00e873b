"""A PodTemplate that a step names as its `computeTarget` → what the step takes of it; the rest is refused by name.

The order in which a step's settings win: the step's own, the pipeline's `stepDefaults`, the compute target, the
installation. Lists of pull secrets are joined, variables and fields of securityContext each by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from towpath.flow import names, references, target_limits
from towpath.flow.conditions import RunReason
from towpath.flow.planned import PlannedTarget
from towpath.flow.stalled import StalledError

Json = Mapping[str, Any]

# What of a pod's spec goes into the step's pod as it stands there.
POD_FIELDS = (
    "affinity",
    "automountServiceAccountToken",
    "nodeSelector",
    "preemptionPolicy",
    "priorityClassName",
    "resourceClaims",
    "runtimeClassName",
    "schedulerName",
    "serviceAccountName",
    "tolerations",
    "topologySpreadConstraints",
)
# What the API server writes where nothing was said; the other values here do no harm, since a step's pod has them.
_SAID_BY_NOBODY: Mapping[str, tuple[Any, ...]] = {
    "dnsPolicy": ("ClusterFirst",),
    "restartPolicy": ("Always", "Never"),
    "terminationGracePeriodSeconds": (30,),
    "enableServiceLinks": (False,),
    "hostNetwork": (False,),
    "hostPID": (False,),
    "hostIPC": (False,),
}
_CONTAINER_FIELDS = ("name", "image", "resources", "env", "volumeMounts", "securityContext")
_CONTAINER_SAID_BY_NOBODY: Mapping[str, tuple[Any, ...]] = {
    "imagePullPolicy": ("Always", "IfNotPresent", "Never"),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File", "FallbackToLogsOnError"),
}
_SECURITY = ("runAsUser", "runAsGroup", "fsGroup", "supplementalGroups", "seccompProfile")
# These are so in every pod of a step, whatever its target says.
_SECURITY_ANYWAY: Mapping[str, tuple[Any, ...]] = {
    "runAsNonRoot": (True,),
    "allowPrivilegeEscalation": (False,),
    "privileged": (False,),
    "capabilities": ({"drop": ["ALL"]},),
}
_LONGEST_VOLUME_NAME = 56


def read_target(name: str, pod_template: Json) -> PlannedTarget:
    """What a step takes of this PodTemplate; StalledError names every field that no step can take."""
    template = pod_template.get("template") or {}
    spec = template.get("spec") or {}
    refused = [*target_limits.refused(pod_template), *_refused(template, spec)]
    if refused:
        raise StalledError(
            RunReason.INVALID_PIPELINE,
            f"The computeTarget {name} (a PodTemplate) says what a step cannot take: {'; '.join(refused[:5])}"
            f"{f' and {len(refused) - 5} more' if len(refused) > 5 else ''}. Remove it there.",
        )
    container = _step_container(spec)
    metadata = template.get("metadata") or {}
    security = {**_security(spec.get("securityContext")), **_security(container.get("securityContext"))}
    return PlannedTarget(
        name=name,
        max_scratch_bytes=target_limits.max_scratch_bytes(pod_template),
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
        pod={field: spec[field] for field in POD_FIELDS if field in spec},
        volumes=tuple(spec.get("volumes") or ()),
        image=container.get("image") or None,
        resources=container.get("resources") or {},
        env=tuple(container.get("env") or ()),
        volume_mounts=tuple(container.get("volumeMounts") or ()),
        security_context=security,
        read_only_root=bool((container.get("securityContext") or {}).get("readOnlyRootFilesystem")),
        image_pull_secrets=tuple(secret["name"] for secret in spec.get("imagePullSecrets") or ()),
    )


def without_defaults(target: PlannedTarget) -> PlannedTarget:
    """What is left of a target once its defaults are merged into its step."""
    return replace(target, image=None, resources={}, env=(), security_context={}, image_pull_secrets=())


def _step_container(spec: Json) -> Json:
    containers = spec.get("containers") or ()
    return next((one for one in containers if one.get("name") == names.STEP_CONTAINER), {})


def _security(context: Json | None) -> dict[str, Any]:
    return {field: value for field, value in (context or {}).items() if field in _SECURITY}


def _refused(template: Json, spec: Json) -> Iterator[str]:
    for kind in ("labels", "annotations"):
        for key in (template.get("metadata") or {}).get(kind) or {}:
            if key.partition("/")[0].endswith(names.GROUP):
                place = "stands in the PodTemplate's own metadata, not in its template's"
                why = place if key == names.MAX_SCRATCH_ANNOTATION else "this prefix is Towpath's own"
                yield f"metadata.{kind}.{key}: {why}"
    taken = (*POD_FIELDS, "containers", "volumes", "imagePullSecrets", "securityContext")
    # The API server still repeats the account under its old name.
    known = {**_SAID_BY_NOBODY, "serviceAccount": (spec.get("serviceAccountName"),)}
    yield from _others("spec", spec, taken, known)
    yield from _others("spec.securityContext", spec.get("securityContext"), _SECURITY, _SECURITY_ANYWAY)
    yield from _refused_volumes(spec)
    for container in spec.get("containers") or ():
        yield from _refused_of_container(container)


def _refused_volumes(spec: Json) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        where = f"spec.volumes: {volume['name']}"
        if "hostPath" in volume:
            yield f"{where} is a hostPath, which reaches into the node"
        if len(volume["name"]) > _LONGEST_VOLUME_NAME:
            yield f"{where} has a name of more than {_LONGEST_VOLUME_NAME} characters"


def _refused_of_container(container: Json) -> Iterator[str]:
    name = container.get("name", "")
    if name != names.STEP_CONTAINER:
        yield f"spec.containers: {name} (the only one that a step takes is named {names.STEP_CONTAINER})"
        return
    where = f"spec.containers[{name}]"
    yield from _others(where, container, _CONTAINER_FIELDS, _CONTAINER_SAID_BY_NOBODY)
    security = container.get("securityContext")
    yield from _others(
        f"{where}.securityContext", security, (*_SECURITY, "readOnlyRootFilesystem"), _SECURITY_ANYWAY
    )
    for variable in container.get("env") or ():
        if variable["name"].startswith("TOWPATH_"):
            yield f"{where}.env: {variable['name']} is set by Towpath"
        if references.references_in(variable.get("value") or ""):
            yield f"{where}.env: {variable['name']} holds a reference, which only a Pipeline may"
    for mount in container.get("volumeMounts") or ():
        path = mount["mountPath"].rstrip("/")
        if path in ("", "/dev/shm") or f"{path}/".startswith("/towpath/"):  # noqa: S108 - a path in the pod
            yield f"{where}.volumeMounts: {mount['mountPath']} belongs to Towpath"


def _others(
    where: str, given: Json | None, taken: tuple[str, ...], said_by_nobody: Mapping[str, tuple[Any, ...]]
) -> Iterator[str]:
    for field, value in (given or {}).items():
        if field in taken or value in (None, [], {}, ""):
            continue
        if value not in said_by_nobody.get(field, ()):
            yield f"{where}.{field}"
