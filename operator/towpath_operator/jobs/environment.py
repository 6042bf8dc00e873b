"""The environment of a step's container: ours, then the user's. What begins with TOWPATH_ is never the user's,
the rest (HOME, TMPDIR, USER) may be set otherwise; ours stand first, so the user's values may refer to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.references import for_pod, literal_for_pod
from towpath_operator.jobs.seen import below
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.jobs.volumes import CONTEXT, WORK

RESERVED = "TOWPATH_"

Variable = dict[str, Any]


def step_environment(
    plan: Plan, step: PlannedStep, values: Mapping[str, str], settings: PodSettings
) -> list[Variable]:
    """The variables of the user's container, each name once; `values` are what references stand for."""
    ours = _of_every_step(plan)
    if step.needs_movers:
        ours |= _of_ports(step, values) | _of_folders(settings)
    if step.shards:
        # Which of them it is, the launcher adds: all pods of a Job are made alike.
        ours |= {"TOWPATH_SHARDS": str(step.shards.count)}
    users = [_substituted(entry, values) for entry in step.env if not entry["name"].startswith(RESERVED)]
    overridden = {entry["name"] for entry in users}
    kept = [{"name": name, "value": value} for name, value in ours.items() if name not in overridden]
    return kept + users


def _of_every_step(plan: Plan) -> dict[str, str]:
    params = {f"{RESERVED}PARAM_{name.upper()}": literal_for_pod(text) for name, text in plan.params.items()}
    return {"USER": "step"} | params


def _of_ports(step: PlannedStep, values: Mapping[str, str]) -> dict[str, str]:
    ports = [("INPUT", "inputs", given.name) for given in step.inputs]
    ports += [("OUTPUT", "outputs", output.name) for output in step.outputs]
    return {
        f"{RESERVED}{kind}_{name.upper()}": literal_for_pod(values[f"{side}.{name}.path"])
        for kind, side, name in ports
    }


def _of_folders(settings: PodSettings) -> dict[str, str]:
    # stage-in makes them. Without a HOME of its own, a user whom the image does not know has `/`, not writable.
    folders = {
        "HOME": f"{WORK}/.home",
        "TMPDIR": f"{WORK}/.tmp",
        "TOWPATH_METRICS": f"{WORK}/.metrics.jsonl",
        "TOWPATH_CONTEXT": f"{CONTEXT}/context.json",
    }
    return {name: below(path, settings) for name, path in folders.items()}


def _substituted(entry: Mapping[str, Any], values: Mapping[str, str]) -> Variable:
    if entry.get("value") is None:
        return dict(entry)
    return {**entry, "value": for_pod(entry["value"], values)}
