"""The documented reasons of every condition and step, and the condition that carries one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

# A step's message; a condition has room for what to do about it.
MESSAGE_LIMIT = 256
CONDITION_LIMIT = 1024


class Reason(StrEnum):
    """A word of the documented list, with the sentence that documents it."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Reason:
        reason = str.__new__(cls, word)
        reason._value_ = word
        reason.meaning = meaning
        return reason


class RunReason(Reason):
    """Reasons of a PipelineRun's condition Succeeded."""

    # Unknown: not decided yet.
    PENDING = "Pending", "The run was seen and has not been looked into yet."
    WAITING = "Waiting", "Something that the run names is missing or not Ready yet; the message says what."
    RUNNING = "Running", "Steps are running or waiting; status.steps says which."
    CANCELLING = "Cancelling", "The run was cancelled and its pods are ending."
    # True.
    SUCCEEDED = "Succeeded", "Every step succeeded, every registration is recorded, every export is made."
    # False: it never started.
    NOT_FOUND = "NotFound", "Something that the run names does not exist; the message lists near names."
    NOT_READY = "NotReady", "A Datastore or Dataset did not become Ready in time (storeTimeoutSeconds)."
    INVALID_PIPELINE = "InvalidPipeline", "Steps, references or names do not fit together."
    INVALID_PARAMS = "InvalidParams", "A parameter is unknown, missing, or not of its type."
    NOT_SUPPORTED_YET = "NotSupportedYet", "A field is used that this release does not honour; it is named."
    NOT_FINISHED = "NotFinished", "The run that retryOf names has not ended yet."
    READ_ONLY = "ReadOnly", "An output or an inventory would be written to a read-only Datastore."
    EMPTY_INPUT = (
        "EmptyInput",
        "An input has no files, or its view selects none, and it does not say allowEmpty.",
    )
    INPUT_REFUSED = (
        "InputRefused",
        "The inventory of an input's source cannot be taken, or its view not be counted; the message says why.",
    )
    MOUNT_UNAVAILABLE = (
        "MountUnavailable",
        "An input must be mounted, and nothing can mount its Datastore; the message says why.",
    )
    TOO_LARGE = (
        "TooLarge",
        "The plan or a step's scratch space exceeds its limit; the message has numbers.",
    )
    # False: it ended.
    STEP_FAILED = "StepFailed", "A step failed for good; the message says which and why."
    REGISTRATION_FAILED = "RegistrationFailed", "An output was published and could not be registered."
    EXPORT_FAILED = "ExportFailed", "Every step succeeded, and an output could not be copied to its `export`."
    CANCELLED = "Cancelled", "The run was cancelled; nothing unfinished was accepted."
    TIMED_OUT = "TimedOut", "The run took longer than its timeoutSeconds."
    PLAN_LOST = (
        "PlanLost",
        "The plan, or that of the run which retryOf names, is missing or not the one recorded; it is never made again.",
    )


class StepReason(Reason):
    """Reasons of a step's state."""

    # Pending and waiting.
    UPSTREAM = "WaitingForSteps", "Steps that it depends on have not succeeded yet."
    STARTING = "Starting", "Its Job was made; the pod is being set up."
    SCHEDULING = "Unschedulable", "No node takes the pod; the message has the scheduler's words."
    IMAGE = "ImageNotPulled", "An image cannot be pulled; the message has the kubelet's words."
    CONFIG = "ContainerConfig", "A container cannot be made, such as for a missing Secret in env."
    NOT_SET_UP = (
        "PodNotSetUp",
        "The node cannot set up the pod, such as for a volume or too small a memory limit.",
    )
    QUOTA = "QuotaExceeded", "A quota refuses the Job or its pod; the message has its words."
    POD_SECURITY = "PodSecurity", "Pod Security refuses the pod; the message lists the violations."
    POD_REFUSED = "PodRefused", "Admission refuses the Job or its pod; the message has its words."
    SUSPENDED = "Suspended", "The Job is suspended: a queue has not admitted it, or somebody suspended it."
    STAGING_IN = "StagingIn", "Inputs are being staged."
    PUBLISHING = "Publishing", "The command has ended well; outputs are being published."
    FINDING_RESULT = (
        "FindingResult",
        "The attempt succeeded and its pod is gone; a mover looks for its result in the store.",
    )
    MERGING = "Merging", "Every shard has published its part; a mover makes one output of them."
    CREDENTIALS = (
        "CredentialsRefused",
        "A datastore refuses the credentials; goes on once a probe succeeds.",
    )
    RETRYING = "Retrying", "An attempt failed; the next one starts after a pause."
    VERIFYING = (
        "VerifyingReuse",
        "A mover looks whether the outputs of an equal, earlier step are still there.",
    )
    ELSEWHERE = (
        "WaitingForEqualStep",
        "Another run computes an equal step: its outputs are taken if it succeeds, else this one is run.",
    )
    # Running and ended well.
    RUNNING = "Running", "The command is running."
    SUCCEEDED = "Succeeded", "The command ended with 0 and everything it owed was published and accepted."
    # Failed.
    EXIT_CODE = "ExitCode", "The command ended with another code than 0."
    SIGNAL = "Signal", "The command was ended by a signal."
    OUT_OF_MEMORY = "OutOfMemory", "The step used more memory than its limit and was killed."
    STEP_TIMED_OUT = "StepTimedOut", "The command took longer than the step's timeoutSeconds."
    START_ERROR = "StartError", "The runtime could not start the command."
    EVICTED = "Evicted", "The kubelet evicted the pod because it used more than it may."
    PENDING_TIMED_OUT = (
        "PendingTimedOut",
        "Scheduling, quota or queue exceeded pendingTimeoutSeconds.",
    )
    DISRUPTED = (
        "Disrupted",
        "The pod was taken away too often: preempted, drained, deleted, node lost.",
    )
    MOVER_FAILED = "MoverFailed", "Staging in or publishing failed too often."
    OUTPUT_MISSING = "OutputMissing", "A declared output was not written."
    OUTPUT_EMPTY = "OutputEmpty", "A declared output has no files and does not say allowEmpty."
    DUPLICATE_PATH = "DuplicatePath", "Two shards wrote a file of one path; the message names both."
    OUTPUT_REFUSED = "OutputRefused", "publish refuses what was written; the message says what."
    INPUT_REFUSED = "InputRefused", "stage-in refuses what it was to stage; the message says what."
    MOUNT_EMPTY = "MountEmpty", "The mount of an input has none of its files; nothing was started."
    MOUNT_INCOMPLETE = (
        "MountIncomplete",
        "The mount of an input lacks some of its files, or has others than were pinned; nothing was started.",
    )
    MOUNT_UNREADABLE = "MountUnreadable", "The mount of an input cannot be read as the step's user."
    MOUNT_HANGS = "MountHangs", "The mount of an input does not answer."
    MOUNT_LOST = "MountLost", "A mount went while the step ran; it is run again, and nothing was published."
    INPUT_DRIFT = "InputDrift", "An object changed since it was pinned, and other bytes are never given."
    OUTPUT_CHANGED = "OutputChanged", "An output changed while it was published."
    EXPORT_TAKEN = (
        "ExportTaken",
        "Where an output is to be exported lies what is not its own; nothing was run.",
    )
    CODE_DRIFT = "CodeDrift", "The code is not the code that was planned."
    PLAN_DRIFT = "PlanDrift", "The plan's ConfigMap was replaced, and does not hold what was planned."
    DISK_FULL = "DiskFull", "A disk is full; the message has numbers."
    INPUT_NOT_WRITTEN = "InputNotWritten", "An input comes from an optional output that was not written."
    EMPTY_INPUT = "EmptyInput", "An input has no files and does not say allowEmpty."
    TOO_LARGE = "TooLarge", "Its inputs take more of a node's disk than is allowed; the message has numbers."
    NAME_TAKEN = "NameTaken", "A Job of the attempt's name exists that is not this run's, or not this plan's."
    # Ended without its own doing.
    UPSTREAM_FAILED = "UpstreamFailed", "A step that it depends on did not succeed."
    RUN_FAILED = "RunFailed", "Another step failed, and continueOnStepFailure is not set."
    CANCELLED = "Cancelled", "The run was cancelled."
    TIMED_OUT = "TimedOut", "The run took longer than its timeoutSeconds."
    PLAN_LOST = "PlanLost", "The run's plan is lost."


class MissReason(Reason):
    """Reasons of a step's `reuseMiss`: why it was run although reuse was allowed."""

    NOTHING_EARLIER = (
        "NothingEarlier",
        "No step of its name has succeeded in a run of this pipeline that exists.",
    )
    CHANGED = (
        "Changed",
        "Something differs from the last such step: components says what, run says where.",
    )
    NOT_PINNED = (
        "ImageNotPinned",
        "Its image is known by a tag only, which can be pushed again. Pin the digest, or say reuse: Always.",
    )
    NO_OUTPUTS = "NoOutputs", "It has no outputs, so it is run for its effect. Say reuse: Always to skip it."
    OUTPUT_GONE = "OutputGone", "An equal step has succeeded, and its outputs are not there any more."
    NOT_VERIFIED = "NotVerified", "An equal step has succeeded, and its outputs could not be looked at."


def condition(
    before: Sequence[Mapping[str, Any]],
    type_: str,
    status: str,
    said: tuple[Reason | str, str],
    now: datetime,
) -> dict[str, Any]:
    """One condition; `said` is reason and message. Its transition time moves only with `status`."""
    reason, message = said
    since = next((old["lastTransitionTime"] for old in before if _holds(old, type_, status)), timestamp(now))
    return {
        "type": type_,
        "status": status,
        "reason": str(reason),
        "message": brief(message, CONDITION_LIMIT),
        "lastTransitionTime": since,
    }


def brief(message: str, limit: int = MESSAGE_LIMIT) -> str:
    """A message as one line of at most `limit` characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in message).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def timestamp(moment: datetime) -> str:
    """A moment as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _holds(old: Mapping[str, Any], type_: str, status: str) -> bool:
    return bool(old.get("type") == type_ and old.get("status") == status and old.get("lastTransitionTime"))
