"""What a step's script asks about itself: `Run.get_context()`. Standard library only, and placed into every step.

All of it comes from the context file that `stage-in` writes; no network, no token.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from towpath.errors import RunEnvironmentException, UnknownNameError, UserErrorException
from towpath.metric_file import MetricFile
from towpath.spelling import checks_keywords, near
from towpath.staged import StepWorkspace

CONTEXT_VARIABLE = "TOWPATH_CONTEXT"


class NamedPaths(dict):  # type: ignore[type-arg]  # Python 3.9 of a step cannot subclass dict[str, str] with pickle
    """Paths by the names of inputs or outputs."""

    def __init__(self, what: str, paths: dict[str, str]) -> None:
        """Hold the paths; `what` is for messages."""
        super().__init__(paths)
        self._what = what

    def __missing__(self, name: str) -> str:
        """Raise a KeyError that lists the names."""
        raise UnknownNameError(f"This step has no {self._what} {name}. {near(str(name), self)}")


class StepExperiment:
    """The experiment of a step's run; `workspace` finds the datasets that the step takes."""

    def __init__(self, name: str, workspace: Any) -> None:
        """Name it."""
        self.name, self.workspace = name, workspace


class ParentRun:
    """The pipeline run to which a step belongs."""

    def __init__(self, run_id: str, uid: str, experiment: StepExperiment) -> None:
        """Name it."""
        self.id = self.name = run_id
        self.uid, self.experiment = uid, experiment


class Run:
    """The step that runs this script. `Run.get_context()` gives it; outside any step its dictionaries are empty."""

    def __init__(self, context: dict[str, Any], metrics: MetricFile) -> None:
        """Stand for the step of a context file."""
        self._context, self._metrics = context, metrics
        run = context["run"]
        self.id = f"{run['name']}/{context['step']}"
        self.name = context["step"]
        self.attempt = context["attempt"]
        self.shard, self.shards = context.get("shard"), context.get("shards")
        self.params: dict[str, str] = dict(context["params"])
        self.input_datasets = NamedPaths("input", _paths(context["inputs"]))
        self.output_datasets = NamedPaths("output", _paths(context["outputs"]))
        self.experiment = StepExperiment(context.get("pipeline") or "", StepWorkspace(context))
        self.parent = ParentRun(run["name"], run["uid"], self.experiment)

    @staticmethod
    @checks_keywords
    def get_context(allow_offline: bool = True) -> Any:
        """Return the step that runs this script; outside any step an object whose dictionaries are empty.

        `allow_offline=False` raises RunEnvironmentException there.
        """
        file = os.environ.get(CONTEXT_VARIABLE)
        if file and Path(file).is_file():
            return Run(json.loads(Path(file).read_text(encoding="utf-8")), MetricFile.of(os.environ))
        if allow_offline:
            # Only here: a step never needs it.
            from towpath.offline_run import OfflineRun  # noqa: PLC0415

            return OfflineRun()
        raise RunEnvironmentException(
            f"This script runs outside any step: {CONTEXT_VARIABLE} names no file. A step without inputs, outputs, "
            "code and timeoutSeconds has none either."
        )

    def get_details(self) -> dict[str, Any]:
        """Return what the context says of the run, its inputs (with versions and digests) and its outputs."""
        context = self._context
        return {
            "runId": self.id,
            "status": "Running",
            "inputDatasets": [{"name": name, **given} for name, given in context["inputs"].items()],
            "outputDatasets": [{"name": name, **given} for name, given in context["outputs"].items()],
            "properties": {"attempt": self.attempt, "params": self.params},
        }

    @checks_keywords
    def log(self, name: str, value: float, description: str = "", step: int | None = None) -> None:  # noqa: ARG002
        """Log a number under a name: the step's metrics hold the last value of each of the last 32 names."""
        self._metrics.write(name, value, step)

    @checks_keywords
    def log_list(self, name: str, value: list[float], description: str = "") -> None:  # noqa: ARG002
        """Log numbers one after another; the metric is the last."""
        for place, number in enumerate(value):
            self._metrics.write(name, number, place)

    def log_row(self, name: str, description: str = "", **columns: float) -> None:  # noqa: ARG002
        """Log each column as a metric `name.column`."""
        for column, value in columns.items():
            self._metrics.write(f"{name}.{column}", value, None)

    @checks_keywords
    def log_table(self, name: str, value: dict[str, list[float]], description: str = "") -> None:  # noqa: ARG002
        """Log each column's numbers as a metric `name.column`; the metric is the last of them."""
        for column, numbers in value.items():
            self.log_list(f"{name}.{column}", numbers)

    def log_image(self, name: str, *_arguments: Any, **_keywords: Any) -> None:
        """Refuse: pictures are files."""
        raise UserErrorException(f"log_image({name!r}): write the picture to an output of the step.")

    def upload_file(self, name: str, *_arguments: Any, **_keywords: Any) -> None:
        """Refuse: a step has no credentials of a store."""
        raise UserErrorException(
            f"upload_file({name!r}): declare an output of the step, and write the file there."
        )

    upload_folder = upload_file

    def flush(self, timeout_seconds: float = 300) -> None:
        """Do nothing: each metric is on the disk when `log` returns."""

    def complete(self, _set_status: bool = True) -> None:
        """Do nothing: the step ends with its command."""

    def __repr__(self) -> str:
        """Show the run and the step."""
        return f"Run({self.id!r})"


def _paths(ports: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: port["path"] for name, port in ports.items()}
