"""What a run's status holds of its progress: read back by `restored_status.py`, moved forward by `decide.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from towpath.flow.contents import Content
from towpath.flow.planned import Origin


class StepState(StrEnum):
    """Where a step stands. The last four are final."""

    PENDING = "Pending"
    WAITING = "Waiting"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    CANCELLED = "Cancelled"

    @property
    def is_final(self) -> bool:
        """A final step is never started again."""
        return self in FINAL


FINAL = frozenset({StepState.SUCCEEDED, StepState.FAILED, StepState.SKIPPED, StepState.CANCELLED})


class ExportState(StrEnum):
    """Where the copy of an output at the place of its `export` stands. All but the first are final."""

    EXPORTING = "Exporting"
    EXPORTED = "Exported"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


@dataclass(frozen=True)
class RecordedExport:
    """The copy of an accepted output. `attempt` is the number of the mover that copies, from 1.

    `seconds` is how long the last one took, once there is a copy.
    """

    state: ExportState = ExportState.EXPORTING
    attempt: int = 1
    failures: int = 0
    reason: str | None = None
    message: str | None = None
    retry_after: datetime | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class PublishedOutput:
    """An accepted output. `version` is the number that its registration got; `export` stands for its copy."""

    name: str
    content: Content
    seconds: float
    version: int | None = None
    export: RecordedExport | None = None


@dataclass(frozen=True)
class FailureCounts:
    """Failed attempts by who must bear them (design, section 3)."""

    user: int = 0
    disruption: int = 0
    mover: int = 0


@dataclass(frozen=True)
class Miss:
    """Why no earlier work was taken: a word, what differs from the step of `run`, and more words where there are."""

    reason: str
    components: tuple[str, ...] = ()
    run: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class RecordedStep:
    """One step's progress. `attempt` is the number of the latest attempt, 0 before the first.

    `shards` holds, of a step with shards that has not ended, the attempts that have published a part, by shard.
    `reused_from` is set where the outputs are another step's; `miss` says why they are not.
    """

    name: str
    state: StepState = StepState.PENDING
    reason: str | None = None
    message: str | None = None
    attempt: int = 0
    attempt_id: str | None = None
    job: str | None = None
    start_time: datetime | None = None
    completion_time: datetime | None = None
    retry_after: datetime | None = None
    exit_code: int | None = None
    failures: FailureCounts = FailureCounts()
    outputs: tuple[PublishedOutput, ...] = ()
    shards: Mapping[int, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    log_tail: str | None = None
    fingerprint: str | None = None
    reused_from: Origin | None = None
    miss: Miss | None = None
    bytes_in: int = 0
    stage_in_seconds: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordedRun:
    """A run's progress: `reason` and `message` are those of its Succeeded condition.

    `keep_seconds` is how long it stays after its end, where its pipeline says so; `inventories` are the marks of those
    of sources that its plan has pinned.
    """

    steps: tuple[RecordedStep, ...]
    plan_digest: str
    reason: str
    message: str
    start_time: datetime
    completion_time: datetime | None = None
    keep_seconds: int | None = None
    inventories: tuple[str, ...] = ()
