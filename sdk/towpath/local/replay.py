"""`towpath replay RUN STEP --local`: a step of a run, with the inputs that were pinned for it, run on this machine.

The inputs are fetched once into the user's cache, and stand in a workspace of the replay's own as datasets; so they
are staged in, seen and published from as in any local run. Nothing of the run that is replayed is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from towpath.backend import Backend, Kind, Manifest
from towpath.errors import NotFoundError, UserErrorException
from towpath.fetch import fetch
from towpath.fetched_files import place_files
from towpath.flow import names
from towpath.flow.contents import Content
from towpath.flow.near_names import near
from towpath.flow.planned import Plan, PlannedStep
from towpath.flow.restore import restore
from towpath.flow.restored_status import read_status
from towpath.flow.upstream import contents_of
from towpath.local.backend import LocalBackend
from towpath.local.init import init
from towpath.local.running import Started, Wanted, start_run
from towpath.meter import Show, silent

_INPUTS = "inputs"


@dataclass(frozen=True)
class Replay:
    """A replay that has begun: where it runs, and as what."""

    backend: LocalBackend
    started: Started


def replay(source: Backend, run: str, step: str, folder: Path, show: Show = silent) -> Replay:
    """Fetch what the step was given and run it in a workspace in this folder; `follow_run` waits for its end."""
    item = source.get(Kind.PIPELINE_RUN, run)
    if item is None:
        known = [str(one["metadata"]["name"]) for one in source.list_objects(Kind.PIPELINE_RUN)]
        raise NotFoundError(f"There is no PipelineRun {run} in {source.where}. {near(run, known)}")
    plan = _plan(source, item)
    planned = _step(plan, step)
    contents = _contents(planned, item)
    backend = init(folder)
    for name, content in contents.items():
        place_files(fetch(source, content.inventory, show=show), _place(backend, name), overwrite=True)
    manifests = [*_code(source, planned), *(_dataset(given, contents[given]) for given in contents)]
    wanted = Wanted(manifests=[*manifests, _pipeline(plan, planned)], reuse=False)
    return Replay(backend, start_run(backend, wanted))


def outputs_of(backend: LocalBackend, run: Manifest) -> Iterator[tuple[str, Path]]:
    """The outputs of a replay that ended well: plain files and folders in its store."""
    for step in run["status"].get("steps", ()):
        for output in step.get("outputs", ()):
            yield output["name"], (backend.places.store / output["inventory"]).parent / "data"


def _plan(source: Backend, run: Manifest) -> Plan:
    documents = source.plan_of(run)
    if documents is None:
        words = f"The plan of run {run['metadata']['name']} is gone: what it was given is not known any more."
        raise UserErrorException(words)
    return restore(documents)


def _step(plan: Plan, name: str) -> PlannedStep:
    try:
        return plan.step(name)
    except KeyError:
        known = [step.name for step in plan.steps]
        raise NotFoundError(f"Run {plan.run.name} has no step {name}. {near(name, known)}") from None


def _contents(planned: PlannedStep, run: Manifest) -> dict[str, Content]:
    recorded = read_status(run.get("status") or {})
    steps = {step.name: step for step in recorded.steps} if recorded else {}
    contents = contents_of(planned, steps)
    missing = [given.name for given in planned.inputs if given.name not in contents]
    if missing:
        words = f"Step {planned.name} was never given its input {missing[0]}: a step before it wrote nothing."
        raise UserErrorException(words)
    return contents


def _place(backend: LocalBackend, name: str) -> Path:
    return backend.places.store / _INPUTS / name


def _code(source: Backend, planned: PlannedStep) -> Iterator[Manifest]:
    name = planned.code.config_map if planned.code else None
    if name is None:
        return
    there = source.get(Kind.CONFIG_MAP, name)
    if there is None:
        raise UserErrorException(f"ConfigMap {name}, which holds the code of the step, is gone.")
    kept = {field: there[field] for field in ("data", "binaryData") if there.get(field)}
    yield {"apiVersion": "v1", "kind": str(Kind.CONFIG_MAP), "metadata": {"name": name}} | kept


def _dataset(name: str, content: Content) -> Manifest:
    # Content, not what its store reports: so it has the digest that it had.
    path = f"{_INPUTS}/{name}" + ("" if content.directory else f"/{content.file}")
    spec: dict[str, Any] = {"sources": [{"path": path, "hash": "Content"}]}
    if content.format is not None:
        spec |= {"type": "Tabular", "format": dict(content.format)}
    meta = {"name": names.object_name(name)}
    return {"apiVersion": names.API_VERSION, "kind": str(Kind.DATASET), "metadata": meta, "spec": spec}


def _pipeline(plan: Plan, planned: PlannedStep) -> Manifest:
    params = [{"name": name, "type": "string", "default": text} for name, text in plan.params.items()]
    return {
        "apiVersion": names.API_VERSION,
        "kind": str(Kind.PIPELINE),
        "metadata": {"name": names.object_name(planned.name)},
        "spec": {"params": params, "steps": [_kept(_manifest(planned))]},
    }


def _manifest(planned: PlannedStep) -> dict[str, Any]:
    return {
        "name": planned.name,
        "image": planned.image,
        "command": list(planned.command),
        "args": list(planned.args),
        "env": [dict(entry) for entry in planned.env],
        "envFrom": [dict(entry) for entry in planned.env_from],
        "code": _code_of(planned),
        "timeoutSeconds": planned.timeout_seconds,
        "inputs": [
            _kept(
                {
                    "name": given.name,
                    "dataset": {"name": names.object_name(given.name)},
                    "transforms": [dict(one) for one in given.transforms],
                    "allowEmpty": given.allow_empty,
                }
            )
            for given in planned.inputs
        ],
        "outputs": [
            _kept(
                {
                    "name": output.name,
                    "optional": output.optional,
                    "allowEmpty": output.allow_empty,
                    "directory": output.directory,
                    "makeDirectory": output.make_directory,
                    # So that it lies as plain files, to be looked at.
                    "register": {"name": names.object_name(f"{output.name}-output")},
                }
            )
            for output in planned.outputs
        ],
        "shards": _shards(planned),
    }


def _code_of(planned: PlannedStep) -> Mapping[str, Any] | None:
    if planned.code is None:
        return None
    if planned.code.config_map:
        return {"configMapRef": {"name": planned.code.config_map}}
    return {"inline": dict(planned.code.inline or {})}


def _shards(planned: PlannedStep) -> Mapping[str, Any] | None:
    shards = planned.shards
    return {"input": shards.input, "count": shards.count} if shards else None


def _kept(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value not in (None, [], {}, ())}
