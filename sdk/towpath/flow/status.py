"""A run's record → `PipelineRun.status`: conditions, steps, progress; what does not fit goes first.

`restored_status.py` reads it back, in whatever operator runs by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from towpath.flow import misses, names
from towpath.flow.conditions import CONDITION_LIMIT, RunReason, brief, condition, timestamp
from towpath.flow.documents import canonical
from towpath.flow.recorded import (
    FailureCounts,
    PublishedOutput,
    RecordedExport,
    RecordedRun,
    RecordedStep,
    StepState,
)
from towpath.flow.shard_status import shards_document
from towpath.flow.sources import Refused, Waiting

Status = dict[str, Any]

LIMIT_BYTES = 500 * 1024
# Of the schema.
MAX_NOTES = 16
# What does not fit, in this order, and of how many steps it stays: somebody reads the first failure first.
_GOES_FIRST = (
    (frozenset({"logTail"}), "log tails of all but the first 10 failed steps", 10),
    (frozenset({"metrics"}), "metrics", 0),
    (frozenset({"notes"}), "notes, which stand in the plan", 0),
    (frozenset({"startTime", "stageInSeconds"}), "start times", 0),
    (frozenset({"reuseMiss"}), "why steps were not reused", 0),
    (frozenset({"fingerprint"}), "fingerprints", 0),
)
_STATUS_OF = {RunReason.SUCCEEDED: "True"}
_UNDECIDED = frozenset({RunReason.PENDING, RunReason.WAITING, RunReason.RUNNING, RunReason.CANCELLING})


def write_status(run: Mapping[str, Any], recorded: RecordedRun, now: datetime) -> Status:
    """The whole status of a run that has a plan; `run` is the object as it was read."""
    steps = [_step(step) for step in recorded.steps]
    status = _head(run, recorded.reason, recorded.message, now) | {
        "plan": names.plan_name(run["metadata"]["name"], run["metadata"]["uid"]),
        "planDigest": recorded.plan_digest,
        "startTime": timestamp(recorded.start_time),
        **_totals(recorded),
        "steps": steps,
    }
    if recorded.completion_time is not None:
        status["completionTime"] = timestamp(recorded.completion_time)
    if recorded.keep_seconds is not None:
        status["keepSeconds"] = recorded.keep_seconds
    if recorded.inventories:
        status["inventories"] = ",".join(recorded.inventories)
    return _fitting(status)


def write_unplanned(
    run: Mapping[str, Any], outcome: Waiting | Refused, first_seen_at: datetime, now: datetime
) -> Status:
    """The whole status of a run that waits for what it names, or was refused."""
    status = _head(run, outcome.reason, outcome.message, now) | {"startTime": timestamp(first_seen_at)}
    if isinstance(outcome, Refused):
        retention = (run["spec"].get("pipelineSpec") or {}).get("retention") or {}
        status |= {"completionTime": timestamp(now), **retention}
    return status


def size_for_people(count: int) -> str:
    """A number of bytes in the unit that people read, such as 3.8 kB."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} PB"


def _head(run: Mapping[str, Any], reason: str, message: str, now: datetime) -> Status:
    known = next((known for known in RunReason if known == reason), RunReason.RUNNING)
    succeeded = "Unknown" if known in _UNDECIDED else _STATUS_OF.get(known, "False")
    before = (run.get("status") or {}).get("conditions") or ()
    generation = run["metadata"].get("generation", 0)
    said = condition(before, "Succeeded", succeeded, (known, message), now) | {
        "observedGeneration": generation
    }
    return {
        "observedGeneration": generation,
        "conditions": [said],
        "state": _state(known),
        "message": brief(message, CONDITION_LIMIT),
    }


def _state(reason: RunReason) -> str:
    if reason in (RunReason.PENDING, RunReason.WAITING):
        return "Waiting"
    if reason in _UNDECIDED:
        return "Running"
    return {RunReason.SUCCEEDED: "Succeeded", RunReason.CANCELLED: "Cancelled"}.get(reason, "Failed")


def _totals(recorded: RecordedRun) -> Status:
    done = sum(step.state is StepState.SUCCEEDED for step in recorded.steps)
    bytes_in = sum(step.bytes_in for step in recorded.steps)
    published = [step for step in recorded.steps if step.reused_from is None]
    bytes_out = sum(output.content.bytes for step in published for output in step.outputs)
    return {
        "stepsTotal": len(recorded.steps),
        "stepsDone": done,
        "progress": f"{done}/{len(recorded.steps)}",
        "dataIn": size_for_people(bytes_in),
        "dataOut": size_for_people(bytes_out),
        "bytesIn": bytes_in,
        "bytesOut": bytes_out,
    }


def _step(step: RecordedStep) -> Status:
    status: Status = {
        "name": step.name,
        "state": step.state.value,
        "reason": str(step.reason) if step.reason else None,
        "message": brief(step.message) if step.message else None,
        "attempt": step.attempt,
        "attemptId": step.attempt_id,
        "job": step.job,
        "startTime": _time(step.start_time),
        "completionTime": _time(step.completion_time),
        "retryAfter": _time(step.retry_after),
        "failures": _failures(step.failures),
        "outputs": [_output(output) for output in step.outputs],
        "shards": shards_document(step.shards),
        "metrics": [{"name": name, "value": value} for name, value in step.metrics.items()],
        "logTail": step.log_tail,
        "fingerprint": step.fingerprint,
        "reusedFrom": _origin(step),
        "reuseMiss": misses.document(step.miss) if step.miss else None,
        "stageInSeconds": step.stage_in_seconds,
        "bytesIn": step.bytes_in,
        "notes": _notes(step.notes),
    }
    if step.state is StepState.SUCCEEDED:
        # The state says it all: a thousand steps must fit.
        status |= {"reason": None, "job": None}
    given = {key: value for key, value in status.items() if value}
    # Zero says nothing anywhere but here: an exit code of 0 is a fact, where the state does not say it.
    is_told = step.exit_code is not None and step.state is not StepState.SUCCEEDED
    return given | ({"exitCode": step.exit_code} if is_told else {})


def _origin(step: RecordedStep) -> Status | None:
    """What a step has taken, or would take: one that ended otherwise has taken nothing."""
    origin = step.reused_from
    if origin is None or (step.state.is_final and step.state is not StepState.SUCCEEDED):
        return None
    return {"run": origin.run, "uid": origin.uid} | (
        {"step": origin.step} if origin.step != step.name else {}
    )


def _notes(notes: tuple[str, ...]) -> list[str]:
    shown = [brief(note) for note in notes[:MAX_NOTES]]
    return shown if len(notes) <= MAX_NOTES else [*shown[:-1], "the plan has more notes than fit here"]


def _failures(counts: FailureCounts) -> Status:
    counted = {"user": counts.user, "disruption": counts.disruption, "mover": counts.mover}
    return {name: count for name, count in counted.items() if count}


def _output(output: PublishedOutput) -> Status:
    content = output.content
    status: Status = {
        "name": output.name,
        "datastore": content.inventory.datastore,
        "inventory": content.inventory.path,
        "digest": content.inventory.digest,
        "files": content.files,
        "bytes": content.bytes,
        "scratchBytes": content.scratch_bytes,
        "directory": content.directory,
        "seconds": round(output.seconds, 3),
    }
    elsewhere = content.datastores not in ((), (content.inventory.datastore,))
    # A file that an output is, is named by the output unless it says otherwise.
    status |= {"file": content.file} if content.file not in (None, output.name) else {}
    status |= {"datastores": list(content.datastores)} if elsewhere else {}
    status |= {"export": _export(output.export)} if output.export else {}
    return status | ({"version": output.version} if output.version is not None else {})


def _export(export: RecordedExport) -> Status:
    status: Status = {
        "state": export.state.value,
        "attempt": export.attempt,
        "failures": export.failures,
        "reason": export.reason,
        "message": brief(export.message) if export.message else None,
        "retryAfter": _time(export.retry_after),
        "seconds": None if export.seconds is None else round(export.seconds, 3),
    }
    return {key: value for key, value in status.items() if value}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


def _fitting(status: Status) -> Status:
    left_out: list[str] = []
    for keys, words, keep in _GOES_FIRST:
        if len(canonical(status)) <= LIMIT_BYTES:
            return status
        left_out.append(words)
        steps = _without(status["steps"], keys, keep)
        status = {**status, "steps": steps, "leftOut": ", ".join(left_out)}
    return status


def _without(steps: Sequence[Mapping[str, Any]], keys: frozenset[str], keep: int) -> list[Status]:
    kept = frozenset([step["name"] for step in steps if not keys.isdisjoint(step)][:keep])
    return [dict(step) if step["name"] in kept else _thinner(step, keys) for step in steps]


def _thinner(step: Mapping[str, Any], keys: frozenset[str]) -> Status:
    return {name: value for name, value in step.items() if name not in keys}
