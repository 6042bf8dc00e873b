"""The simulated cluster with others in it: what they have published comes and goes, bytes vanish, movers look and fail.

Every write and every Job is judged: nothing is taken that a mover of this run has not seen after the status said so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flow.sightings import a_pod, container, failure_report
from flow.simulated import SimulatedCluster
from towpath.flow.contents import Content, InventoryRef
from towpath.flow.decision import AttemptOrder, Decision
from towpath.flow.fingerprint import fingerprint
from towpath.flow.mover_orders import Verification
from towpath.flow.observed import Observed, ObservedMover
from towpath.flow.planned import EarlierStep, Origin, PlannedStep
from towpath.flow.recorded import PublishedOutput, RecordedRun, RecordedStep, StepState
from towpath.flow.upstream import contents_of
from towpath.flow.verification import mark


@dataclass
class World:
    """What all runs share: whose bytes are there, by mark, and what runs beside those that are simulated do."""

    bytes: set[str] = field(default_factory=set)
    finished: dict[str, EarlierStep] = field(default_factory=dict)
    computing: dict[str, str] = field(default_factory=dict)
    runs: list[SimulatedReuse] = field(default_factory=list)


@dataclass
class SimulatedVerifier:
    """A mover that verifies: what it was told, and what it has said, if it has ended."""

    order: Verification
    seen: ObservedMover


@dataclass
class SimulatedReuse(SimulatedCluster):
    """One run in a world of others."""

    world: World = field(default_factory=World)
    verifiers: dict[str, SimulatedVerifier] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)
    pods_of_movers: int = 0

    def __post_init__(self) -> None:
        self.world.runs.append(self)

    def foresee(self, name: str = "old") -> dict[str, EarlierStep]:
        """What an earlier run of this plan would have published, by fingerprint."""
        steps: dict[str, RecordedStep] = {}
        found: dict[str, EarlierStep] = {}
        for planned in self.plan.steps:
            mine = fingerprint(planned, contents_of(planned, steps))
            outputs = {output.name: _content(planned, name, output.name) for output in planned.outputs}
            found[mine] = EarlierStep(Origin(name, f"uid-{name}", planned.name), mine, outputs, {}, "1-x")
            published = tuple(PublishedOutput(one, content, 1.0) for one, content in outputs.items())
            steps[planned.name] = RecordedStep(planned.name, StepState.SUCCEEDED, outputs=published)
        return found

    def others_publish(self, earlier: EarlierStep) -> None:
        """Another run has published this, and its bytes are there."""
        self.world.finished[earlier.fingerprint] = earlier
        self.world.bytes |= {mark(content) for content in earlier.outputs.values()}
        self.world.computing.pop(earlier.fingerprint, None)

    def step(self, name: str) -> RecordedStep:
        recorded = self.record()
        assert recorded is not None
        return next(one for one in recorded.steps if one.name == name)

    def _happen(self) -> None:
        if self.chaos.random() < 0.6:
            super()._happen()
        elif self.chaos.random() < 0.6:
            self._a_verifier_goes_on()
        else:
            self._others_do_something()

    def _calm_round(self) -> None:
        self.world.computing.clear()
        for name in list(self.verifiers):
            self._end(name)
        super()._calm_round()

    def _others_do_something(self) -> None:
        foreseen = list(self.foresee(self.chaos.choice(["old", "older"])).values())
        earlier = self.chaos.choice(foreseen)
        match self.chaos.randrange(5):
            case 0 | 1:
                self.others_publish(earlier)
            case 2:
                self.world.computing[earlier.fingerprint] = "other"
            case 3:
                self.world.computing.clear()
                self.world.finished.pop(earlier.fingerprint, None)
            case 4:
                self.world.bytes -= set(
                    self.chaos.sample(sorted(self.world.bytes), len(self.world.bytes) // 2)
                )

    def _with_work(self, observed: Observed) -> Observed:
        mine, others = self._claims(), [run for run in self.world.runs if run is not self]
        finished = dict(self.world.finished)
        computing = {work: run for work, run in self.world.computing.items() if work not in mine}
        for run in others:
            finished |= run.has_published()
            computing |= dict.fromkeys(run._claims(), "twin")
        verifiers = tuple(one.seen for one in self.verifiers.values())
        return replace(observed, finished=finished, computing=computing, verifiers=verifiers)

    def has_published(self) -> dict[str, EarlierStep]:
        """What this run has published itself, by fingerprint."""
        recorded = self.record()
        steps = [step for step in recorded.steps if step.state is StepState.SUCCEEDED] if recorded else []
        return {
            step.fingerprint: EarlierStep(
                step.reused_from or Origin(self.plan.run.name, self.plan.run.uid, step.name),
                step.fingerprint,
                {output.name: output.content for output in step.outputs},
                step.metrics,
                step.attempt_id,
            )
            for step in steps
            if step.fingerprint
        }

    def _claims(self) -> set[str]:
        recorded = self.record()
        if recorded is None:
            return set()
        going = {step.name for step in recorded.steps if not step.state.is_final}
        jobs = {job.order.fingerprint for job in self.jobs.values() if job.order.step in going}
        steps = {step.fingerprint for step in recorded.steps if step.attempt and step.name in going}
        return {one for one in jobs | steps if one}

    def _carry_out(self, decision: Decision) -> None:
        super()._carry_out(decision)
        for order in decision.verify:
            self._perhaps_killed()
            self._verify(order)

    def _delete(self, name: str) -> None:
        if self.verifiers.pop(name, None) is None:
            super()._delete(name)

    def _create(self, order: AttemptOrder) -> None:
        if order.attempt == 1:
            computing = self._with_work(Observed()).computing
            assert order.fingerprint not in computing, "a step is computed twice at once"
            assert self.step(order.step).reused_from is None or order.miss is not None
        super()._create(order)

    def _verify(self, order: Verification) -> None:
        recorded = self.record()
        assert recorded is not None
        named = {step.reused_from for step in recorded.steps if step.reused_from}
        assert named, "a mover looks before the status says what would be taken"
        self.pods_of_movers += 1
        seen = ObservedMover(f"verify-{order.ask}", order.ask, self.now)
        self.verifiers.setdefault(seen.job, SimulatedVerifier(order, seen))

    def _a_verifier_goes_on(self) -> None:
        if not self.verifiers:
            return
        name = self.chaos.choice(sorted(self.verifiers))
        match self.chaos.randrange(4):
            case 0:
                del self.verifiers[name]
            case 1:
                self._end(name, 40, failure_report("StoreUnavailable"))
            case _:
                self._end(name)

    def _end(self, name: str, code: int = 0, text: str = "") -> None:
        one = self.verifiers[name]
        if one.seen.has_ended:
            return
        marks = {mark(content) for content in one.order.outputs}
        there = marks & self._bytes_there()
        if not code:
            self.verified |= there
            said = {"there": ",".join(sorted(there)), "gone": ",".join(sorted(marks - there)), "why": "gone"}
            text = json.dumps({"formatVersion": 1, **said})
        pod = a_pod(container("verify-outputs", code, message=text, finished_at=self.now))
        one.seen = replace(one.seen, pod=pod, has_ended=True)

    def _bytes_there(self) -> set[str]:
        published = [earlier for run in self.world.runs for earlier in run.has_published().values()]
        own = {mark(content) for earlier in published for content in earlier.outputs.values()}
        foreign = {mark(c) for one in self.world.finished.values() for c in one.outputs.values()}
        return self.world.bytes | (own - foreign)

    def _write(self, recorded: RecordedRun) -> None:
        before = self.record()
        old: Mapping[str, RecordedStep] = {one.name: one for one in before.steps} if before else {}
        steps = {step.name: step for step in recorded.steps}
        for planned in self.plan.steps:
            step = steps[planned.name]
            if step.reused_from and step.state is StepState.SUCCEEDED and not old[step.name].state.is_final:
                self._check_taken(planned, step, old[step.name], steps)
        super()._write(recorded)

    def _check_taken(
        self,
        planned: PlannedStep,
        step: RecordedStep,
        before: RecordedStep,
        steps: Mapping[str, RecordedStep],
    ) -> None:
        assert {mark(output.content) for output in step.outputs} <= self.verified, "taken unverified"
        assert before.reused_from == step.reused_from, "taken before the status named it"
        assert step.fingerprint == fingerprint(planned, contents_of(planned, steps)), "another work is taken"
        assert all(job.order.step != step.name for job in self.jobs.values()), "taken beside a Job of its own"
        assert step.attempt == 0


def _content(planned: PlannedStep, run: str, output: str) -> Content:
    # The same bytes whoever computes them: only so do later steps have one fingerprint.
    declared = {one.name: one for one in planned.outputs}[output]
    folder = f"datasets/{declared.register.dataset}" if declared.register else "runs"
    place = f"team-a/{folder}/{run}-0/{planned.name}/1-x/{output}/inventory.jsonl.gz"
    digest = "sha256:" + "cd" * 32
    return Content(InventoryRef(declared.datastore, place, digest), 1, 100, 4096, False, output, ("default",))
