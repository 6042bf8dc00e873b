"""An attempt that ended without success → whose failure it was, in words for the one who is woken by it."""

from __future__ import annotations

import re

from towpath.flow import names, reports
from towpath.flow.conditions import StepReason, brief
from towpath.flow.exits import MoverExit
from towpath.flow.observed import ObservedAttempt, ObservedContainer, ObservedPod
from towpath.flow.planned import PlannedStep
from towpath.flow.verdicts import Failed, Fault

LOG_TAIL_BYTES = 2048
START_ERRORS = frozenset({"StartError", "ContainerCannotRun", "RunContainerError"})
_SIGNALS = {1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 11: "SEGV"}
_SIGNALS |= {13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ"}
_STOPPED = frozenset({137, 143})
# What a mover says in these words is shown in these words.
_SAID_BY_MOVERS = (
    StepReason.OUTPUT_MISSING,
    StepReason.OUTPUT_EMPTY,
    StepReason.DUPLICATE_PATH,
    StepReason.INPUT_DRIFT,
    StepReason.MOUNT_EMPTY,
    StepReason.MOUNT_INCOMPLETE,
    StepReason.MOUNT_UNREADABLE,
    StepReason.MOUNT_HANGS,
    StepReason.MOUNT_LOST,
    StepReason.OUTPUT_CHANGED,
    StepReason.CODE_DRIFT,
    StepReason.PLAN_DRIFT,
    StepReason.DISK_FULL,
    StepReason.EMPTY_INPUT,
    StepReason.EXPORT_TAKEN,
)
# What may pass, and has a name of its own nevertheless.
_TRIED_AGAIN = frozenset({StepReason.MOUNT_UNREADABLE, StepReason.MOUNT_HANGS, StepReason.MOUNT_LOST})
# The order of rules in the Job's podFailurePolicy: what each class of rule says.
_RULE = re.compile(r"matching FailJob rule at index ([0-9]+)")
_DISRUPTION_RULES = frozenset({0})
_MOVER_RULES = frozenset({1, 4})
_FINAL_RULES = frozenset({2, 5})
_CREDENTIALS_RULES = frozenset({3, 6})


def failure_of(step: PlannedStep, pod: ObservedPod) -> Failed:
    """Classify an attempt whose pod has ended, and not in success."""
    stage_in = pod.containers.get(names.STAGE_IN_CONTAINER)
    if pod.disruption:
        return disrupted(pod.disruption)
    if pod.reason == "Evicted":
        return _evicted(pod)
    if stage_in and stage_in.state == "terminated" and stage_in.exit_code:
        return _stopped_from_outside(pod, stage_in) or mover_failure(stage_in)
    container = pod.containers.get(names.STEP_CONTAINER)
    if container is None or container.state != "terminated":
        return disrupted(
            f"the pod ended before its step did: {pod.reason or 'no reason'}: {pod.message or ''}"
        )
    return _stopped_from_outside(pod, container) or _step_or_publish(step, pod, container)


def step_failure(
    step: PlannedStep, container: ObservedContainer, publish: ObservedContainer | None = None
) -> Failed:
    """The failure of the user's own container, which ended with another code than 0 or never began."""
    reason, message = _words_of(step, container, publish)
    return Failed(
        fault=Fault.USER,
        reason=reason,
        message=message,
        exit_code=container.exit_code,
        log_tail=None if reason is StepReason.START_ERROR else log_tail(container.message),
    )


def mover_failure(container: ObservedContainer) -> Failed:
    """The failure of stage-in or publish: its exit code says the class, its report the words."""
    report = reports.read_failure(container.message)
    fault, reason, is_final = _class_of(container)
    words = report.message if report else f"{container.name} {_how_it_ended(container)}"
    known = next((known for known in _SAID_BY_MOVERS if report and known == report.reason), None)
    if known and (is_final or known in _TRIED_AGAIN):
        reason = known
    elif report:
        words = f"{report.reason}: {words}"
    return Failed(fault, reason, words, is_final=is_final)


def stopped_mover(pod: ObservedPod, container: ObservedContainer) -> Failed:
    """The failure of a pod of ours alone, of which one container ended with another code than 0."""
    if pod.disruption:
        return disrupted(pod.disruption)
    return _stopped_from_outside(pod, container) or mover_failure(container)


def failure_without_pod(attempt: ObservedAttempt) -> Failed:
    """Classify an attempt whose Job failed and whose pod is gone, from the Job's condition alone."""
    rule = _RULE.search(attempt.failed_message or "")
    if rule is None:
        # A command that failed and a pod that somebody deleted leave the same words: nobody's failure is proven.
        return disrupted("its pod was deleted before its end could be looked at: exit code and log are lost")
    return _by_rule(int(rule[1]), attempt.failed_message or "")


def disrupted(why: str) -> Failed:
    """A pod that was taken away, by nobody's fault in this run."""
    return Failed(Fault.DISRUPTION, StepReason.DISRUPTED, brief(why))


def log_tail(text: str | None) -> str | None:
    """The last 2 KiB of a log, without what a terminal would obey."""
    if not text:
        return None
    shown = "".join(char for char in text if char in "\n\t" or char.isprintable())
    return shown.encode(errors="replace")[-LOG_TAIL_BYTES:].decode(errors="ignore") or None


def _step_or_publish(step: PlannedStep, pod: ObservedPod, container: ObservedContainer) -> Failed:
    publish = pod.containers.get(names.PUBLISH_CONTAINER)
    if container.exit_code or container.reason in START_ERRORS:
        return _lost_mount(publish) or step_failure(step, container, publish)
    if publish is None or publish.state != "terminated":
        return disrupted(f"the pod ended before its outputs were published: {pod.reason or 'no reason'}")
    return _stopped_from_outside(pod, publish) or _publish_failure(publish)


def _lost_mount(publish: ObservedContainer | None) -> Failed | None:
    """Whose mount went could not end well: the command's own end says nothing then."""
    if publish is None or publish.exit_code != MoverExit.TRY_AGAIN:
        return None
    failed = mover_failure(publish)
    return failed if failed.reason is StepReason.MOUNT_LOST else None


def _publish_failure(publish: ObservedContainer) -> Failed:
    if publish.exit_code:
        return mover_failure(publish)
    return Failed(
        Fault.MOVER, StepReason.MOVER_FAILED, "publish ended with 0, and its report is not what it owes"
    )


def _stopped_from_outside(pod: ObservedPod, container: ObservedContainer) -> Failed | None:
    if container.reason == "ContainerStatusUnknown":
        return disrupted(f"the node lost sight of {container.name}")
    if pod.deleting and container.exit_code in _STOPPED:
        return disrupted("the pod was deleted")
    return None


def _evicted(pod: ObservedPod) -> Failed:
    words = brief(f"the kubelet evicted the pod: {pod.message or 'it does not say why'}", 200)
    container = pod.containers.get(names.STEP_CONTAINER)
    code = container.exit_code if container else None
    hint = " Ask for more ephemeral-storage, or write less." if "storage" in words or "olume" in words else ""
    return Failed(Fault.USER, StepReason.EVICTED, words + hint, exit_code=code)


def _words_of(
    step: PlannedStep, container: ObservedContainer, publish: ObservedContainer | None
) -> tuple[StepReason, str]:
    code = container.exit_code or 0
    if container.reason in START_ERRORS:
        return StepReason.START_ERROR, brief(f"the command could not be started: {container.message or ''}")
    if container.reason == "OOMKilled":
        return StepReason.OUT_OF_MEMORY, f"killed: out of memory ({_memory(step)}). Give it a higher limit."
    if _took_too_long(step, container) or _was_stopped(publish):
        return StepReason.STEP_TIMED_OUT, f"stopped after {step.timeout_seconds} s (timeoutSeconds)"
    if code - 128 in _SIGNALS:
        hint = f", perhaps out of memory ({_memory(step)})" if code == 137 else ""
        return StepReason.SIGNAL, f"ended by signal {_SIGNALS[code - 128]} (exit code {code}){hint}"
    return StepReason.EXIT_CODE, brief(f"exit code {code}{_hint(step, code)}")


def _hint(step: PlannedStep, code: int) -> str:
    command = f"the command {step.command[0]!r}" if step.command else "the image's own command"
    match code:
        case 126:
            return f": {command} is not executable"
        case 127:
            return f": {command} is not in the image, or runs what is not there; the last lines of its log say which"
        case _:
            return ""


def _memory(step: PlannedStep) -> str:
    limit = step.resources.get("limits", {}).get("memory")
    return f"memory limit {limit}" if limit else "it has no memory limit of its own"


def _was_stopped(publish: ObservedContainer | None) -> bool:
    """Whether the launcher said so: the times of a container are those of who looked at it."""
    if publish is None or publish.exit_code != MoverExit.NOT_PUBLISHED:
        return False
    report = reports.read_failure(publish.message)
    return report is not None and report.reason == StepReason.STEP_TIMED_OUT


def _took_too_long(step: PlannedStep, container: ObservedContainer) -> bool:
    if not step.timeout_seconds or not container.started_at or not container.finished_at:
        return False
    return (container.finished_at - container.started_at).total_seconds() >= step.timeout_seconds


def _class_of(container: ObservedContainer) -> tuple[Fault, StepReason, bool]:
    is_stage_in = container.name == names.STAGE_IN_CONTAINER
    match container.exit_code:
        case MoverExit.REFUSED:
            refused = StepReason.INPUT_REFUSED if is_stage_in else StepReason.OUTPUT_REFUSED
            return Fault.USER, refused, True
        case MoverExit.DATA_CHANGED:
            changed = StepReason.INPUT_DRIFT if is_stage_in else StepReason.OUTPUT_CHANGED
            return Fault.USER, changed, True
        case MoverExit.DISK_FULL:
            return Fault.USER, StepReason.DISK_FULL, True
        case MoverExit.CREDENTIALS_REFUSED:
            return Fault.CREDENTIALS, StepReason.CREDENTIALS, False
        case _:
            return Fault.MOVER, StepReason.MOVER_FAILED, False


def _how_it_ended(container: ObservedContainer) -> str:
    if container.reason == "OOMKilled":
        return "was killed: out of memory. Raise mover.resources in the chart or on the Datastore."
    return (
        f"ended with exit code {container.exit_code} ({container.reason or 'no reason'}) and left no report"
    )


def _by_rule(index: int, message: str) -> Failed:
    words = brief(f"its pod is gone; its Job says: {message}")
    if index in _DISRUPTION_RULES:
        return disrupted(words)
    if index in _CREDENTIALS_RULES:
        return Failed(Fault.CREDENTIALS, StepReason.CREDENTIALS, words)
    if index in _FINAL_RULES:
        reason = StepReason.INPUT_REFUSED if index < min(_FINAL_RULES) + 3 else StepReason.OUTPUT_REFUSED
        return Failed(Fault.USER, reason, words, is_final=True)
    return Failed(Fault.MOVER, StepReason.MOVER_FAILED, words)
