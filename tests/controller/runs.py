"""Runs of plain steps on a real cluster, and what is to be seen of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from builders import in_namespace, make_run
from cluster.kubectl import Kubectl
from cluster.pods import PYTHON_IMAGE
from cluster.waiting import wait_until
from controller.operator_process import OperatorProcess

Json = dict[str, Any]


def plain_step(name: str, *program: str, **fields: Any) -> Json:
    """A step of one plain container; without a program it ends well at once."""
    command = ["python3", "-c", "\n".join(program) or "pass"]
    return {"name": name, "image": PYTHON_IMAGE, "command": command, **fields}


@dataclass(frozen=True)
class Runs:
    """The runs of one namespace."""

    kubectl: Kubectl
    namespace: str

    def create(self, name: str, *steps: Json, **spec: Any) -> None:
        """Make a run of these steps."""
        run = make_run(name, pipelineSpec={"steps": list(steps)}, **spec)
        self.kubectl.direct.make("pipelineruns", in_namespace(self.namespace, run), self.namespace)

    def get(self, name: str) -> Json:
        """The run as it is now."""
        found: Json = self.kubectl.direct.get("pipelineruns", name, self.namespace)
        return found

    def status(self, name: str) -> Json:
        """Its status, empty before the operator's first visit."""
        found: Json = self.get(name).get("status", {})
        return found

    def step(self, run: str, name: str) -> Json:
        """One step's status, empty while there is none."""
        return next((step for step in self.status(run).get("steps", []) if step["name"] == name), {})

    def finish(self, name: str, seconds: float = 90) -> Json:
        """Its status once it has ended."""
        if not wait_until(lambda: "completionTime" in self.status(name), seconds, 0.2):
            raise AssertionError(f"run {name} did not end within {seconds} s: {self.status(name)}")
        return self.status(name)

    def reason_of(self, run: str, step: str, wanted: str, seconds: float = 30) -> Json:
        """A step's status once it has this reason."""
        if not wait_until(lambda: self.step(run, step).get("reason") == wanted, seconds, 0.2):
            raise AssertionError(f"step {step} never said {wanted}: {self.step(run, step)}")
        return self.step(run, step)

    def jobs(self, run: str) -> list[Json]:
        """The Jobs of a run."""
        return self._of(run, "jobs")

    def pods(self, run: str) -> list[Json]:
        """The pods of a run."""
        return self._of(run, "pods")

    def events(self, run: str) -> list[Json]:
        """What people were told of a run, in order."""
        selector = f"regarding.name={run},regarding.kind=PipelineRun"
        found = self.kubectl.direct.select("events", self.namespace, fields=selector)
        return sorted(found, key=lambda event: str(event["eventTime"]))

    def _of(self, run: str, kind: str) -> list[Json]:
        return self.kubectl.direct.select(kind, self.namespace, labels=f"towpath.dev/run={run}")


@dataclass(frozen=True)
class Shared:
    """An operator, and the runs of the namespaces that it watches; quotas are for two of them."""

    operator: OperatorProcess
    runs: Runs
    without_pods: Runs
    without_jobs: Runs
