"""Whether a pipeline fits together by itself: ports, references, paths, names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from towpath.api.pipeline import PipelineSpec
from towpath.api.ports import Input, Output
from towpath.api.step import Step
from towpath.flow import export_paths, graph, names, references, shared, unregistered, views
from towpath.flow.conditions import RunReason
from towpath.flow.near_names import near
from towpath.flow.stalled import StalledError

_RUN_REFERENCES = ("run.name", "run.uid", "step.name")
# Mounting over these breaks the container, or shows what must not be shown.
_RESERVED = ("/towpath", "/proc", "/sys", "/dev", "/etc", "/run/secrets", "/var/run/secrets")
# No folder for outputs may take the place of these, or of what is in them.
_PROGRAMS = ("/bin", "/lib", "/lib64", "/sbin", "/usr")
_SYSTEM = ("/bin", "/boot", "/lib", "/lib64", "/run", "/sbin", "/usr", "/var", "/var/run")


def check_pipeline(spec: PipelineSpec) -> tuple[str, ...]:
    """The steps' order, if everything fits together; else StalledError says what does not."""
    _check_dataset_names(spec)
    steps = {step.name: step for step in spec.steps}
    for step in spec.steps:
        _check_command(step, spec)
        _check_references(step, spec)
        _check_paths(step)
        _check_shards(step, spec)
    shared.check_shards_of_run(spec)
    order = graph.order(spec)
    for step in spec.steps:
        for given in step.inputs:
            source_output(step, given, steps)
    return order


def source_output(step: Step, given: Input, steps: dict[str, Step]) -> str | None:
    """The name of the output that an input takes, where it takes one; StalledError if there is none such."""
    if given.from_ is None:
        return None
    source = steps[given.from_.step]
    outputs = [output.name for output in source.outputs]
    where = f"Step {step.name}, input {given.name}"
    if given.from_.output is None and len(outputs) == 1:
        return outputs[0]
    if given.from_.output is None:
        raise _invalid(
            f"{where}: step {source.name} has {len(outputs)} outputs: say `output`. {near('', outputs)}"
        )
    if given.from_.output not in outputs:
        wanted = given.from_.output
        raise _invalid(f"{where}: step {source.name} has no output {wanted}. {near(wanted, outputs)}")
    return given.from_.output


def dataset_reference(given: Input) -> str:
    """What an input says of its dataset: the name as written, or the input's own name."""
    return given.dataset.name if given.dataset else given.name


def takes_dataset(given: Input) -> bool:
    """Whether an input is a registered dataset (also by its own name, if it says nothing)."""
    return given.from_ is None and given.source is None


def templates_of(step: Step) -> Iterator[str]:
    """Every text of a step in which its references may stand, but those of its inputs."""
    yield from step.command
    yield from step.args
    yield from (variable.value for variable in step.env if variable.value)


def input_folder(given: Input) -> str:
    """Where an input appears in the step's container."""
    return given.mount_path or f"{names.CONTAINER_INPUTS}/{given.name}"


def output_path(output: Output) -> str:
    """Where a step writes an output."""
    return output.mount_path or f"{names.CONTAINER_OUTPUTS}/{output.name}"


def check_volumes(step: Step, target: str, mounted: Iterable[str]) -> None:
    """Raise StalledError where a volume of the step's compute target is mounted in a port, or a port lies in one."""
    for path in (one.rstrip("/") for one in mounted):
        for port, other in _ports(step):
            if _is_in(path, other) or _is_in(other, path):
                raise _invalid(
                    f"Step {step.name}: its computeTarget {target} mounts a volume at {path}, and the {port} lies at "
                    f"{other}. Change one of the two mountPaths."
                )


def refuse_alike(given: Iterable[str]) -> None:
    """Refuse two given names that map to one object, unless one of them is the object's own name."""
    seen: dict[str, str] = {}
    for name in sorted(set(given)):
        object_name = names.object_name(name)
        if name == object_name:
            continue
        other = seen.setdefault(object_name, name)
        if other != name:
            raise _invalid(
                f"The names {other} and {name} both mean the Dataset {object_name}. Use one of them."
            )


def _check_dataset_names(spec: PipelineSpec) -> None:
    registered = [output.register_.name for step in spec.steps for output in step.outputs if output.register_]
    taken = [dataset_reference(given) for step in spec.steps for given in step.inputs if takes_dataset(given)]
    refuse_alike(registered + [name.partition("@")[0] for name in taken if "$(" not in name])
    for name in registered:
        if not names.is_object_name(names.object_name(name)):
            raise _invalid(f"register: {name} cannot be an object's name. Use letters, digits, - and _.")


def _check_command(step: Step, spec: PipelineSpec) -> None:
    timeout = step.timeout_seconds or (spec.step_defaults and spec.step_defaults.timeout_seconds)
    if not step.command and (step.inputs or step.outputs or step.code or timeout):
        raise _invalid(
            f"Step {step.name} has inputs, outputs, code or timeoutSeconds, and no command. The ENTRYPOINT "
            'of an image cannot be known here: write it out, such as command: ["python", "train.py"].'
        )


def _check_references(step: Step, spec: PipelineSpec) -> None:
    shared = {*_RUN_REFERENCES, *(f"params.{param.name}" for param in spec.params)}
    ports = {f"inputs.{given.name}.path" for given in step.inputs}
    ports |= {f"outputs.{output.name}.path" for output in step.outputs}
    defaults = spec.step_defaults.env if spec.step_defaults else ()
    inherited = (variable.value for variable in defaults if variable.value)
    for template in (*templates_of(step), *inherited):
        references.check(template, shared | ports, f"Step {step.name}")
    for given in step.inputs:
        if given.dataset:
            version = str(given.dataset.version or "")
            references.check(given.dataset.name + version, shared, f"Step {step.name}, input {given.name}")
    export_paths.check_exports(step, shared)
    unregistered.check_sources(step, shared)
    views.check_views(step, shared)


def _check_shards(step: Step, spec: PipelineSpec) -> None:
    defaults = spec.step_defaults.env if spec.step_defaults else ()
    inherited = (variable.value for variable in defaults if variable.value)
    shared.check_shards(step, (*templates_of(step), *inherited))


def _check_paths(step: Step) -> None:
    paths: dict[str, str] = {}
    for port, path in _ports(step):
        for other, name in paths.items():
            if _is_in(path, other) or _is_in(other, path):
                raise _invalid(
                    f"Step {step.name}: of the {name} ({other}) and the {port} ({path}) one lies in the other. "
                    "Change a mountPath."
                )
        paths[path] = port
    for given in step.inputs:
        if given.mount_path:
            _refuse_reserved(f"Step {step.name}, input {given.name}", given.mount_path)
    for output in step.outputs:
        if output.mount_path:
            _check_output_path(f"Step {step.name}, output {output.name}", output)


def _ports(step: Step) -> Iterator[tuple[str, str]]:
    yield from ((f"input {given.name}", input_folder(given)) for given in step.inputs)
    yield from ((f"output {output.name}", output_path(output)) for output in step.outputs)


def _is_in(path: str, other: str) -> bool:
    return f"{path}/".startswith(f"{other}/")


def _check_output_path(where: str, output: Output) -> None:
    path = output.mount_path or ""
    _refuse_reserved(where, path)
    folder = path.rpartition("/")[0]
    if folder == names.CONTAINER_WORK and not output.make_directory:
        raise _invalid(
            f"{where}: mountPath {path} would hide the working directory. Say makeDirectory: true, or take a path in a "
            f"folder below it, such as {folder}/out/{path.rpartition('/')[2]}."
        )
    if not output.make_directory and (
        folder in ("", *_SYSTEM) or any(_is_in(folder, one) for one in _PROGRAMS)
    ):
        raise _invalid(
            f"{where}: mountPath {path} would hide what the image has in {folder or '/'}, which becomes an empty "
            "folder. Take a path in a folder of your own, such as /data/out/model, or say makeDirectory: true."
        )


def _refuse_reserved(where: str, path: str) -> None:
    inside = path.removeprefix(f"{names.CONTAINER_WORK}/")
    if inside != path and not inside.startswith("."):
        # Below the working directory, where a relative path of the user's lies; what begins with a dot is ours.
        return
    if path in _SYSTEM or any(_is_in(path, reserved) for reserved in _RESERVED):
        raise _invalid(
            f"{where}: mountPath {path} belongs to the system. Take a folder of your own, such as /data."
        )


def _invalid(message: str) -> StalledError:
    return StalledError(RunReason.INVALID_PIPELINE, message)
