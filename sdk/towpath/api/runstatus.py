"""PipelineRun.status: progress only. Inputs stand in the plan, so that 1,000 steps stay under 512 KiB."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from towpath.api.markers import LIST_ATOMIC, LIST_SET
from towpath.api.meta import Conditions, StatusModel, Time
from towpath.api.scalars import Count, Digest, FilePath, ObjectName, PortName, StepName, VersionNumber

Word = Annotated[str, Field(max_length=64)]
Sentence = Annotated[str, Field(max_length=1024)]
Duration = Annotated[float, Field(ge=0, le=1e9)]


class RunState(StrEnum):
    """One word for columns, derived from the condition `Succeeded`."""

    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "Pending"
    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"


class Failures(StatusModel):
    """Failed attempts, by what failed."""

    user: Count = 0
    """The step itself; these count against `retries`."""
    disruption: Count = 0
    """Its pod was evicted, preempted or lost."""
    mover: Count = 0
    """A transfer."""


class ExportState(StrEnum):
    """Where the copy of an output at the place of its `export` stands. All but the first are final."""

    EXPORTING = "Exporting"
    EXPORTED = "Exported"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


class ExportStatus(StatusModel):
    """The copy of an output at the place of its `export`."""

    state: ExportState = ExportState.EXPORTING
    """Exporting, Exported, Failed, or Cancelled with its run."""
    attempt: Annotated[int, Field(ge=0, le=100_000)] = 1
    """Number of the latest mover that copies, from 1."""
    failures: Count = 0
    """How many of them failed."""
    reason: Word | None = None
    """One CamelCase word: why the latest failed, or has not begun."""
    message: Sentence | None = None
    """What happened, where, as whom, and what to do about it."""
    retry_after: Time | None = None
    """The next one does not start before this."""
    seconds: Duration | None = None
    """How long copying took."""


class PublishedOutput(StatusModel):
    """An output that was accepted."""

    name: PortName
    """Name of the output."""
    datastore: ObjectName
    """The Datastore that holds it."""
    inventory: FilePath
    """Key of its inventory below the datastore's prefix."""
    digest: Digest
    """Digest of its inventory: its identity."""
    files: Count
    """How many files."""
    bytes: Count
    """How many bytes."""
    scratch_bytes: Count = 0
    """Disk that it takes in a pod."""
    directory: bool
    """False where it is one single file."""
    file: FilePath | None = None
    """Path of the one file in the inventory, where `directory` is false."""
    datastores: Annotated[tuple[ObjectName, ...], Field(max_length=64), LIST_SET] = ()
    """The Datastores in which its files lie, where it is not only the one above."""
    seconds: Duration | None = None
    """How long publishing took."""
    version: VersionNumber | None = None
    """Number of the dataset version that it was registered as."""
    export: ExportStatus | None = None
    """How far its copy at the place of its `export` is, where it has one."""


class Metric(StatusModel):
    """A number that the step logged."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    """What was measured."""
    value: float
    """The last value logged."""


class ReusedFrom(StatusModel):
    """The earlier step whose verified outputs were taken."""

    run: ObjectName
    """Name of the run that computed it."""
    uid: Annotated[str, Field(max_length=64)] | None = None
    """UID of that run."""
    step: StepName | None = None
    """Name of the step there, where it is another one."""


class ReuseMiss(StatusModel):
    """Why no earlier work was taken."""

    reason: Word
    """One CamelCase word from the documented list, such as Changed or OutputGone."""
    components: Annotated[tuple[Sentence, ...], Field(max_length=32), LIST_ATOMIC] = ()
    """What differs from the step of the run named here, such as params, code or inputs.raw."""
    run: ObjectName | None = None
    """The run of the nearest earlier step, which was compared, or whose outputs are gone."""
    message: Sentence | None = None
    """What was found, where that is more than the reason."""


class PublishedShards(StatusModel):
    """Shards whose part one attempt has published."""

    attempt: Annotated[int, Field(ge=1, le=100_000)]
    """Number of the attempt."""
    done: Annotated[str, Field(max_length=32_768)]
    """Which shards: numbers and ranges, such as 0,2-9."""
    pods: Annotated[str, Field(max_length=98_304)]
    """The UIDs of their pods, in the same order: each 22 characters of URL-safe base64."""


class StepStatus(StatusModel):
    """The progress of one step."""

    name: StepName
    """Name of the step."""
    state: StepState = StepState.PENDING
    """Pending, Waiting (the reason says for what), Running, Succeeded, Failed, Skipped or Cancelled."""
    reason: Word | None = None
    """One CamelCase word from the documented list: why it waits, failed or was skipped."""
    message: Sentence | None = None
    """What happened, where, as whom, and what to do about it."""
    attempt: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Number of the latest attempt, from 1."""
    attempt_id: Annotated[str, Field(max_length=128)] | None = None
    """The accepted attempt: its number and the UID of its pod, as in the paths of its outputs."""
    job: ObjectName | None = None
    """Name of the latest attempt's Job."""
    start_time: Time | None = None
    """When the latest attempt started."""
    completion_time: Time | None = None
    """When the step ended."""
    retry_after: Time | None = None
    """The next attempt does not start before this."""
    exit_code: Annotated[int, Field(ge=-1, le=65_535)] | None = None
    """Exit code of the user's command in the latest attempt."""
    failures: Failures = Failures()
    """Failed attempts, by what failed."""
    outputs: Annotated[tuple[PublishedOutput, ...], Field(max_length=16), LIST_ATOMIC] = ()
    """What the step published, once its attempt was accepted."""
    shards: Annotated[tuple[PublishedShards, ...], Field(max_length=4096), LIST_ATOMIC] = ()
    """Of a step with `shards`, until it has ended: what is published of its parts, and is not run again."""
    metrics: Annotated[tuple[Metric, ...], Field(max_length=32), LIST_ATOMIC] = ()
    """Numbers that the step logged."""
    log_tail: Annotated[str, Field(max_length=8192)] | None = None
    """Last lines of the failed step's log."""
    fingerprint: Digest | None = None
    """What identifies the step's work for reuse."""
    reused_from: ReusedFrom | None = None
    """The earlier step whose outputs were taken instead of running this one; before its end, those that it would
    take."""
    reuse_miss: ReuseMiss | None = None
    """Why the step was run although reuse was allowed."""
    stage_in_seconds: Duration | None = None
    """How long staging in took."""
    bytes_in: Count = 0
    """Bytes staged in."""
    notes: Annotated[tuple[Sentence, ...], Field(max_length=16), LIST_ATOMIC] = ()
    """What was granted otherwise than asked, such as a download instead of a mount; and seeds that were
    drawn."""


class PipelineRunStatus(StatusModel):
    """How far the run is."""

    observed_generation: Count = 0
    """The `metadata.generation` that the conditions speak of."""
    conditions: Conditions = ()
    """`Succeeded`: Unknown while it runs, then True or False; the reason is from the documented list."""
    state: RunState | None = None
    """Waiting, Running, Succeeded, Failed or Cancelled: derived from the condition, for columns."""
    message: Sentence | None = None
    """What happened, in a sentence."""
    plan: ObjectName | None = None
    """Name of the ConfigMap that holds the plan: resolved steps, pinned versions, paths."""
    plan_digest: Digest | None = None
    """Digest of the plan; a missing or different plan fails the run."""
    start_time: Time | None = None
    """When the run was first seen."""
    completion_time: Time | None = None
    """When the run ended, well or not."""
    keep_seconds: Count | None = None
    """How long after its end the run and its unregistered data stay, from the pipeline's retention; 30 days where
    omitted."""
    inventories: Annotated[str, Field(max_length=65_536)] | None = None
    """Which inventories of sources its inputs read, or `all`: 12 hex digits stand for each. No sweep deletes them as
    long as the run is there."""
    steps_total: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many steps the plan has."""
    steps_done: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How many steps have succeeded."""
    progress: Annotated[str, Field(max_length=32)] | None = None
    """Steps done of steps total, such as 1/2."""
    data_in: Annotated[str, Field(max_length=32)] | None = None
    """Bytes staged in by all steps, for people, such as 3.8 kB."""
    data_out: Annotated[str, Field(max_length=32)] | None = None
    """Bytes published by all steps, for people, such as 3.8 kB."""
    bytes_in: Count = 0
    """Bytes staged in by all steps."""
    bytes_out: Count = 0
    """Bytes published by all steps."""
    steps: Annotated[tuple[StepStatus, ...], Field(max_length=1000), LIST_ATOMIC] = ()
    """The progress of each step."""
    left_out: Annotated[str, Field(max_length=256)] | None = None
    """What did not fit into this object and was left out, such as log tails."""
