"""A run that takes up another one (`retryOf`): that run's plan and pins, in folders of its own, as its plan.

What succeeded there is kept: `reuse.py` takes it, whatever its image or its step's `reuse`, once it is verified.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from towpath.api.step import Reuse
from towpath.flow import datastores, store_keys, support
from towpath.flow.conditions import RunReason
from towpath.flow.decision import Limits
from towpath.flow.documents import digested, digested_plan
from towpath.flow.planned import Plan, PlannedOutput, PlannedStep, RunIdentity
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.readiness import Patience, WaitingError
from towpath.flow.sources import Refused, Sources, Waiting
from towpath.flow.stalled import StalledError


def plan_again(sources: Sources, now: datetime, limits: Limits) -> Plan | Waiting | Refused:
    """The plan of a run with `retryOf`, or why there is none, or not yet."""
    try:
        return _planned(sources, Patience(sources.first_seen_at, now, limits))
    except WaitingError as error:
        return error.waiting
    except StalledError as error:
        reason = error.reason if isinstance(error.reason, RunReason) else RunReason.INVALID_PIPELINE
        return Refused(reason, error.message)


def _planned(sources: Sources, patience: Patience) -> Plan:
    run, spec = sources.run.metadata, sources.run.spec
    support.refuse(spec, "")
    retried = _retried(sources, patience)
    before, exported = retried.plan, retried.exported
    mine = RunIdentity(run.name or "", run.uid or "", run.namespace or "")
    steps = (step if spec.reuse else replace(step, reuse=Reuse.NEVER) for step in before.steps)
    made = replace(
        before,
        run=mine,
        steps=tuple(digested(_of(mine, step, exported)) for step in steps),
        datastores=tuple(_entered(sources, patience, before, store) for store in before.datastores),
        mover_image=sources.installation.mover_image,
        cluster_id=sources.installation.cluster_id,
        timeout_seconds=spec.timeout_seconds or before.timeout_seconds,
        continue_on_step_failure=spec.continue_on_step_failure or before.continue_on_step_failure,
        retry_of=before.run,
    )
    return digested_plan(made)


class _Ended(NamedTuple):
    """A run that can be taken up: its plan, and what it has exported."""

    plan: Plan
    exported: frozenset[tuple[str, str]]


def _retried(sources: Sources, patience: Patience) -> _Ended:
    reference, retried = sources.run.spec.retry_of, sources.retried
    name = reference.name if reference else ""
    if retried is None:
        raise patience.missing("PipelineRun", name, sources.known.runs, " (retryOf)")
    if not retried.has_ended:
        words = (
            f"Run {name} (retryOf) has not ended yet. Wait for its end, or cancel it, and start another run."
        )
        raise StalledError(RunReason.NOT_FINISHED, words)
    if retried.plan is None:
        words = f"Run {name} (retryOf) cannot be taken up again: {retried.lost} Start a run of its pipeline instead."
        raise StalledError(RunReason.PLAN_LOST, words)
    return _Ended(retried.plan, retried.exported)


def _entered(sources: Sources, patience: Patience, plan: Plan, before: PlannedDatastore) -> PlannedDatastore:
    """A datastore as it is entered now: its Secret may have another name by this time."""
    is_written = any(output.datastore == before.name for step in plan.steps for output in step.outputs)
    return datastores.planned_datastore(datastores.usable(sources, patience, before.name, is_written))


def _of(run: RunIdentity, step: PlannedStep, exported: Collection[tuple[str, str]]) -> PlannedStep:
    prefix = store_keys.result_prefix(run.namespace, run.name, run.uid, step.name)
    outputs = tuple(
        # Its copy is there, under the claim of the run that made it.
        replace(output, export=None) if (step.name, output.name) in exported else output
        for output in (_output(run, step, output) for output in step.outputs)
    )
    return replace(step, outputs=outputs, result_prefix=prefix)


def _output(run: RunIdentity, step: PlannedStep, output: PlannedOutput) -> PlannedOutput:
    if output.register is None:
        return replace(output, prefix=store_keys.result_prefix(run.namespace, run.name, run.uid, step.name))
    dataset = output.register.dataset
    prefix = store_keys.registered_prefix(run.namespace, dataset, run.name, run.uid, step.name)
    return replace(output, prefix=prefix)
