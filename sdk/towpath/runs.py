"""PipelineRun: a run as its user follows, waits for, cancels and reads it, on a cluster or without one.

`PipelineRun(backend, name)` speaks to nobody; each question looks at the object as it is then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from towpath.backend import Backend, Container, Kind, LogLine, Manifest
from towpath.errors import NotFoundError
from towpath.flow.near_names import near
from towpath.run_outputs import StepOutput
from towpath.run_progress import has_ended, steps_of
from towpath.run_wait import Wait, failure_of, wait_for
from towpath.step_run import StepRun, metrics_of

__all__ = ["PipelineRun", "StepRun"]


class HasBackend(Protocol):
    """A workspace, as much of it as a run needs."""

    @property
    def backend(self) -> Backend: ...


class PipelineRun:
    """One run of a pipeline."""

    def __init__(self, backend: Backend, name: str) -> None:
        self.backend = backend
        self.name = name

    @staticmethod
    def get(workspace: HasBackend, run_id: str) -> PipelineRun:
        """Return the run of this name; NotFoundError lists near names."""
        run = PipelineRun(workspace.backend, run_id)
        run.refresh()
        return run

    @property
    def id(self) -> str:
        """Its name."""
        return self.name

    def refresh(self) -> Manifest:
        """Return the object as it is now."""
        found = self.backend.get(Kind.PIPELINE_RUN, self.name)
        if found is None:
            known = [run["metadata"]["name"] for run in self.backend.list_objects(Kind.PIPELINE_RUN)]
            told = f"There is no run {self.name} in {self.backend.where}."
            raise NotFoundError(f"{told} {near(self.name, known)}")
        return found

    def get_status(self) -> str:
        """Return Waiting, Running, Succeeded, Failed or Cancelled."""
        return str(self.get_details().get("state") or "Waiting")

    def get_details(self) -> dict[str, Any]:
        """Return the whole status, as `kubectl get -o yaml` shows it."""
        return dict(self.refresh().get("status") or {})

    def get_steps(self) -> list[StepRun]:
        """Return the steps, in the order of the plan; there are none before the run is planned."""
        return [StepRun(self, step["name"]) for step in steps_of(self.get_details())]

    def find_step_run(self, name: str) -> list[StepRun]:
        """Return the step of this name, in a list as Azure ML has it; NotFoundError lists near names."""
        known = [step["name"] for step in steps_of(self.get_details())]
        if name not in known:
            raise NotFoundError(f"Run {self.name} has no step {name}. {near(name, known)}")
        return [StepRun(self, name)]

    def get_pipeline_output(self, pipeline_output_name: str) -> StepOutput:
        """Return a published output: `OUTPUT` where only one step has it, else `STEP/OUTPUT`."""
        step, _, name = pipeline_output_name.rpartition("/")
        outputs = [output for each in self.get_steps() for output in each.get_outputs().values()]
        found = [output for output in outputs if output.name == name and step in ("", output.step)]
        if len(found) == 1:
            return found[0]
        known = [f"{output.step}/{output.name}" for output in found or outputs]
        how_many = "several published outputs" if found else "no published output"
        told = f"Run {self.name} has {how_many} {pipeline_output_name}."
        raise NotFoundError(f"{told} {near(pipeline_output_name, known)}")

    def get_metrics(self) -> dict[str, dict[str, float]]:
        """Return the numbers that its steps logged, by step."""
        steps = steps_of(self.get_details())
        return {step["name"]: metrics_of(step) for step in steps if step.get("metrics")}

    def logs(
        self, step: str | None = None, container: Container | str | None = None, follow: bool = False
    ) -> Iterator[LogLine]:
        """Yield the lines of every container as far as they are kept; with `follow` until the run has ended."""
        chosen = Container(container) if container is not None else None
        return self.backend.logs(self.refresh(), step, chosen, follow)

    def cancel(self) -> None:
        """End the run: its pods are stopped, and nothing more is published. One that has ended stays as it is."""
        if not has_ended(self.get_details()):
            self.backend.patch(Kind.PIPELINE_RUN, self.name, {"spec": {"cancel": True}})

    def wait(
        self,
        timeout_seconds: float | None = None,
        show_output: bool = True,
        raise_on_error: bool = True,
    ) -> str:
        """Wait for the end, telling on standard error what happens, and return the state.

        WaitTimeoutError when the time is over; ActivityFailedException, with the last lines of the failed steps' logs,
        for a run that did not succeed. Ctrl-C ends the waiting, and not the run.
        """
        found = wait_for(self.backend, self.name, has_ended, Wait(timeout_seconds, show_output))
        state = str(found["status"].get("state"))
        if raise_on_error and state != "Succeeded":
            raise failure_of(self.backend, found)
        return state

    def wait_for_completion(
        self,
        show_output: bool = True,
        timeout_seconds: float | None = None,
        raise_on_error: bool = True,
    ) -> str:
        """Wait for the end: Azure ML's name for `wait`, with its order of arguments."""
        return self.wait(timeout_seconds, show_output, raise_on_error)

    def __repr__(self) -> str:
        """Show the name and the place."""
        return f"PipelineRun({self.name} in {self.backend.where})"
