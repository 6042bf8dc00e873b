"""What people and machines hear of a run: one log line per transition of the run or a step, few Events, counters."""

from __future__ import annotations

import logging

from towpath.flow import occurrences
from towpath.flow.recorded import ExportState, RecordedRun, RecordedStep, StepState
from towpath.flow.sources import Refused, Waiting
from towpath_operator.handlers.context import Context, Json

log = logging.getLogger("towpath.run")


def report(context: Context, run: Json, before: RecordedRun, after: RecordedRun) -> None:
    """Tell what this write of the status changed."""
    for occurrence in occurrences.changes(before, after):
        context.events.tell(run, occurrence)
    old = {step.name: step for step in before.steps}
    for step in after.steps:
        before_it = old.get(step.name, RecordedStep(step.name))
        _report_step(context, run, before_it, step)
        _report_exports(context, run, before_it, step)
    if before.reason != after.reason or after.completion_time != before.completion_time:
        extra = {**_of(run), "reason": str(after.reason), "detail": after.message}
        log.info("run %s: %s", run["metadata"]["name"], after.reason, extra=extra)


def _report_step(context: Context, run: Json, old: RecordedStep, new: RecordedStep) -> None:
    if (old.state, old.reason, old.attempt) == (new.state, new.reason, new.attempt):
        return
    _time_waiting(context, run, new)
    extra = {**_of(run), "step": new.name, "state": str(new.state), "reason": str(new.reason or "")}
    extra |= {"attempt": new.attempt, "job": new.job or "", "detail": new.message or ""}
    log.info("step %s: %s %s", new.name, new.state, new.reason or "", extra=extra)
    _count(context, old, new)


def _time_waiting(context: Context, run: Json, new: RecordedStep) -> None:
    # A restart forgets since when, and counts from there: a metric may be short by one operator's life.
    since, now = context.memory.waiting.setdefault(run["metadata"]["uid"], {}), context.now()
    if new.name in since:
        reason, began = since.pop(new.name)
        context.metrics.waiting.labels(reason).observe((now - began).total_seconds())
    if new.state in (StepState.WAITING, StepState.PENDING) and new.reason:
        since[new.name] = (str(new.reason), now)


def _count(context: Context, old: RecordedStep, new: RecordedStep) -> None:
    metrics = context.metrics
    for cause in ("user", "disruption", "mover"):
        more = getattr(new.failures, cause) - getattr(old.failures, cause)
        if more > 0 and not new.state.is_final:
            metrics.retries.labels(cause).inc(more)
    if not new.state.is_final or old.state.is_final:
        return
    metrics.steps_ended.labels(str(new.state)).inc()
    if new.state is StepState.FAILED:
        metrics.failures.labels(str(new.reason)).inc()
    if new.miss is not None:
        metrics.reuse.labels(str(new.miss.reason)).inc()
    if new.state is StepState.SUCCEEDED:
        metrics.bytes.labels("in").inc(new.bytes_in)
        metrics.transfer_seconds.labels("in").inc(new.stage_in_seconds or 0.0)
        if new.reused_from is not None:
            metrics.reuse.labels("Hit").inc()
            return
        metrics.bytes.labels("out").inc(sum(output.content.bytes for output in new.outputs))
        metrics.transfer_seconds.labels("out").inc(sum(output.seconds for output in new.outputs))


def _report_exports(context: Context, run: Json, old: RecordedStep, new: RecordedStep) -> None:
    """Tell which copies of outputs were made, given up, or are tried again."""
    sizes = {output.name: output.content.bytes for output in new.outputs}
    for name, before, after in occurrences.exports_changed(old, new):
        if (before.state, before.reason, before.attempt) == (after.state, after.reason, after.attempt):
            continue
        extra = {**_of(run), "step": new.name, "output": name, "state": str(after.state)}
        extra |= {"reason": after.reason or "", "attempt": after.attempt, "detail": after.message or ""}
        log.info("export %s/%s: %s %s", new.name, name, after.state, after.reason or "", extra=extra)
        metrics = context.metrics
        if after.state is ExportState.EXPORTING:
            metrics.retries.labels("mover").inc(max(0, after.failures - before.failures))
            continue
        metrics.exports.labels(str(after.state)).inc()
        if after.state is ExportState.EXPORTED:
            metrics.bytes.labels("export").inc(sizes[name])
            metrics.transfer_seconds.labels("export").inc(after.seconds or 0.0)


def _of(run: Json) -> Json:
    meta = run["metadata"]
    return {"run": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}


def report_planned(context: Context, run: Json, recorded: RecordedRun) -> None:
    """Tell that the plan is written and its digest recorded."""
    context.events.tell(run, occurrences.planned(recorded))
    extra = {**_of(run), "reason": str(recorded.reason), "plan": recorded.plan_digest}
    log.info("run %s: planned, %d steps", run["metadata"]["name"], len(recorded.steps), extra=extra)


def report_unplanned(context: Context, run: Json, outcome: Waiting | Refused) -> None:
    """Tell why a run waits for what it names, or cannot start; once per reason."""
    status: Json = run.get("status") or {}
    if status.get("message") != outcome.message:
        context.events.tell(run, occurrences.unplanned(outcome))
        extra = {**_of(run), "reason": str(outcome.reason), "detail": outcome.message}
        log.info("run %s: %s", run["metadata"]["name"], outcome.reason, extra=extra)
