"""A plan and what came of it → lineage: per step inputs, code and parameters, and the outputs made of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from towpath.flow import names
from towpath.flow.contents import PinnedVersion
from towpath.flow.planned import Plan, PlannedInput, PlannedStep, StepOutputRef

Json = Mapping[str, Any]
Document = dict[str, Any]


def lineage(plan: Plan, status: Json) -> list[Document]:
    """One document per step, in the order of the plan; `status` is the run's."""
    ended = {step["name"]: step for step in status.get("steps") or ()}
    outputs = {
        (name, output["name"]): output for name, step in ended.items() for output in step.get("outputs") or ()
    }
    return [_of_step(plan, step, ended.get(step.name, {}), outputs) for step in plan.steps]


def _of_step(plan: Plan, step: PlannedStep, ended: Json, outputs: Mapping[tuple[str, str], Json]) -> Document:
    document: Document = {
        "step": step.name,
        "state": ended.get("state"),
        "image": step.image,
        "code": step.code.digest if step.code else None,
        "params": dict(plan.params),
        "fingerprint": ended.get("fingerprint"),
        "reusedFrom": ended.get("reusedFrom"),
        "inputs": [_input(given, outputs) for given in step.inputs],
        "outputs": list(_outputs(step, outputs)),
    }
    return {key: value for key, value in document.items() if value}


def _input(given: PlannedInput, outputs: Mapping[tuple[str, str], Json]) -> Document:
    document: Document = {"name": given.name}
    if given.transforms:
        document["transforms"] = [dict(one) for one in given.transforms]
    source = given.source
    if isinstance(source, StepOutputRef):
        made = outputs.get((source.step, source.output), {})
        found = {"digest": made["digest"]} if made else {}
        return document | {"step": source.step, "output": source.output} | found
    document["digest"] = source.content.inventory.digest
    if isinstance(source, PinnedVersion):
        return document | {"dataset": source.dataset, "version": source.version}
    return document | {"sources": [dict(one) for one in source.sources]}


def _outputs(step: PlannedStep, outputs: Mapping[tuple[str, str], Json]) -> Iterator[Document]:
    for planned in step.outputs:
        made = outputs.get((step.name, planned.name))
        if made is None:
            continue
        document = {"name": planned.name, "digest": made["digest"]}
        if planned.register and "version" in made:
            document |= {"dataset": planned.register.dataset, "version": made["version"]}
            document["object"] = names.version_name(planned.register.dataset, made["version"])
        yield document
