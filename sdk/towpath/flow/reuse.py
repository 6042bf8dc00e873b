"""Steps not begun, and what equal steps have published → what each may take, waits for, or why it must be run.

A step is looked up as soon as the contents of its inputs are known, or would be if those before it were taken: so one
mover verifies a whole chain. What a step would take is first put into its record; then it is looked up again, so that
no sweep takes it away meanwhile (docs/reference/sweep.md); then it is verified; and only then it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from towpath.api.step import Reuse
from towpath.flow import graph, verification
from towpath.flow.conditions import MissReason, StepReason, brief
from towpath.flow.fingerprint import changed, components, fingerprint, image_digest
from towpath.flow.mover_orders import Verification
from towpath.flow.observed import Observed
from towpath.flow.planned import EarlierStep, Plan, PlannedStep
from towpath.flow.recorded import Miss, PublishedOutput, RecordedStep, StepState
from towpath.flow.upstream import Steps, contents_of, is_startable, without_input
from towpath.flow.verdicts import Moment
from towpath.flow.verification import Answers, mark


@dataclass(frozen=True)
class Awaited:
    """What a step waits for before it is taken or run; `is_elsewhere` where that is another run."""

    reason: StepReason
    words: str
    fingerprint: str
    is_elsewhere: bool = False


@dataclass(frozen=True)
class Search:
    """What was found for the steps of a run that have not begun: `candidates` by step, verified or not.

    `announced` are those that the record names.
    """

    plan: Plan
    observed: Observed
    answers: Answers
    candidates: Mapping[str, EarlierStep]
    announced: frozenset[str]
    verify: tuple[Verification, ...] = ()
    delete: tuple[str, ...] = ()
    ask_admission: tuple[str, ...] = ()
    checks: tuple[float, ...] = ()

    def announce(self, steps: Steps) -> dict[str, RecordedStep]:
        """The steps, each with what it would take; what was named before and is not there any more is forgotten."""
        return {name: self._announced(step) if _is_ahead(step) else step for name, step in steps.items()}

    def take(self, steps: Steps, moment: Moment) -> dict[str, RecordedStep]:
        """The steps, those that may take what was verified being done."""
        after = dict(steps)
        if not self.plan.continue_on_step_failure and any(
            step.state is StepState.FAILED for step in steps.values()
        ):
            return after
        for planned in self.plan.steps:
            earlier = self.candidates.get(planned.name)
            if earlier is None or planned.name not in self.announced or not is_startable(planned, after):
                continue
            if not self._is_verified(earlier):
                continue
            if without_input(planned, after, moment) is None:
                after[planned.name] = replace(
                    _taken(after[planned.name], earlier), completion_time=moment.now
                )
        return after

    def awaited(self, planned: PlannedStep, steps: Steps) -> Awaited | None:
        """What a step that could start waits for; None where it is to be run now."""
        if steps[planned.name].attempt:
            return None
        earlier = self.candidates.get(planned.name)
        if earlier is not None:
            words = f"looks whether the outputs of step {earlier.origin.step} of run {earlier.origin.run} are there"
            return Awaited(StepReason.VERIFYING, brief(words), earlier.fingerprint)
        if not _looks_up(planned):
            return None
        mine = fingerprint(planned, contents_of(planned, steps))
        run = self.observed.computing.get(mine)
        if run is None:
            return None
        return Awaited(
            StepReason.ELSEWHERE, brief(f"run {run} computes an equal step"), mine, is_elsewhere=True
        )

    def miss(self, planned: PlannedStep, steps: Steps) -> Miss | None:
        """Why a step is run; None where it was to be run in any case, or is tried again."""
        if steps[planned.name].attempt:
            return None
        contents = contents_of(planned, steps)
        earlier = _equal(planned, fingerprint(planned, contents), self.observed)
        if earlier is not None:
            return self._lost(planned, earlier)
        if planned.reuse is Reuse.NEVER:
            return None
        unfit = _unfit(planned)
        return unfit or self._compared(planned, components(planned, contents))

    def _announced(self, step: RecordedStep) -> RecordedStep:
        earlier = self.candidates.get(step.name)
        return replace(step, reused_from=earlier.origin if earlier else None)

    def _is_verified(self, earlier: EarlierStep) -> bool:
        return {mark(content) for content in earlier.outputs.values()} <= self.answers.there

    def _lost(self, planned: PlannedStep, earlier: EarlierStep) -> Miss:
        run = earlier.origin.run
        misfit = _misfit(self.plan, planned, earlier)
        if misfit:
            return Miss(MissReason.CHANGED, (misfit,), run)
        why = earlier.lost or _why_gone(self.answers, earlier)
        if why is not None:
            return Miss(MissReason.OUTPUT_GONE, run=run, message=why)
        return Miss(MissReason.NOT_VERIFIED, run=run, message=self.answers.given_up)

    def _compared(self, planned: PlannedStep, mine: Mapping[str, str]) -> Miss:
        nearest = self.observed.nearest.get(planned.name)
        different = changed(mine, nearest.components) if nearest else ()
        if nearest is None or not different:
            return Miss(MissReason.NOTHING_EARLIER)
        return Miss(MissReason.CHANGED, different, nearest.run)


def search(plan: Plan, steps: Steps, observed: Observed, moment: Moment) -> Search:
    """Look up every step that has not begun."""
    answers = verification.answers_of(observed.verifiers, moment)
    candidates = _candidates(plan, steps, observed, answers)
    outputs = {
        mark(content): content for earlier in candidates.values() for content in earlier.outputs.values()
    }
    wanted = [content for name, content in outputs.items() if name not in answers.there]
    announced = frozenset(name for name, one in candidates.items() if steps[name].reused_from == one.origin)
    found = Search(plan, observed, answers, candidates, announced)
    if announced != candidates.keys():
        return replace(found, checks=(0.0,))
    asked = verification.ask(wanted, plan.datastores, observed.verifiers, moment)
    return replace(
        found,
        verify=asked.verify,
        delete=asked.delete,
        ask_admission=asked.ask_admission,
        checks=asked.checks,
    )


def may_miss(plan: Plan, steps: Steps, observed: Observed) -> tuple[str, ...]:
    """The steps not begun for which nothing has been found until now: it may have to be said why."""
    found = _candidates(plan, steps, observed, Answers())
    return tuple(
        planned.name
        for planned in plan.steps
        if planned.name not in found and _is_ahead(steps[planned.name]) and _looks_up(planned)
    )


def _candidates(plan: Plan, steps: Steps, observed: Observed, answers: Answers) -> dict[str, EarlierStep]:
    assumed = dict(steps)
    found: dict[str, EarlierStep] = {}
    for planned in plan.steps:
        recorded = steps[planned.name]
        if not _is_ahead(recorded) or not _is_known(planned, assumed):
            continue
        mine = fingerprint(planned, contents_of(planned, assumed))
        earlier = _equal(planned, mine, observed)
        if earlier is None or _misfit(plan, planned, earlier) or _is_lost(answers, earlier):
            continue
        found[planned.name] = earlier
        assumed[planned.name] = _taken(recorded, earlier)
    return found


def _is_ahead(recorded: RecordedStep) -> bool:
    return not recorded.state.is_final and not recorded.attempt


def _is_known(planned: PlannedStep, assumed: Steps) -> bool:
    return all(assumed[name].state is StepState.SUCCEEDED for name in graph.upstream(planned)) and len(
        contents_of(planned, assumed)
    ) == len(planned.inputs)


def _equal(planned: PlannedStep, mine: str, observed: Observed) -> EarlierStep | None:
    """The step of this fingerprint whose outputs may be taken; what a retried run had comes first."""
    kept = observed.kept.get(planned.name)
    if kept is not None and kept.fingerprint == mine:
        return kept
    return observed.finished.get(mine) if _looks_up(planned) else None


def _looks_up(planned: PlannedStep) -> bool:
    return planned.reuse is not Reuse.NEVER and _unfit(planned) is None


def _unfit(planned: PlannedStep) -> Miss | None:
    if planned.reuse is not Reuse.IF_PINNED:
        return None
    if image_digest(planned.image) is None:
        return Miss(MissReason.NOT_PINNED, message=planned.image)
    return None if planned.outputs else Miss(MissReason.NO_OUTPUTS)


def _misfit(plan: Plan, planned: PlannedStep, earlier: EarlierStep) -> str | None:
    """What an equal step lacks to be taken: outputs that it owed, or the place where versions must lie."""
    declared = {output.name: output for output in planned.outputs}
    owed = {name for name, output in declared.items() if not output.optional}
    stores = {store.name for store in plan.datastores}
    entered = {name for content in earlier.outputs.values() for name in content.datastores}
    if not owed <= earlier.outputs.keys() <= declared.keys() or not entered <= stores:
        return "outputs"
    # What is not registered lies where anybody may delete it.
    for_versions = f"{plan.run.namespace}/datasets/"
    registered = [content for name, content in earlier.outputs.items() if declared[name].register]
    return None if all(one.inventory.path.startswith(for_versions) for one in registered) else "register"


def _is_lost(answers: Answers, earlier: EarlierStep) -> bool:
    if earlier.lost or _why_gone(answers, earlier) is not None:
        return True
    marks = {mark(content) for content in earlier.outputs.values()}
    return answers.given_up is not None and not marks <= answers.there


def _why_gone(answers: Answers, earlier: EarlierStep) -> str | None:
    marks = [mark(content) for content in earlier.outputs.values()]
    return next((answers.gone[one] for one in marks if one in answers.gone), None)


def _taken(recorded: RecordedStep, earlier: EarlierStep) -> RecordedStep:
    outputs = tuple(PublishedOutput(name, content, 0.0) for name, content in earlier.outputs.items())
    return replace(
        recorded,
        state=StepState.SUCCEEDED,
        reason=StepReason.SUCCEEDED,
        message=None,
        attempt_id=earlier.attempt_id,
        exit_code=0,
        outputs=outputs,
        metrics=earlier.metrics,
        fingerprint=earlier.fingerprint,
        reused_from=earlier.origin,
    )
