"""What must be true after every fault, and what must be true in the end; each violation in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from chaos.scene import Scene
from chaos.stories import Story
from cluster.audit import AuditLog
from cluster.waiting import wait_until
from towpath_mover.failures import MoverFailure

Json = dict[str, Any]
# A pod's own grace, and what a busy node needs.
_END_SECONDS = 180
RUNS, VERSIONS = "pipelineruns", "datasetversions"


class Sight(Protocol):
    """What is looked at after every fault."""

    def leaders(self) -> list[int]:
        """Who says now that it leads."""
        ...

    def all(self, kind: str) -> list[Json]:
        """All objects of a kind, by its plural."""
        ...


def now(scene: Sight, stories: Mapping[str, Story]) -> list[str]:
    """What is violated at this moment. Children are read before the runs on whose records they must rest."""
    leaders = [scene.leaders() for _ in range(2)]
    jobs, versions = scene.all("jobs"), scene.all(VERSIONS)
    runs = {run["metadata"]["name"]: run for run in scene.all(RUNS)}
    found = [f"{leaders} lead at once"] if all(len(one) > 1 for one in leaders) else []
    found += (
        f"Job {name} began before {step} was recorded as Succeeded"
        for name, step in _early(jobs, runs, stories)
    )
    ended = (run for run in runs.values() if is_over(run))
    found += (wrong for run in ended for wrong in _wrong_end(run))
    return [*found, *_unfounded(versions, runs), *_doubled(versions), *_doubled_attempts(jobs)]


def at_the_end(scene: Scene, stories: Mapping[str, Story], log: AuditLog | None) -> list[str]:
    """What is violated when nothing is broken any more and every run has ended."""
    versions = scene.all(VERSIONS)
    found = []
    for run in scene.all(RUNS):
        story = stories[run["metadata"]["name"]]
        for step in run["status"].get("steps", []):
            found += _wrong_step(scene, story, step, versions, run)
    return [*found, *_left_running(scene), *_made_twice(log, scene)]


def _early(
    jobs: list[Json], runs: Mapping[str, Json], stories: Mapping[str, Story]
) -> Iterator[tuple[str, str]]:
    for job in jobs:
        labels = job["metadata"]["labels"]
        run, name = labels.get("towpath.dev/run", ""), labels.get("towpath.dev/step", "")
        if run in stories and name in stories[run].steps:
            states = _states(runs[run])
            for needed in stories[run].steps[name].reads:
                if states.get(needed) != "Succeeded":
                    yield job["metadata"]["name"], f"{run}/{needed}"


def _unfounded(versions: list[Json], runs: Mapping[str, Json]) -> Iterator[str]:
    for version in versions:
        maker = version["spec"].get("producedBy", {})
        run = runs.get(maker.get("run", ""))
        if run and _states(run).get(maker["step"]) != "Succeeded":
            yield f"{version['metadata']['name']} is registered of {maker}, which has not succeeded"


def _doubled(versions: list[Json]) -> Iterator[str]:
    numbers = Counter((one["spec"]["dataset"], one["spec"]["version"]) for one in versions)
    makers = Counter(str(sorted(one["spec"].get("producedBy", {}).items())) for one in versions)
    for what, times in (*numbers.items(), *makers.items()):
        if times > 1:
            yield f"{times} versions are {what}"


def _doubled_attempts(jobs: list[Json]) -> Iterator[str]:
    labels = (job["metadata"]["labels"] for job in jobs)
    attempts = Counter(
        tuple(each.get(f"towpath.dev/{name}") for name in ("run", "step", "attempt"))
        for each in labels
        if "towpath.dev/attempt" in each
    )
    for attempt, times in attempts.items():
        if times > 1:
            yield f"{times} Jobs are attempt {attempt}"


def _wrong_end(run: Json) -> list[str]:
    status, name = run["status"], run["metadata"]["name"]
    states = _states(run)
    if status["state"] == "Succeeded" and set(states.values()) != {"Succeeded"}:
        return [f"{name} says Succeeded, and its steps {states}"]
    if status["state"] == "Failed" and "Failed" not in states.values():
        return [f"{name} says Failed, and none of its steps does: {states}"]
    return []


def _wrong_step(scene: Scene, story: Story, step: Json, versions: list[Json], run: Json) -> list[str]:
    where = f"{story.name}/{step['name']}"
    if step["state"] != "Succeeded":
        return []
    told = story.steps[step["name"]]
    if told.ends == "fails":
        return [f"{where} exits with 3, and says Succeeded"]
    found = []
    [output] = step["outputs"]
    try:
        if scene.published.files(output) != story.contents(step["name"]):
            found.append(f"{where} says Succeeded, and its output is not what it wrote at its end")
    except MoverFailure as failure:
        found.append(f"{where} says Succeeded, and its output cannot be read: {failure}")
    if told.registers:
        found += _wrong_version(where, told.registers, output, versions)
    return found


def _wrong_version(where: str, dataset: str, output: Json, versions: list[Json]) -> list[str]:
    mine = [one["spec"] for one in versions if one["spec"]["dataset"] == dataset]
    digests = [one["inventory"]["digest"] for one in mine if one["version"] == output.get("version")]
    if digests != [output["digest"]]:
        return [f"{where} is registered as {dataset} {output.get('version')}, which holds {digests}"]
    return []


def _left_running(scene: Scene) -> list[str]:
    """The pods of runs that go on though all runs have ended: nobody waits for them, and nobody would end them."""

    def going() -> list[str]:
        return [
            f"pod {pod['metadata']['name']} goes on, and its run has ended"
            for pod in scene.all("pods")
            if "towpath.dev/run" in pod["metadata"].get("labels", {})
            and pod["status"].get("phase") in ("Pending", "Running")
        ]

    wait_until(lambda: not going(), _END_SECONDS, 1)
    return going()


def _made_twice(log: AuditLog | None, scene: Scene) -> Iterator[str]:
    if log is None:
        return
    made = Counter(
        (write.resource, write.name)
        for write in log.writes("admin")
        if (write.namespace, write.verb, write.code) == (scene.namespace, "create", 201)
        and write.resource in ("jobs", "configmaps", "datasetversions")
    )
    for (kind, name), times in made.items():
        # A probe is asked again, by the same name, after its Job went.
        if times > 1 and "-probe-" not in name and name not in scene.deleted_jobs:
            yield f"{times} times {name} of {kind} was made"


def is_over(run: Json) -> bool:
    """Whether a run has ended."""
    return "completionTime" in run.get("status", {})


def _states(run: Json) -> dict[str, str]:
    return {step["name"]: step["state"] for step in run.get("status", {}).get("steps", [])}
