"""A user's namespace on a real cluster with Towpath installed: what stories are told with."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cluster.access import Access
from cluster.direct import Direct, RefusedError
from cluster.installation import Tools, apply_store_secret
from cluster.space import Space
from cluster.store import Identity
from cluster.waiting import wait_until

API_VERSION = "towpath.dev/v1alpha1"


@dataclass(frozen=True)
class Tenant:
    """One namespace, spoken to as its user would."""

    tools: Tools
    access: Access
    namespace: str

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl printed, in this namespace."""
        return self.tools.kubectl("-n", self.namespace, *words, stdin=stdin)

    @property
    def direct(self) -> Direct:
        """The API server, without a kubectl in between."""
        return self.tools.kubectl.direct

    def apply(self, kind: str, name: str, spec: Mapping[str, Any]) -> None:
        """Makes an object of ours, or changes it."""
        self.direct.apply(_object(kind, {"name": name}, spec), namespace=self.namespace)

    def hold(self, kind: str, name: str, **data: str) -> None:
        """A new ConfigMap or Secret of texts."""
        field = "data" if kind == "ConfigMap" else "stringData"
        self.direct.make(f"{kind.lower()}s", {"metadata": {"name": name}, field: data}, self.namespace)

    def annotate(self, kind: str, name: str, **annotations: str) -> None:
        """What people ask for, or note, on an object."""
        self.direct.patch(kind, name, {"metadata": {"annotations": annotations}}, self.namespace)

    def delete(self, kind: str, *names: str, wait: bool = True) -> None:
        """Takes objects away, by default until they are gone."""
        self.direct.delete(kind, *names, namespace=self.namespace, wait=wait)

    def secret(self, name: str, identity: Identity) -> None:
        """A Secret with an S3 identity, as a Datastore names it."""
        apply_store_secret(self.tools, self.namespace, name, identity)

    def s3_datastore(self, space: Space, **s3: Any) -> dict[str, Any]:
        """The spec of a Datastore that is this space; `s3` overrides fields."""
        location = {
            "endpoint": space.s3.endpoint,
            "bucket": space.bucket,
            "prefix": space.prefix,
            "region": space.s3.region,
            "credentialsSecretRef": {"name": "store"},
        }
        return {"s3": location | s3}

    def start(self, spec: Mapping[str, Any], prefix: str = "run-") -> str:
        """Creates a PipelineRun; its name."""
        run = _object("PipelineRun", {"generateName": prefix}, spec)
        return str(self.direct.make("pipelineruns", run, self.namespace)["metadata"]["name"])

    def start_steps(self, *steps: Mapping[str, Any], **spec: Any) -> str:
        """Creates a PipelineRun of these steps, written in place; its name."""
        return self.start({"pipelineSpec": {"steps": list(steps)}, **spec})

    def cancel(self, run: str) -> None:
        """Asks for the end of a run."""
        self.direct.patch("pipelineruns", run, {"spec": {"cancel": True}}, self.namespace)

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """An object; the kind by its plural."""
        found: dict[str, Any] = self.direct.get(kind, name, self.namespace)
        return found

    def status(self, kind: str, name: str) -> dict[str, Any]:
        """The status of an object of ours, empty before the operator's first visit."""
        status: dict[str, Any] = self.get(kind, name).get("status", {})
        return status

    def finish(self, run: str, seconds: int = 90) -> dict[str, Any]:
        """The status of a run once it has ended."""
        return self.until("pipelineruns", run, lambda status: "completionTime" in status, seconds)

    def until(
        self, kind: str, name: str, is_so: Callable[[dict[str, Any]], bool], seconds: float = 30
    ) -> dict[str, Any]:
        """The status of an object once it is so; a failure that shows the status if it never is."""
        seen: dict[str, Any] = {}

        def look() -> bool:
            seen.clear()
            seen.update(self.status(kind, name))
            return is_so(seen)

        assert wait_until(look, seconds, pause=0.3), (
            f"{kind}/{name} after {seconds} s: {json.dumps(seen, indent=1)}"
        )
        return seen

    def sweep(self, value: str, datastore: str = "default") -> str:
        """Ask for a sweep and wait for it; what it says."""
        self.annotate("datastores", datastore, **{"towpath.dev/sweep": value})
        answered = lambda status: status.get("sweepRequested") == value  # noqa: E731 - as short as it can be
        return str(self.until("datastores", datastore, answered, 150)["swept"])

    def events(self, name: str) -> list[tuple[str, str]]:
        """What people were told of an object: reasons and notes."""
        found = self.direct.select("events", self.namespace, fields=f"regarding.name={name}")
        return [(event["reason"], event["note"]) for event in found]

    def touch(self, run: str, step: str, file: str) -> None:
        """Make a file in the container of a step that waits for it."""
        self.kubectl("exec", self.pods(run, step)[-1], "-c", "step", "--", "touch", file)

    def pods(self, run: str, step: str) -> list[str]:
        """The names of the pods of a step's attempts."""
        return self.names("pods", f"towpath.dev/run={run},towpath.dev/step={step}")

    def log(self, run: str, step: str, container: str = "step") -> str:
        """What a container of a step's only pod wrote."""
        [pod] = self.pods(run, step)
        return self.direct.log(pod, self.namespace, container)

    def names(self, plural: str, labels: str = "", fields: str = "") -> list[str]:
        """The names of the objects with these labels and fields."""
        found = self.direct.select(plural, self.namespace, labels=labels, fields=fields)
        return [one["metadata"]["name"] for one in found]

    def has_logged(self, pod: str, words: str) -> bool:
        """Whether a pod's step has written these words; not so while its container has not begun."""
        try:
            return words in self.direct.log(pod, self.namespace, "step")
        except RefusedError:
            return False

    def plan(self, run: str) -> dict[str, dict[str, Any]]:
        """The documents of a run's plan, by their key."""
        name = self.status("pipelineruns", run)["plan"]
        found = self.direct.get("configmaps", name, self.namespace)["binaryData"]
        return {key: json.loads(gzip.decompress(base64.b64decode(data))) for key, data in found.items()}

    def jobs(self, run: str, component: str = "step") -> list[dict[str, Any]]:
        """The Jobs of a run's steps, or of what else it needs."""
        labels = f"towpath.dev/run={run},towpath.dev/component={component}"
        return self.direct.select("jobs", self.namespace, labels=labels)


def condition(status: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One condition of a status, empty if it is not there."""
    conditions: list[dict[str, Any]] = status.get("conditions", [])
    return next((found for found in conditions if found["type"] == name), {})


def step_of(status: Mapping[str, Any], name: str) -> dict[str, Any]:
    """One step of a run's status."""
    steps: list[dict[str, Any]] = status.get("steps", [])
    return next((step for step in steps if step["name"] == name), {})


def is_ready(status: Mapping[str, Any]) -> bool:
    """Whether the Ready condition is True."""
    return condition(status, "Ready").get("status") == "True"


def has_reason(name: str, reason: str) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a condition has this reason."""
    return lambda status: condition(status, name).get("reason") == reason


def _object(kind: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
