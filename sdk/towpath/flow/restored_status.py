"""`PipelineRun.status` → the run's record that it was written from (`status.py`), perhaps by another release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.api.runstatus import ExportStatus, PipelineRunStatus, ReusedFrom, StepStatus
from towpath.api.runstatus import PublishedOutput as OutputStatus
from towpath.api.step import MOST_SHARDS
from towpath.flow import misses
from towpath.flow.conditions import RunReason, StepReason
from towpath.flow.contents import Content, InventoryRef
from towpath.flow.planned import Origin
from towpath.flow.recorded import (
    ExportState,
    FailureCounts,
    PublishedOutput,
    RecordedExport,
    RecordedRun,
    RecordedStep,
    StepState,
)
from towpath.flow.shard_status import shards_from


def read_status(written: Mapping[str, Any]) -> RecordedRun | None:
    """The record that a status was written from; None for a run that has no plan yet."""
    status = PipelineRunStatus.model_validate(written)
    if status.plan_digest is None or status.start_time is None:
        return None
    succeeded = next((one for one in status.conditions if one.type == "Succeeded"), None)
    return RecordedRun(
        steps=tuple(map(_restored, status.steps)),
        plan_digest=status.plan_digest,
        reason=succeeded.reason if succeeded else RunReason.RUNNING,
        message=succeeded.message if succeeded else "",
        start_time=status.start_time,
        completion_time=status.completion_time,
        keep_seconds=status.keep_seconds,
        inventories=tuple(status.inventories.split(",")) if status.inventories else (),
    )


def read_step(written: Mapping[str, Any]) -> RecordedStep:
    """The record of one step that an entry of a status was written from."""
    return _restored(StepStatus.model_validate(written))


def _restored(step: StepStatus) -> RecordedStep:
    has_succeeded = step.state == StepState.SUCCEEDED.value
    return RecordedStep(
        name=step.name,
        state=StepState(step.state.value),
        reason=StepReason.SUCCEEDED if has_succeeded else step.reason,
        message=step.message,
        attempt=step.attempt,
        attempt_id=step.attempt_id,
        job=step.job,
        start_time=step.start_time,
        completion_time=step.completion_time,
        retry_after=step.retry_after,
        exit_code=0 if has_succeeded else step.exit_code,
        failures=FailureCounts(step.failures.user, step.failures.disruption, step.failures.mover),
        outputs=tuple(_restored_output(output) for output in step.outputs),
        shards=shards_from([(one.attempt, one.done, one.pods) for one in step.shards], MOST_SHARDS),
        metrics={metric.name: metric.value for metric in step.metrics},
        log_tail=step.log_tail,
        fingerprint=step.fingerprint,
        reused_from=_restored_origin(step.reused_from, step.name) if step.reused_from else None,
        miss=misses.restored(step.reuse_miss) if step.reuse_miss else None,
        bytes_in=step.bytes_in,
        stage_in_seconds=step.stage_in_seconds,
        notes=step.notes,
    )


def _restored_origin(origin: ReusedFrom, step: str) -> Origin:
    return Origin(origin.run, origin.uid or "", origin.step or step)


def _restored_output(output: OutputStatus) -> PublishedOutput:
    content = Content(
        inventory=InventoryRef(output.datastore, output.inventory, output.digest),
        files=output.files,
        bytes=output.bytes,
        scratch_bytes=output.scratch_bytes,
        directory=output.directory,
        file=None if output.directory else output.file or output.name,
        datastores=output.datastores or (output.datastore,),
    )
    export = _restored_export(output.export) if output.export else None
    return PublishedOutput(output.name, content, output.seconds or 0.0, output.version, export)


def _restored_export(export: ExportStatus) -> RecordedExport:
    return RecordedExport(
        state=ExportState(export.state.value),
        attempt=export.attempt,
        failures=export.failures,
        reason=export.reason,
        message=export.message,
        retry_after=export.retry_after,
        seconds=export.seconds,
    )
