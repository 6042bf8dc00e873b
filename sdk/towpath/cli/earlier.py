"""The runs of a workspace → the steps that have succeeded: by fingerprint for reuse, by name for comparing. Pure.

The same rules as the operator's (`run_reuse.py` there): what it would find is found here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from towpath.backend import Manifest
from towpath.flow.documents import UnreadablePlanError
from towpath.flow.fingerprint import components
from towpath.flow.observed import NearestStep
from towpath.flow.planned import EarlierStep, Origin, Plan
from towpath.flow.recorded import RecordedStep, StepState
from towpath.flow.restore import restore
from towpath.flow.restored_status import read_status, read_step
from towpath.flow.sweep_references import why_lost
from towpath.flow.upstream import contents_of

PlanOf = Callable[[Manifest], Mapping[str, Manifest] | None]


@dataclass(frozen=True)
class Earlier:
    """What runs that exist have computed."""

    runs: tuple[Manifest, ...]
    versions: frozenset[str]
    plan_of: PlanOf

    def finished(self) -> dict[str, EarlierStep]:
        """The steps that have succeeded, by fingerprint; of two equal ones the later."""
        found: dict[str, EarlierStep] = {}
        for run in sorted(self.runs, key=_ended_at):
            for entry in (run.get("status") or {}).get("steps") or ():
                if entry.get("state") == StepState.SUCCEEDED and entry.get("fingerprint"):
                    found[entry["fingerprint"]] = self._earlier(run, entry)
        return found

    def nearest(self, pipeline: str, steps: Iterable[str], but: str = "") -> dict[str, NearestStep]:
        """The last steps of these names that succeeded in runs of this pipeline, but not in the run `but`."""
        wanted, found = set(steps), dict[str, NearestStep]()
        for run in sorted(self.runs, key=_ended_at, reverse=True):
            if not wanted:
                break
            name = run["metadata"]["name"]
            if pipeline_of(run) != pipeline or name == but:
                continue
            done = wanted & _succeeded(run)
            for step, parts in (self._components(run) if done else {}).items():
                if step in done:
                    found[step] = NearestStep(name, parts)
                    wanted.discard(step)
        return found

    def latest_outputs(self, pipeline: str) -> Iterator[tuple[str, dict[str, RecordedStep]]]:
        """What the steps of runs of this pipeline have written, by run, the last run first."""
        for run in sorted(self.runs, key=_ended_at, reverse=True):
            if pipeline_of(run) == pipeline:
                yield str(run["metadata"]["name"]), recorded(run)

    def _earlier(self, run: Manifest, entry: Manifest) -> EarlierStep:
        step, meta = read_step(entry), run["metadata"]
        return EarlierStep(
            origin=step.reused_from or Origin(meta["name"], meta.get("uid") or "", step.name),
            fingerprint=step.fingerprint or "",
            outputs={output.name: output.content for output in step.outputs},
            metrics=step.metrics,
            attempt_id=step.attempt_id,
            lost=why_lost(run, entry, self.versions.__contains__),
        )

    def _components(self, run: Manifest) -> dict[str, Mapping[str, str]]:
        plan, steps = restored(self.plan_of(run)), recorded(run)
        if plan is None:
            return {}
        return {
            planned.name: components(planned, contents_of(planned, steps))
            for planned in plan.steps
            if planned.name in steps and steps[planned.name].fingerprint
        }


def restored(documents: Mapping[str, Manifest] | None) -> Plan | None:
    """The plan that was written; None for none, and for one that this release cannot read."""
    try:
        return restore(documents) if documents else None
    except UnreadablePlanError:
        return None


def recorded(run: Manifest) -> dict[str, RecordedStep]:
    """What a run's status says of its steps, by name."""
    try:
        found = read_status(run.get("status") or {})
    except ValidationError:
        return {}
    return {step.name: step for step in found.steps} if found else {}


def pipeline_of(run: Manifest) -> str:
    """What tells pipelines apart for steps of one name; runs with a pipeline of their own share the empty name."""
    return str(((run.get("spec") or {}).get("pipelineRef") or {}).get("name", ""))


def names_of(manifests: Iterable[Manifest]) -> frozenset[str]:
    """The objects' names."""
    return frozenset(str(one["metadata"]["name"]) for one in manifests)


def _succeeded(run: Manifest) -> set[str]:
    entries = (run.get("status") or {}).get("steps") or ()
    return {entry["name"] for entry in entries if entry.get("state") == StepState.SUCCEEDED}


def _ended_at(run: Manifest) -> str:
    return str((run.get("status") or {}).get("completionTime") or "")
