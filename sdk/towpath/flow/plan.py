"""Resolved facts → the plan: paths, prefixes, defaults merged in. The same facts give the same plan, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, TypeVar

from towpath.api.ports import Input, Output
from towpath.api.step import Reuse, Step, StepSettings
from towpath.flow import checks, compute_target, names, references, store_keys
from towpath.flow.code import params_read
from towpath.flow.contents import Pinned
from towpath.flow.documents import digested, digested_plan
from towpath.flow.fingerprint import contract
from towpath.flow.listing import format_document
from towpath.flow.packing import StepOutput, is_packed, mounted_outputs
from towpath.flow.planned import (
    Mounting,
    Plan,
    PlannedCode,
    PlannedInput,
    PlannedOutput,
    PlannedRegistration,
    PlannedShards,
    PlannedStep,
    PlannedTarget,
    StepOutputRef,
)
from towpath.flow.sources import Resolved
from towpath.flow.transform_documents import chain_documents
from towpath.flow.view_warnings import with_warnings
from towpath.flow.views import Chain, facts_of

T = TypeVar("T")


def plan(resolved: Resolved) -> Plan:
    """All that the run will do."""
    given = {step.name: step for step in resolved.spec.steps}
    mounted = mounted_outputs(resolved.spec, resolved.mountings)
    noted = with_warnings(_step(resolved, given[name], mounted) for name in resolved.order)
    steps = tuple(digested(step) for step in noted)
    made = Plan(
        run=resolved.run,
        pipeline=resolved.pipeline,
        params=resolved.params,
        steps=steps,
        datastores=resolved.datastores,
        mover_image=resolved.installation.mover_image,
        cluster_id=resolved.installation.cluster_id,
        notes=tuple(_notes(steps)),
        timeout_seconds=resolved.timeout_seconds,
        continue_on_step_failure=resolved.continue_on_step_failure,
        keep_seconds=resolved.spec.retention.keep_seconds if resolved.spec.retention else None,
    )
    return digested_plan(made)


def _step(resolved: Resolved, step: Step, mounted: frozenset[StepOutput]) -> PlannedStep:
    defaults = resolved.spec.step_defaults or StepSettings()
    target = resolved.targets.get(step.name) or PlannedTarget("")
    container = _container(resolved, step, defaults, target)
    code = _code(resolved, step)
    outputs = tuple(_output(resolved, step, output, mounted) for output in step.outputs)
    inputs = tuple(_input(resolved, step, given) for given in step.inputs)
    hashed = _hashed(step, container, code, inputs) | _places(step, target)
    return PlannedStep(
        name=step.name,
        image=container["image"],
        command=tuple(container["command"]),
        args=tuple(container["args"]),
        env=tuple(container["env"]),
        env_from=tuple(container["envFrom"]),
        inputs=inputs,
        outputs=outputs,
        depends_on=tuple(sorted(step.depends_on)),
        result_prefix=_result_prefix(resolved, step),
        contract=contract(hashed, outputs, _params_used(resolved, step, container)),
        code=code,
        resources=_as_dict(step.resources or defaults.resources) or dict(target.resources),
        security_context={
            **target.security_context,
            **_as_dict(step.security_context or defaults.security_context),
        },
        image_pull_secrets=_pull_secrets(step, defaults, target),
        retries=_first(step.retries, defaults.retries) or 0,
        timeout_seconds=_first(step.timeout_seconds, defaults.timeout_seconds),
        pending_timeout_seconds=_first(step.pending_timeout_seconds, defaults.pending_timeout_seconds),
        termination_grace_period_seconds=step.termination_grace_period_seconds,
        queue_name=step.queue_name or defaults.queue_name,
        target=compute_target.without_defaults(target) if target.name else None,
        shards=_shards(step),
        reuse=(step.reuse or defaults.reuse or Reuse.IF_PINNED) if resolved.reuse else Reuse.NEVER,
    )


def _hashed(
    step: Step, container: dict[str, Any], code: PlannedCode | None, inputs: Iterable[PlannedInput]
) -> dict[str, Any]:
    """What identifies the step's work, besides its outputs, its params and the digests of its inputs."""
    shards = {"input": step.shards.input, "count": step.shards.count} if step.shards else {}
    views = {
        given.name: _hashed_view(given)
        for given in inputs
        if given.transforms or given.name == shards.get("input")
    }
    transforms = {name: view for name, view in views.items() if view}
    return {**container, "code": code.digest if code else None, "transforms": transforms, "shards": shards}


def _shards(step: Step) -> PlannedShards | None:
    asked = step.shards
    return PlannedShards(asked.input, asked.count, asked.parallelism) if asked else None


def _container(
    resolved: Resolved, step: Step, defaults: StepSettings, target: PlannedTarget
) -> dict[str, Any]:
    return {
        "image": step.image or target.image or resolved.installation.step_image,
        "command": list(step.command),
        "args": list(step.args),
        "env": _env(target.env, _documents(defaults.env), _documents(step.env)),
        "envFrom": [source.as_dict() for source in (*defaults.env_from, *step.env_from)],
    }


def _env(*levels: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One name is one variable: the last level that says it wins, and gives it its place."""
    env: dict[str, Mapping[str, Any]] = {}
    for entry in chain(*levels):
        env.pop(entry["name"], None)
        env[entry["name"]] = entry
    return list(env.values())


def _texts(container: dict[str, Any]) -> list[str]:
    values = [variable["value"] for variable in container["env"] if variable.get("value")]
    return [*container["command"], *container["args"], *values]


def _params_used(resolved: Resolved, step: Step, container: dict[str, Any]) -> dict[str, str]:
    texts = _texts(container)
    read = params_read(texts) | resolved.params_read.get(step.name, frozenset())
    used = references.params_in(texts) | {
        name for name in resolved.params if "" in read or name.upper() in read
    }
    return {name: resolved.params[name] for name in sorted(used)}


def _places(step: Step, target: PlannedTarget) -> dict[str, Any]:
    """What else a step sees that is no data of ours: its inputs' own folders, and volumes of its compute target."""
    folders = {given.name: given.mount_path for given in step.inputs if given.mount_path}
    volumes = [dict(one) for one in (*target.volumes, *target.volume_mounts)]
    return {"mountPaths": folders, "volumes": volumes}


def _input(resolved: Resolved, step: Step, given: Input) -> PlannedInput:
    transforms = resolved.views.get((step.name, given.name), ())
    mounting = resolved.mountings.get((step.name, given.name))
    return PlannedInput(
        name=given.name,
        path=checks.input_folder(given),
        source=_source(resolved, step, given),
        note=_note(given, transforms, mounting),
        allow_empty=given.allow_empty,
        transforms=tuple(chain_documents(transforms)),
        counted=resolved.counts.get((step.name, given.name)),
        is_mounted=mounting is not None and mounting.is_mounted,
    )


def _note(given: Input, transforms: Chain, mounting: Mounting | None) -> str | None:
    facts = list(dict.fromkeys(facts_of(given, transforms)))
    if mounting is not None and mounting.note is not None:
        facts.insert(0, mounting.note)
    return f"input {given.name}: {'; '.join(facts)}" if facts else None


def _source(resolved: Resolved, step: Step, given: Input) -> Pinned | StepOutputRef:
    steps = {other.name: other for other in resolved.spec.steps}
    output = checks.source_output(step, given, steps)
    if given.from_ is None or output is None:
        return resolved.pins[step.name, given.name]
    return StepOutputRef(given.from_.step, output, format_document(given.from_.format))


def _output(resolved: Resolved, step: Step, output: Output, mounted: frozenset[StepOutput]) -> PlannedOutput:
    register = _registration(output)
    return PlannedOutput(
        name=output.name,
        path=checks.output_path(output),
        datastore=output.datastore or names.DEFAULT_DATASTORE,
        prefix=_prefix(resolved, step, register),
        optional=output.optional,
        allow_empty=output.allow_empty,
        directory=output.directory,
        make_directory=output.make_directory,
        register=register,
        packed=is_packed(step.name, output, mounted),
        export=resolved.exports.get((step.name, output.name)),
    )


def _hashed_view(given: PlannedInput) -> list[Mapping[str, Any]]:
    """What a view is made of besides its input's digest: of rows their format too, of which none is of files."""
    return [*given.transforms, *([{"format": given.format}] if given.format else [])]


def _registration(output: Output) -> PlannedRegistration | None:
    register = output.register_
    if register is None:
        return None
    return PlannedRegistration(
        dataset=names.object_name(register.name),
        given_name=register.name,
        type=register.type.value,
        description=register.description,
        tags=register.tags,
        format=format_document(register.format),
    )


def _prefix(resolved: Resolved, step: Step, register: PlannedRegistration | None) -> str:
    run = resolved.run
    if register is None:
        return _result_prefix(resolved, step)
    return store_keys.registered_prefix(run.namespace, register.dataset, run.name, run.uid, step.name)


def _result_prefix(resolved: Resolved, step: Step) -> str:
    run = resolved.run
    return store_keys.result_prefix(run.namespace, run.name, run.uid, step.name)


def _code(resolved: Resolved, step: Step) -> PlannedCode | None:
    if step.code is None:
        return None
    config_map = step.code.config_map_ref.name if step.code.config_map_ref else None
    return PlannedCode(resolved.code_digests[step.name], step.code.inline, config_map)


def _pull_secrets(step: Step, defaults: StepSettings, target: PlannedTarget) -> tuple[str, ...]:
    secrets = (secret.name for secret in (*defaults.image_pull_secrets, *step.image_pull_secrets))
    return tuple(dict.fromkeys((*target.image_pull_secrets, *secrets)))


def _documents(models: Iterable[Any]) -> list[dict[str, Any]]:
    return [model.as_dict() for model in models]


def _as_dict(model: Any) -> dict[str, Any]:
    return {} if model is None else dict(model.as_dict())


def _first(own: T | None, default: T | None) -> T | None:
    return default if own is None else own


def _notes(steps: Iterable[PlannedStep]) -> list[str]:
    return [f"step {step.name}, {given.note}" for step in steps for given in step.inputs if given.note]
