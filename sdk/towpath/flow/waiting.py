"""Why an attempt has not begun, in words for people: image, configuration, scheduling, quota, Pod Security."""

from __future__ import annotations

from datetime import datetime

from towpath.flow import names
from towpath.flow.conditions import StepReason, brief
from towpath.flow.observed import ObservedAttempt, ObservedContainer, ObservedPod
from towpath.flow.planned import PlannedStep
from towpath.flow.recorded import StepState
from towpath.flow.verdicts import Failed, Fault, Going, Moment

_IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_CONFIG = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "PreCreateHookError", "CreateSandboxError"}
)


def waiting_without_pod(step: PlannedStep, attempt: ObservedAttempt, moment: Moment) -> Going | Failed:
    """A Job that has no pod: suspended, refused by admission or quota, or only just made."""
    waited = moment.seconds_since(attempt.created_at)
    if attempt.suspended:
        return _patiently(step, attempt, moment, _suspended(step))
    if waited < moment.limits.no_pod_seconds:
        left = moment.limits.no_pod_seconds - waited
        return Going(StepState.WAITING, StepReason.STARTING, check_after_seconds=left)
    reason = reason_of_refusal(attempt.refusal)
    going = Going(StepState.WAITING, reason, brief(attempt.refusal or "") or None, ask_admission=True)
    if reason in (StepReason.QUOTA, StepReason.STARTING):
        return _patiently(step, attempt, moment, going)
    return _impatiently(attempt.created_at, moment, going, Fault.USER)


def waiting_of_pod(
    step: PlannedStep, attempt: ObservedAttempt, pod: ObservedPod, moment: Moment
) -> Going | Failed:
    """A pod whose step has not begun: not scheduled, an image or a container that cannot be had, or inputs."""
    if pod.unschedulable:
        going = Going(StepState.WAITING, StepReason.SCHEDULING, brief(pod.unschedulable))
        return _patiently(step, attempt, moment, going)
    for container in pod.containers.values():
        reason = _reason_of_waiting(container)
        if reason is not None:
            return _stuck(pod, container, reason, moment)
    stage_in = pod.containers.get(names.STAGE_IN_CONTAINER)
    if stage_in is not None and stage_in.state == "running":
        return Going(StepState.RUNNING, StepReason.STAGING_IN, started_at=pod.started_at)
    sidecar = next((one for one in pod.containers.values() if _mounts(one)), None)
    if sidecar is not None and stage_in is not None and stage_in.state == "waiting":
        words = (
            f"container {sidecar.name} has not mounted its datastore yet; its log says why. If it has: something that "
            "changes pods here has taken `restartPolicy: Always` from it, so that its end is waited for"
        )
        going = Going(StepState.WAITING, StepReason.NOT_SET_UP, words)
        return _impatiently(_since(pod), moment, going, Fault.MOVER)
    if pod.warning:
        going = Going(StepState.WAITING, StepReason.NOT_SET_UP, brief(pod.warning))
        return _impatiently(_since(pod), moment, going, Fault.USER)
    return Going(StepState.WAITING, StepReason.STARTING)


def _mounts(container: ObservedContainer) -> bool:
    """Whether it is a sidecar that has begun, perhaps more than once."""
    has_begun = container.state != "waiting" or container.reason == "CrashLoopBackOff"
    return has_begun and container.name.startswith(f"{names.MOUNT_CONTAINER}-")


def reason_of_refusal(refusal: str | None) -> StepReason:
    """What a refusal of the pod is about; Starting where there is none."""
    if not refusal:
        return StepReason.STARTING
    text = refusal.lower()
    if "podsecurity" in text:
        return StepReason.POD_SECURITY
    if "quota" in text or "must specify limits" in text or "must specify requests" in text:
        return StepReason.QUOTA
    return StepReason.POD_REFUSED


def _suspended(step: PlannedStep) -> Going:
    words = "somebody suspended its Job"
    if step.queue_name:
        words = (
            f"its queue {step.queue_name} has not admitted it, or has put it back. Kueue must be installed, "
            f"and have a LocalQueue of this name in this namespace"
        )
    return Going(StepState.WAITING, StepReason.SUSPENDED, words)


def _reason_of_waiting(container: ObservedContainer) -> StepReason | None:
    if container.state != "waiting":
        return None
    if container.reason in _IMAGE:
        return StepReason.IMAGE
    return StepReason.CONFIG if container.reason in _CONFIG else None


def _stuck(
    pod: ObservedPod, container: ObservedContainer, reason: StepReason, moment: Moment
) -> Going | Failed:
    words = brief(f"container {container.name}: {container.reason}: {container.message or 'no message'}")
    fault = Fault.USER if container.name == names.STEP_CONTAINER else Fault.MOVER
    return _impatiently(_since(pod), moment, Going(StepState.WAITING, reason, words), fault)


def _since(pod: ObservedPod) -> datetime:
    # The kubelet does not say since when it waits: not before the node had the pod and stage-in had ended.
    stage_in = pod.containers.get(names.STAGE_IN_CONTAINER)
    ended = stage_in.finished_at if stage_in else None
    return ended or pod.started_at or pod.created_at


def _impatiently(since: datetime, moment: Moment, going: Going, fault: Fault) -> Going | Failed:
    left = moment.limits.start_timeout_seconds - moment.seconds_since(since)
    if left > 0:
        return _looking_again(going, left)
    words = f"it did not start within {moment.limits.start_timeout_seconds} s: {going.message or ''}"
    return Failed(fault, going.reason, brief(words))


def _patiently(step: PlannedStep, attempt: ObservedAttempt, moment: Moment, going: Going) -> Going | Failed:
    if step.pending_timeout_seconds is None:
        return going
    left = step.pending_timeout_seconds - moment.seconds_since(attempt.created_at)
    if left > 0:
        return _looking_again(going, left)
    words = f"pending for {step.pending_timeout_seconds} s (pendingTimeoutSeconds): {going.message or ''}"
    return Failed(Fault.USER, StepReason.PENDING_TIMED_OUT, brief(words))


def _looking_again(going: Going, seconds: float) -> Going:
    return Going(
        state=going.state,
        reason=going.reason,
        message=going.message,
        started_at=going.started_at,
        check_after_seconds=seconds,
        ask_admission=going.ask_admission,
    )
