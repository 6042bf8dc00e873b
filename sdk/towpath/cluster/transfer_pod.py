"""The pod that serves one datastore to this machine: made with the user's own rights, and deleted at the end.

It is a Job's, owned by the Datastore: if this process is killed, the pod ends by itself after two minutes without a
request, and a minute later it is collected.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from towpath.api.datastore import Datastore
from towpath.backend import Kind, Manifest
from towpath.cluster.addresses import EVENTS, JOBS, PODS
from towpath.cluster.client import RefusedError, Request
from towpath.cluster.link import ServingPod
from towpath.cluster.tunnel import Tunnel
from towpath.errors import NotFoundError, TowpathError, UnreachableError, UserErrorException
from towpath.flow.near_names import near
from towpath.flow.readiness import why_not_ready
from towpath_mover.exits import Exit
from towpath_mover.transfer_protocol import PORT, digest_of
from towpath_operator.jobs.transfer import Opening, render

if TYPE_CHECKING:
    from towpath.cluster.backend import ClusterBackend

_START_SECONDS = 180.0
_LOOK_SECONDS = 0.3
# A Job without a pod by then has been refused one.
_NO_POD_SECONDS = 10.0


class TransferPods(NamedTuple):
    """The pods that serve one datastore of a cluster, one after another."""

    backend: ClusterBackend
    datastore: str

    @property
    def where(self) -> str:
        """For people."""
        return f"Datastore {self.datastore} in {self.backend.where}"

    def start(self) -> ServingPod:
        """Make one and wait until it runs."""
        return start_serving(self.backend, self.datastore)

    def is_running(self, serving: ServingPod) -> bool:
        """Whether it still runs."""
        return is_serving(self.backend, serving)

    def stop(self, serving: ServingPod) -> None:
        """Delete it."""
        stop_serving(self.backend, serving.job)

    def connect(self, serving: ServingPod) -> Tunnel:
        """A port-forward to it."""
        return Tunnel(self.backend.client.api, self.backend.namespace, serving.pod, PORT)


def ready_datastore(backend: ClusterBackend, name: str) -> tuple[Datastore, str]:
    """The Datastore and its UID; an error where it is missing, not Ready, or the operator too old for transfers."""
    found = backend.get(Kind.DATASTORE, name)
    if found is None:
        known = [item["metadata"]["name"] for item in backend.list_objects(Kind.DATASTORE)]
        raise NotFoundError(f"There is no Datastore {name} in {backend.where}. {near(name, known)}")
    datastore = Datastore.model_validate(found)
    why = why_not_ready(datastore)
    if why:
        raise UserErrorException(f"Datastore {name} cannot be entered: {why}")
    return datastore, str(found["metadata"]["uid"])


def start_serving(backend: ClusterBackend, name: str) -> ServingPod:
    """Make the pod and wait until it runs; what keeps it from running is told in the kubelet's words."""
    datastore, uid = ready_datastore(backend, name)
    if datastore.status.mover is None:
        raise UserErrorException(
            f"The operator of {backend.where} does not say which image its movers have: upgrade it, or use --direct."
        )
    token = secrets.token_urlsafe(32)
    opening = Opening(secrets.token_hex(4), digest_of(token.encode()))
    job = render(datastore, uid, backend.namespace, opening)
    made = _made(backend, job)
    try:
        return ServingPod(made, _running(backend, made), token)
    except BaseException:
        stop_serving(backend, made)
        raise


def stop_serving(backend: ClusterBackend, job: str) -> None:
    """Delete the Job and its pod, if they are there."""
    options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    path, doing = JOBS.path(backend.namespace, job), f"delete Job {job}"
    try:
        backend.client.send(Request("DELETE", path, doing, None, options))
    except RefusedError as refused:
        if refused.refusal.code != 404:
            raise backend.client.error(refused, doing) from None


def is_serving(backend: ClusterBackend, serving: ServingPod) -> bool:
    """Whether the pod still runs."""
    try:
        pod = backend.client.get(PODS.path(backend.namespace, serving.pod), f"read pod {serving.pod}")
    except RefusedError:
        return False
    return _phase(pod) == "Running" and "deletionTimestamp" not in pod["metadata"]


def _made(backend: ClusterBackend, job: Manifest) -> str:
    request = Request("POST", JOBS.path(backend.namespace), "make a pod for the transfer", None, job)
    try:
        return str(backend.client.send(request)["metadata"]["name"])
    except RefusedError as refused:
        raise backend.client.error(refused, request.doing) from None


def _running(backend: ClusterBackend, job: str) -> str:
    began, why = time.monotonic(), "its pod is not made yet"
    while time.monotonic() - began < _START_SECONDS:
        pod = _pod_of(backend, job)
        if pod is not None:
            if _phase(pod) == "Running":
                return str(pod["metadata"]["name"])
            _raise_if_ended(pod)
            why = " ".join(_waiting(pod)) or why
        elif time.monotonic() - began > _NO_POD_SECONDS:
            why = _last_warning(backend, job) or why
        time.sleep(_LOOK_SECONDS)
    raise UnreachableError(
        f"The pod for the transfer does not start in {backend.where}: {why.rstrip('.')}. Gave up after "
        f"{_START_SECONDS:.0f} s; it is deleted. With credentials of your own, --direct needs no pod."
    )


def _pod_of(backend: ClusterBackend, job: str) -> Manifest | None:
    query = {"labelSelector": f"batch.kubernetes.io/job-name={job}"}
    pods = backend.client.list_all(PODS.path(backend.namespace), "list the pod of a transfer", query)
    return pods[0] if pods else None


def _raise_if_ended(pod: Manifest) -> None:
    """A pod that ended before it served anything says why in its report."""
    for state in _states(pod):
        ended = state.get("terminated")
        if ended is not None:
            raise _error(ended)
    if _phase(pod) in ("Failed", "Succeeded"):
        status = pod["status"]
        raise UnreachableError(
            f"The pod for the transfer ended: {status.get('message') or status.get('reason')}."
        )


def _error(ended: Manifest) -> TowpathError:
    text = ended.get("message") or ""
    try:
        message = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        message = f"The pod for the transfer ended with exit code {ended.get('exitCode')}: {text[-500:]}"
    return (UnreachableError if ended.get("exitCode") == Exit.TRY_AGAIN else UserErrorException)(message)


def _waiting(pod: Manifest) -> Iterator[str]:
    for state in _states(pod):
        waiting = state.get("waiting")
        if waiting is not None:
            yield f"{waiting.get('reason')}: {waiting.get('message', '')}".rstrip(": ")
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield f"{condition.get('reason')}: {condition.get('message', '')}"


def _states(pod: Manifest) -> Iterator[Manifest]:
    for container in (pod.get("status") or {}).get("containerStatuses") or ():
        yield container.get("state") or {}


def _phase(pod: Manifest) -> str:
    return str((pod.get("status") or {}).get("phase"))


def _last_warning(backend: ClusterBackend, job: str) -> str:
    """What the Job controller says of a pod that it may not make, such as for a quota."""
    query = {"fieldSelector": f"involvedObject.name={job},type=Warning"}
    try:
        events = backend.client.list_all(EVENTS.path(backend.namespace), "read why there is no pod", query)
    except RefusedError:
        return ""
    return str(events[-1].get("message") or "") if events else ""
