"""A run and the objects that it names → facts: versions pinned, references checked; or why not.

Called until it gives Resolved or Refused. What it gives is made into the plan once, and never again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from towpath.api.pipeline import Pipeline, PipelineSpec
from towpath.api.pipelinerun import PipelineRun
from towpath.api.ports import Mode
from towpath.api.step import Step
from towpath.flow import checks, datastores, export_paths, names, support
from towpath.flow.code import code_digest, params_read
from towpath.flow.compute_target import read_target
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Pinned
from towpath.flow.decision import Limits
from towpath.flow.known_inputs import Asked, known_inputs
from towpath.flow.params import param_texts
from towpath.flow.pins import pin, wanted_datasets
from towpath.flow.planned import PlannedTarget, RunIdentity
from towpath.flow.readiness import Patience, WaitingError
from towpath.flow.sources import Needed, Refused, Resolved, Sources, Waiting
from towpath.flow.stalled import StalledError
from towpath.flow.unregistered import datastores_named
from towpath.flow.views import drawn_seed, views_of

Place = tuple[str, str]


def what_is_needed(run: PipelineRun, pipeline: Pipeline | None) -> Needed:
    """The objects that a run names. Versions may lie in further datastores: read them all, or those too."""
    try:
        spec = _spec_of(run, pipeline)
        params = param_texts(spec.params, run.spec.params) if spec else {}
    except StalledError:
        return Needed()
    if spec is None:
        return Needed()
    return Needed(
        datasets=tuple(sorted(_dataset_names(spec, _values(run, params)))),
        datastores=tuple(sorted(datastores.written_by(spec) | datastores_named(spec))),
        config_maps=tuple(sorted(_config_maps(spec).values())),
        pod_templates=tuple(sorted(set(_target_names(spec).values()))),
        mounts=any(given.mode is not Mode.DOWNLOAD for step in spec.steps for given in step.inputs),
    )


def resolve(sources: Sources, now: datetime, limits: Limits) -> Resolved | Waiting | Refused:
    """Turn every reference of a run into a fact, or say why that cannot be done, or not yet."""
    try:
        return _resolved(sources, Patience(sources.first_seen_at, now, limits))
    except WaitingError as error:
        return error.waiting
    except StalledError as error:
        reason = error.reason if isinstance(error.reason, RunReason) else RunReason.INVALID_PIPELINE
        return Refused(reason, error.message)


def _resolved(sources: Sources, patience: Patience) -> Resolved:
    run = sources.run
    spec = _accepted_spec(sources, patience)
    order = checks.check_pipeline(spec)
    params = param_texts(spec.params, run.spec.params)
    _check_registrations(sources, spec)
    values = _values(run, params)
    exports = export_paths.exports_of(spec, _identity(run), values)
    views = views_of(spec, values, drawn_seed(run.metadata.uid or ""))
    versions = _versions(sources, patience, spec, values)
    digests = _code_digests(sources, patience, spec)
    targets = _targets(sources, patience, spec)
    entered, inputs = known_inputs(sources, patience, Asked(spec, values, views, versions, targets))
    return Resolved(
        run=_identity(run),
        pipeline=run.spec.pipeline_ref.name if run.spec.pipeline_ref else "",
        spec=spec,
        params=params,
        pins=inputs.pins,
        code_digests=digests,
        datastores=entered,
        installation=sources.installation,
        order=order,
        views=views,
        counts=inputs.counts,
        targets=targets,
        exports=exports,
        params_read=_params_read(sources, spec),
        mountings=inputs.mountings,
        reuse=run.spec.reuse,
        timeout_seconds=run.spec.timeout_seconds or spec.timeout_seconds,
        continue_on_step_failure=run.spec.continue_on_step_failure,
    )


def _accepted_spec(sources: Sources, patience: Patience) -> PipelineSpec:
    run = sources.run
    if run.spec.cancel:
        raise StalledError(RunReason.CANCELLED, "The run was cancelled before it started.")
    support.refuse(run.spec, "")
    spec = _existing_spec(sources, patience)
    _refuse_late(run, spec, patience)
    return spec


def _spec_of(run: PipelineRun, pipeline: Pipeline | None) -> PipelineSpec | None:
    return run.spec.pipeline_spec or (pipeline.spec if pipeline else None)


def _existing_spec(sources: Sources, patience: Patience) -> PipelineSpec:
    spec = _spec_of(sources.run, sources.pipeline)
    if spec is None:
        reference = sources.run.spec.pipeline_ref
        raise patience.missing("Pipeline", reference.name if reference else "", sources.known.pipelines)
    support.refuse(spec, "Pipeline: ")
    return spec


def _refuse_late(run: PipelineRun, spec: PipelineSpec, patience: Patience) -> None:
    timeout = run.spec.timeout_seconds or spec.timeout_seconds
    if timeout is not None and (patience.now - patience.first_seen_at).total_seconds() >= timeout:
        raise StalledError(RunReason.TIMED_OUT, f"The run did not start within {timeout} s (timeoutSeconds).")


def _identity(run: PipelineRun) -> RunIdentity:
    metadata = run.metadata
    return RunIdentity(metadata.name or "", metadata.uid or "", metadata.namespace or "")


def _values(run: PipelineRun, params: Mapping[str, str]) -> dict[str, str]:
    values = {f"params.{name}": text for name, text in params.items()}
    return values | {"run.name": run.metadata.name or "", "run.uid": run.metadata.uid or ""}


def _dataset_names(spec: PipelineSpec, values: Mapping[str, str]) -> set[str]:
    try:
        wanted = {wanted.name for _, _, wanted in wanted_datasets(spec, values)}
    except (StalledError, KeyError):
        wanted = set()
    return wanted | {names.object_name(name) for name in _registered_names(spec)}


def _registered_names(spec: PipelineSpec) -> Iterator[str]:
    yield from (output.register_.name for step in spec.steps for output in step.outputs if output.register_)


def _config_maps(spec: PipelineSpec) -> dict[str, str]:
    references = {step.name: step.code.config_map_ref for step in spec.steps if step.code}
    return {step: reference.name for step, reference in references.items() if reference}


def _target_names(spec: PipelineSpec) -> dict[str, str]:
    default = spec.step_defaults.compute_target if spec.step_defaults else None
    wanted = {step.name: step.compute_target or default for step in spec.steps}
    return {step: target for step, target in wanted.items() if target}


def _targets(sources: Sources, patience: Patience, spec: PipelineSpec) -> dict[str, PlannedTarget]:
    found = {}
    for step, name in _target_names(spec).items():
        if name not in sources.pod_templates:
            raise patience.missing(
                "PodTemplate", name, sources.pod_templates, f" (computeTarget of step {step})"
            )
        found[step] = read_target(name, sources.pod_templates[name])
    for given in spec.steps:
        if target := found.get(given.name):
            mounted = (mount["mountPath"] for mount in target.volume_mounts)
            checks.check_volumes(given, target.name, mounted)
    return found


def _versions(
    sources: Sources, patience: Patience, spec: PipelineSpec, values: Mapping[str, str]
) -> dict[Place, Pinned]:
    wanted = list(wanted_datasets(spec, values))
    checks.refuse_alike([want.given for _, _, want in wanted] + list(_registered_names(spec)))
    return {(step.name, given.name): pin(sources, patience, want) for step, given, want in wanted}


def _code_digests(sources: Sources, patience: Patience, spec: PipelineSpec) -> dict[str, str]:
    digests = {}
    config_maps = _config_maps(spec)
    for step in spec.steps:
        if step.code and step.code.inline is not None:
            digests[step.name] = code_digest({name: text.encode() for name, text in step.code.inline.items()})
        elif step.name in config_maps:
            digests[step.name] = _config_map_digest(sources, patience, step, config_maps[step.name])
    return digests


def _params_read(sources: Sources, spec: PipelineSpec) -> dict[str, frozenset[str]]:
    inline = {step.name: step.code.inline for step in spec.steps if step.code and step.code.inline}
    written = {name: params_read(files.values()) for name, files in inline.items()}
    referred = _config_maps(spec).items()
    return written | {step: sources.params_read.get(name, frozenset()) for step, name in referred}


def _config_map_digest(sources: Sources, patience: Patience, step: Step, name: str) -> str:
    if name not in sources.config_maps:
        raise patience.missing("ConfigMap", name, sources.config_maps, f" (the code of step {step.name})")
    return sources.config_maps[name]


def _check_registrations(sources: Sources, spec: PipelineSpec) -> None:
    registers = [output.register_ for step in spec.steps for output in step.outputs if output.register_]
    for register in registers:
        name, dataset = register.name, sources.datasets.get(names.object_name(register.name))
        if dataset is None:
            continue
        if dataset.spec.sources:
            raise _invalid(
                f"register: Dataset {dataset.metadata.name} gets its versions from its sources, so no run "
                "may register to it. Register under another name."
            )
        if dataset.spec.type != register.type:
            raise _invalid(
                f"register: Dataset {dataset.metadata.name} is of type {dataset.spec.type}, not {register.type}."
            )
        if dataset.spec.format != register.format:
            raise _invalid(
                f"register: the rows of Dataset {dataset.metadata.name} are written in another format: give "
                "the Dataset's own."
            )
        given = dataset.metadata.annotations.get(names.GIVEN_NAME_ANNOTATION, name)
        checks.refuse_alike([given, name])


def _invalid(message: str) -> StalledError:
    return StalledError(RunReason.INVALID_PIPELINE, message)
