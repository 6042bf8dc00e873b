"""A small simulated cluster with an operator that may be killed anywhere: it shows whether decisions hold up.

Jobs, each with a pod or one for each of its shards, go from state to state by chance, vanish, are disrupted; the
operator sees any earlier state of a pod, and is killed before or after each of its writes. Nothing survives a kill
but what was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from flow.sightings import (
    LIMITS,
    NOON,
    a_pod,
    container,
    failure_report,
    publish_report,
    stage_in_report,
)
from towpath.flow import graph, registration
from towpath.flow.decide import begin, decide
from towpath.flow.decision import AttemptOrder, Decision, Registration
from towpath.flow.documents import plan_digest, write
from towpath.flow.names import job_name
from towpath.flow.observed import Observed, ObservedAttempt, ObservedPod, ObservedVersion
from towpath.flow.planned import Plan, StepOutputRef
from towpath.flow.recorded import RecordedRun, StepState
from towpath.flow.restored_status import read_status
from towpath.flow.status import write_status
from towpath.flow.store_keys import shard_attempt_id


class KilledError(Exception):
    """The operator was killed at this point."""


@dataclass
class SimulatedPod:
    """The pod at one place of a Job: every state that it has been in, and what it will come to."""

    states: list[ObservedPod | None] = field(default_factory=lambda: [None])
    has_ended: bool = False


@dataclass
class SimulatedJob:
    """A Job, and its pods by their place in it."""

    order: AttemptOrder
    uid: str
    pods: list[SimulatedPod]

    @property
    def has_ended(self) -> bool:
        """Whether nothing of it will run any more."""
        return all(pod.has_ended for pod in self.pods)


@dataclass
class SimulatedCluster:
    """What is stored: the run's status, Jobs, versions. `chaos` draws every chance."""

    plan: Plan
    chaos: Random
    now: datetime = NOON
    jobs: dict[str, SimulatedJob] = field(default_factory=dict)
    versions: list[ObservedVersion] = field(default_factory=list)
    last_version: dict[str, int] = field(default_factory=dict)
    status: dict[str, Any] = field(default_factory=dict)
    cancel: bool = False
    is_calm: bool = False
    pods: int = 0
    published: set[tuple[str, int, str]] = field(default_factory=set)
    remembered: dict[tuple[str, str], ObservedVersion] = field(default_factory=dict)

    def live(self, times: int) -> None:
        """Let so many things happen, then calm down and go on until the run has ended."""
        self.happen(times)
        self.is_calm = True
        for _ in range(40 * (len(self.plan.steps) + 5)):
            if self._is_over():
                return
            self.now += timedelta(seconds=301)
            self._calm_round()
        raise AssertionError(f"the run never ended: {self.status}")

    def settle(self) -> None:
        """Let the operator, unharmed, look twice."""
        self.is_calm = True
        self._pass()
        self._pass()

    def happen(self, times: int) -> None:
        """Let so many things happen."""
        for _ in range(times):
            self._happen()

    def record(self) -> RecordedRun | None:
        """What the status says, read back from its JSON."""
        return read_status(json.loads(json.dumps(self.status))) if self.status else None

    def _is_over(self) -> bool:
        recorded = self.record()
        return recorded is not None and recorded.completion_time is not None

    def _happen(self) -> None:
        self.now += timedelta(seconds=self.chaos.choice([0, 0, 1, 3, 10, 40, 7200, -7200]))
        happenings: list[Callable[[], None]] = [self._pass] * 3 + [self._move_a_job] * 5 + [self._lose_a_job]
        self.chaos.choice(happenings)()

    def _calm_round(self) -> None:
        for job in list(self.jobs.values()):
            for place in range(len(job.pods)):
                for _ in range(5):
                    self._advance(job, place)
        self._pass()

    def _pass(self) -> None:
        try:
            self._pass_or_be_killed()
        except KilledError:
            self.remembered.clear()

    def _pass_or_be_killed(self) -> None:
        recorded = self.record()
        if recorded is None:
            recorded = begin(self.plan, plan_digest(write(self.plan)), NOON)
            self._perhaps_killed()
            self._write(recorded)
        decision = decide(self.plan, recorded, self._with_work(self._observe()), self.now, LIMITS)
        self._check_idempotent(decision)
        self._carry_out(decision)

    def _with_work(self, observed: Observed) -> Observed:
        """The observation with what others have done: in this cluster there are no others."""
        return observed

    def _carry_out(self, decision: Decision) -> None:
        self._perhaps_killed()
        if decision.results_changed or self.chaos.random() < 0.5:
            self._write(decision.recorded)
        for wanted in decision.register:
            self._perhaps_killed()
            self._register(wanted)
        for name in decision.delete:
            self._perhaps_killed()
            self._delete(name)
        for order in decision.create:
            self._perhaps_killed()
            self._create(order)

    def _delete(self, name: str) -> None:
        del self.jobs[name]

    def _perhaps_killed(self) -> None:
        if not self.is_calm and self.chaos.random() < 0.15:
            raise KilledError

    def _observe(self) -> Observed:
        attempts = tuple(self._seen(name, job) for name, job in self.jobs.items())
        return Observed(attempts=attempts, cancel_requested=self.cancel, registered=dict(self.remembered))

    def _seen(self, name: str, job: SimulatedJob) -> ObservedAttempt:
        return self._sighting(name, job, [self._state_seen(pod) for pod in job.pods])

    def _state_seen(self, pod: SimulatedPod) -> ObservedPod | None:
        is_newest = self.is_calm or self.chaos.random() < 0.7
        return pod.states[-1] if is_newest else self.chaos.choice(pod.states)

    def _check_idempotent(self, decision: Decision) -> None:
        now = self._with_work(self._observe_now())
        # What a step would take is written before anything follows from it: that takes one look more.
        first = decide(self.plan, decision.recorded, now, self.now, LIMITS)
        again = decide(self.plan, first.recorded, now, self.now, LIMITS)
        twice = decide(self.plan, again.recorded, now, self.now, LIMITS)
        assert again.recorded == twice.recorded
        assert again.create == twice.create

    def _observe_now(self) -> Observed:
        attempts = tuple(
            self._sighting(name, job, [pod.states[-1] for pod in job.pods]) for name, job in self.jobs.items()
        )
        return Observed(attempts=attempts, cancel_requested=self.cancel, registered=dict(self.remembered))

    def _sighting(self, name: str, job: SimulatedJob, pods: list[ObservedPod | None]) -> ObservedAttempt:
        return ObservedAttempt(
            job=name,
            job_uid=job.uid,
            step=job.order.step,
            attempt=job.order.attempt,
            step_digest=self.plan.step(job.order.step).digest,
            owner_uid=self.plan.run.uid,
            created_at=NOON,
            pod=None if job.order.shards else pods[0],
            shards=job.order.shards,
            pods={place: pod for place, pod in enumerate(pods) if pod and job.order.shards},
            ended=frozenset(place for place, pod in enumerate(job.pods) if pod.has_ended),
            is_merge=bool(job.order.parts),
        )

    def _write(self, recorded: RecordedRun) -> None:
        run = {"metadata": {"name": self.plan.run.name, "uid": self.plan.run.uid, "generation": 1}}
        before = self.record()
        self.status = write_status(run | {"status": self.status}, recorded, self.now)
        after = self.record()
        assert after is not None
        if before is not None:
            _check_final_stays(before, after)

    def _create(self, order: AttemptOrder) -> None:
        recorded = self.record()
        assert recorded is not None, "a Job before the plan's digest was recorded"
        _check_inputs_are_accepted(self.plan, recorded, order)
        name = job_name(self.plan.run.name, self.plan.run.uid, order.step, order.attempt)
        _check_shards_are_left(recorded, order)
        assert {(order.step, shard, attempt) for shard, attempt in order.parts.items()} <= self.published
        pods = [SimulatedPod() for _ in order.shards or [0]]
        self.jobs.setdefault(name, SimulatedJob(order, f"job-{self.pods}", pods))

    def _register(self, wanted: Registration) -> None:
        name = wanted.register.dataset
        origin = registration.produced_by(self.plan.run, wanted)
        digest = wanted.content.inventory.digest
        versions = [version for version in self.versions if version.dataset == name]
        choice = registration.register(self.last_version.get(name, 0), versions, origin, digest)
        if isinstance(choice, registration.Next):
            self.last_version[name] = choice.number
            self._perhaps_killed()
            version = ObservedVersion(f"{name}-v{choice.number}", name, choice.number, digest, origin)
            assert all(version.name != other.name for other in self.versions)
            self.versions.append(version)
            self._perhaps_killed()
        else:
            version = choice.version
        self.remembered[wanted.step, wanted.output] = version

    def _move_a_job(self) -> None:
        if self.jobs:
            job = self.jobs[self.chaos.choice(sorted(self.jobs))]
            self._advance(job, self.chaos.randrange(len(job.pods)))

    def _lose_a_job(self) -> None:
        if self.jobs and self.chaos.random() < 0.3:
            del self.jobs[self.chaos.choice(sorted(self.jobs))]

    def _advance(self, job: SimulatedJob, place: int) -> None:
        simulated = job.pods[place]
        if simulated.has_ended:
            if job.order.shards and not self.is_calm and self.chaos.random() < 0.1:
                # A pod that ended is gone, and its Job knows only that it did.
                simulated.states.append(None)
            return
        pod = simulated.states[-1]
        if pod is None:
            self.pods += 1
            pod = a_pod(uid=f"00000000-0000-0000-0000-{self.pods:012}", name=f"pod-{self.pods}")
        move = self._merged if job.order.parts else self._next
        simulated.states.append(move(job, place, pod))

    def _next(self, job: SimulatedJob, place: int, pod: ObservedPod) -> ObservedPod:
        simulated = job.pods[place]
        stage_in, step = pod.containers.get("stage-in"), pod.containers.get("step")
        if not self.is_calm and self.chaos.random() < 0.05:
            simulated.has_ended = True
            return replace(pod, disruption="preempted", phase="Failed")
        if stage_in is None:
            return self._with(pod, "stage-in", None)
        if stage_in.exit_code is None:
            code = self._code(
                {40: failure_report("StoreUnavailable"), 44: failure_report("CredentialsRefused")}
            )
            return self._ended_by(simulated, pod, "stage-in", code, stage_in_report())
        if step is None:
            return self._with(self._with(pod, "step", None), "publish", None)
        if step.exit_code is None:
            return self._with(pod, "step", 0 if self.is_calm or self.chaos.random() < 0.8 else 1)
        simulated.has_ended = True
        return self._published(job, place, pod, step.exit_code)

    def _merged(self, job: SimulatedJob, place: int, pod: ObservedPod) -> ObservedPod:
        simulated = job.pods[place]
        if "merge" not in pod.containers:
            return self._with(pod, "merge", None)
        simulated.has_ended = True
        if not self.is_calm and self.chaos.random() < 0.05:
            return replace(pod, disruption="preempted", phase="Failed")
        code = self._code({40: failure_report("StoreUnavailable"), 44: failure_report("CredentialsRefused")})
        report = publish_report(self.plan.step(job.order.step), job.order.attempt, pod.uid)
        return self._ended_by(simulated, pod, "merge", code, report)

    def _published(self, job: SimulatedJob, place: int, pod: ObservedPod, exit_code: int) -> ObservedPod:
        if exit_code:
            return self._with(pod, "publish", 45, failure_report("NotPublished"))
        code = self._code({40: failure_report("StoreUnavailable"), 137: ""})
        told = {"shard": job.order.shards[place]} if job.order.shards else {}
        report = publish_report(self.plan.step(job.order.step), job.order.attempt, pod.uid, **told)
        if job.order.shards and not code[0]:
            attempt_id = shard_attempt_id(job.order.attempt, pod.uid)
            self.published.add((job.order.step, job.order.shards[place], attempt_id))
        return self._ended_by(job.pods[place], pod, "publish", code, report)

    def _code(self, failures: dict[int, str]) -> tuple[int, str]:
        if self.is_calm or self.chaos.random() < 0.8:
            return 0, ""
        code = self.chaos.choice(sorted(failures))
        return code, failures[code]

    def _ended_by(
        self, simulated: SimulatedPod, pod: ObservedPod, name: str, code: tuple[int, str], report: str
    ) -> ObservedPod:
        simulated.has_ended = simulated.has_ended or bool(code[0])
        return self._with(pod, name, code[0], code[1] if code[0] else report)

    def _with(
        self, pod: ObservedPod, name: str, exit_code: int | None, message: str | None = None
    ) -> ObservedPod:
        told = container(name, exit_code, message=message)
        return replace(pod, containers={**pod.containers, name: told})


def _check_inputs_are_accepted(plan: Plan, recorded: RecordedRun, order: AttemptOrder) -> None:
    steps = {step.name: step for step in recorded.steps}
    for name in graph.upstream(plan.step(order.step)):
        assert steps[name].state is StepState.SUCCEEDED, f"{order.step} starts before {name} is recorded"
    for given in plan.step(order.step).inputs:
        if isinstance(given.source, StepOutputRef):
            source = steps[given.source.step]
            accepted = {output.name: output.content for output in source.outputs}
            assert order.inputs[given.name] == accepted[given.source.output]


def _check_shards_are_left(recorded: RecordedRun, order: AttemptOrder) -> None:
    step = next(step for step in recorded.steps if step.name == order.step)
    assert not set(order.shards) & set(step.shards), f"{order.step} runs shards again that have published"


def _check_final_stays(before: RecordedRun, after: RecordedRun) -> None:
    old = {step.name: step for step in before.steps}
    for step in after.steps:
        earlier = old[step.name]
        if earlier.state.is_final:
            assert (step.state, step.attempt_id) == (earlier.state, earlier.attempt_id)
        assert step.attempt >= earlier.attempt
