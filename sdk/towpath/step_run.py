"""StepRun: one step of a run, as its user reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from towpath.backend import Container
from towpath.errors import NotFoundError
from towpath.flow.near_names import near
from towpath.run_outputs import StepOutput
from towpath.run_progress import STEP_ENDED, has_ended, steps_of
from towpath.run_wait import Wait, failure_of, wait_for

if TYPE_CHECKING:
    from towpath.runs import PipelineRun


class StepRun:
    """One step of a run; each question looks at the run as it is then."""

    def __init__(self, run: PipelineRun, name: str) -> None:
        self.run = run
        self.name = name

    @property
    def id(self) -> str:
        """Run and step."""
        return f"{self.run.name}/{self.name}"

    def get_status(self) -> str:
        """Return Pending, Waiting, Running, Succeeded, Failed, Skipped or Cancelled."""
        return str(self.get_details().get("state") or "Pending")

    def get_details(self) -> dict[str, Any]:
        """Return the step's whole status, as it stands in that of the run."""
        return _step(self.run.get_details(), self.name)

    def get_outputs(self) -> dict[str, StepOutput]:
        """Return what it has published, by name."""
        published = self.get_details().get("outputs") or ()
        return {each["name"]: StepOutput(self.run.backend, self.name, each) for each in published}

    def get_output(self, name: str) -> StepOutput:
        """Return one published output; NotFoundError says which there are."""
        outputs = self.get_outputs()
        if name not in outputs:
            told = f"Step {self.id} ({self.get_status()}) has published no output {name}."
            raise NotFoundError(f"{told} {near(name, outputs)}")
        return outputs[name]

    def get_output_data(self, name: str) -> StepOutput:
        """Return one published output: Azure ML's other name for `get_output`."""
        return self.get_output(name)

    def get_metrics(self) -> dict[str, float]:
        """Return the numbers that it logged."""
        return metrics_of(self.get_details())

    def get_log(self, container: Container | str = Container.STEP) -> str:
        """Return the log of one of its containers in its latest attempt, as far as it is kept."""
        lines = list(self.run.logs(self.name, container))
        latest = max((line.attempt for line in lines), default=0)
        return "".join(f"{line.text}\n" for line in lines if line.attempt == latest)

    def get_stdout_log(self) -> str:
        """Return what it wrote, to standard output and to standard error: Kubernetes keeps them as one."""
        return self.get_log()

    def get_stderr_log(self) -> str:
        """Return the same as `get_stdout_log`."""
        return self.get_log()

    def wait(
        self,
        timeout_seconds: float | None = None,
        show_output: bool = True,
        raise_on_error: bool = True,
    ) -> str:
        """Wait for the end of the step, and return its state; else as `PipelineRun.wait`."""
        backend, wait = self.run.backend, Wait(timeout_seconds, show_output)
        found = wait_for(backend, self.run.name, self._is_over, wait)
        state = str(_step(found["status"], self.name).get("state") or "Pending")
        if raise_on_error and state != "Succeeded":
            raise failure_of(backend, found)
        return state

    def wait_for_completion(
        self,
        show_output: bool = True,
        timeout_seconds: float | None = None,
        raise_on_error: bool = True,
    ) -> str:
        """Wait for the end: Azure ML's name for `wait`, with its order of arguments."""
        return self.wait(timeout_seconds, show_output, raise_on_error)

    def _is_over(self, status: Mapping[str, Any]) -> bool:
        return has_ended(status) or _step(status, self.name).get("state") in STEP_ENDED

    def __repr__(self) -> str:
        """Show run and step."""
        return f"StepRun({self.id})"


def metrics_of(step: dict[str, Any]) -> dict[str, float]:
    """The numbers in a step's status, by name."""
    return {metric["name"]: metric["value"] for metric in step.get("metrics") or ()}


def _step(status: Any, name: str) -> dict[str, Any]:
    return next((step for step in steps_of(status) if step["name"] == name), {})
