"""What is to be seen of a run's children now; a recorded Job that no store has is asked for before it is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from towpath.flow import names
from towpath.flow.observed import Observed, ObservedAttempt, ObservedMover
from towpath.flow.recorded import RecordedRun, RecordedStep
from towpath_operator.cluster.api import NotFoundError
from towpath_operator.cluster.observe import (
    Told,
    is_being_set_up,
    moment,
    observe_attempts,
    observe_movers,
)
from towpath_operator.cluster.resources import JOBS, Key
from towpath_operator.handlers.context import Context, Json


async def observe(context: Context, run: Json, recorded: RecordedRun) -> Observed:
    """The facts that a decision about this run rests on."""
    await _confirm_missing(context, run, recorded)
    uid, memory = run["metadata"]["uid"], context.memory
    told = Told(memory.refusals, memory.warnings)
    attempts = observe_attempts(run, context.cache.jobs, context.cache.pods, told)
    for attempt in attempts:
        pods = [attempt.pod] if attempt.pod else attempt.pods.values()
        if attempt.pod or any(pod.phase in ("Pending", "Running") for pod in pods):
            memory.forget(attempt.job_uid)
        for pod in pods:
            if not is_being_set_up(pod):
                memory.forget(pod.uid)
    return Observed(
        attempts=_with_finders(context, run, told, attempts),
        exporters=_movers(context, run, told, names.EXPORT_COMPONENT),
        foreign_jobs=tuple(sorted(memory.foreign_jobs.get(uid, ()))),
        cancel_requested=bool(run["spec"].get("cancel")),
        deleting="deletionTimestamp" in run["metadata"],
        registered=dict(memory.registered.get(uid, {})),
        refused_registrations=dict(memory.refused_registrations.get(uid, {})),
        not_ready_datastores=_not_ready(context, run["metadata"]["namespace"]),
        probed_at=_probed_at(context, run["metadata"]["namespace"]),
    )


def _with_finders(
    context: Context, run: Json, told: Told, attempts: tuple[ObservedAttempt, ...]
) -> tuple[ObservedAttempt, ...]:
    finders: dict[str, list[ObservedMover]] = {}
    for mover in _movers(context, run, told, names.FIND_COMPONENT):
        finders.setdefault(mover.ask.rpartition("/")[0], []).append(mover)
    return tuple(
        replace(one, finders=tuple(finders.get(f"{one.step}/{one.attempt}", ()))) for one in attempts
    )


def _movers(context: Context, run: Json, told: Told, component: str) -> tuple[ObservedMover, ...]:
    movers = observe_movers(run, (component,), context.cache.jobs, context.cache.pods, told)
    for mover in movers:
        if mover.pod is not None and not is_being_set_up(mover.pod):
            context.memory.forget(mover.pod.uid)
    return movers


async def _confirm_missing(context: Context, run: Json, recorded: RecordedRun) -> None:
    # A store may lag behind a status that another leader wrote; believing it would run a step twice.
    namespace = run["metadata"]["namespace"]
    for step in recorded.steps:
        if _is_live(step) and step.job and context.cache.jobs.get(namespace, step.job) is None:
            try:
                context.cache.jobs.put(await context.client.get(JOBS.path(namespace, step.job)))
            except NotFoundError:
                continue


def _is_live(step: RecordedStep) -> bool:
    return step.attempt > 0 and step.retry_after is None and not step.state.is_final


def _not_ready(context: Context, namespace: str) -> dict[str, str]:
    found = {}
    for datastore in context.cache.datastores.all(namespace):
        conditions = (datastore.get("status") or {}).get("conditions") or ()
        ready = next((c for c in conditions if c["type"] == "Ready"), None)
        if ready is None or ready["status"] != "True":
            words = f"{ready['reason']}: {ready['message']}" if ready else "it has not been looked at yet."
            found[datastore["metadata"]["name"]] = words
    return found


def _probed_at(context: Context, namespace: str) -> dict[str, datetime]:
    statuses = {
        datastore["metadata"]["name"]: datastore.get("status") or {}
        for datastore in context.cache.datastores.all(namespace)
    }
    known = {name: status["observedAt"] for name, status in statuses.items() if "observedAt" in status}
    return {name: moment(at) for name, at in known.items()}


def live_jobs_of_run(context: Context, run: Json) -> list[Json]:
    """The Jobs of a run that was planned: of its steps, of exports of their outputs, and of who finds results."""
    components = (names.STEP_COMPONENT, names.EXPORT_COMPONENT, names.FIND_COMPONENT)
    return [job for component in components for job in live_jobs(context, run, component)]


def live_jobs(context: Context, owner: Json, component: str = names.STEP_COMPONENT) -> list[Json]:
    """The Jobs of this run, or of another owner of movers, that may still have something that runs."""
    jobs = context.cache.jobs.owned_by(owner["metadata"]["uid"])
    return [job for job in jobs if _may_run(job, component)]


def stray_pods(context: Context, run: Json) -> list[Json]:
    """The pods of a run that belong to no Job any more: somebody took the Job away, or changed the pod's labels.

    Nothing that they do counts, and another pod does their work.
    """
    strays = context.cache.pods.owned_by(run["metadata"]["uid"])
    return [pod for pod in strays if "deletionTimestamp" not in pod["metadata"]]


def orphaned_pods(context: Context, run: Key, but: str = "") -> list[Json]:
    """The pods of steps of a run of this name that is no more; those of the run with the UID `but` are not.

    Found by their labels: garbage collection may have taken their Jobs before the run's end was noticed.
    """
    wanted = {names.COMPONENT_LABEL: names.STEP_COMPONENT, names.RUN_LABEL: names.label_value(run.name)}
    return [
        pod
        for pod in context.cache.pods.all(run.namespace)
        if wanted.items() <= pod["metadata"]["labels"].items()
        and pod["metadata"]["labels"].get(names.RUN_UID_LABEL) != but
    ]


def _may_run(job: Json, component: str) -> bool:
    if "deletionTimestamp" in job["metadata"]:
        return False
    if job["metadata"]["labels"].get(names.COMPONENT_LABEL) != component:
        return False
    ends = {c["type"] for c in job["status"].get("conditions") or () if c["status"] == "True"}
    return not ends & {"Complete", "Failed"}
