"""A pipeline as it was defined → the spec of a Pipeline, and the code that travels with it.

Everything is checked here by the same models and rules that the operator uses; what it cannot take is a
DefinitionError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from towpath.api.pipeline import PipelineSpec
from towpath.code_folder import CodeFiles, code_files
from towpath.code_snapshots import CodeSnapshot, snapshot_of
from towpath.errors import DefinitionError
from towpath.flow import checks, support
from towpath.flow.stalled import StalledError
from towpath.parameter import PipelineParameter
from towpath.step import Step
from towpath.step_order import StepOrder
from towpath.view import Fields


@dataclass(frozen=True)
class Surroundings:
    """What a pipeline gives to steps that do not say otherwise."""

    default_datastore: str | None = None
    default_source_directory: str | None = None


@dataclass(frozen=True)
class Emitted:
    """The spec of a Pipeline, and each code snapshot that it refers to."""

    spec: Fields
    code: tuple[CodeSnapshot, ...]


def emit(order: StepOrder, description: str | None, around: Surroundings) -> Emitted:
    """Return the spec of these steps; DefinitionError says what cannot be."""
    snapshots: dict[str, CodeSnapshot] = {}
    folders: dict[str, CodeFiles] = {}
    spec: Fields = {} if description is None else {"description": description}
    params = _params(order)
    if params:
        spec["params"] = params
    spec["steps"] = [_step(step, order, around, folders, snapshots) for step in order.steps]
    check_spec(spec)
    return Emitted(spec, tuple(snapshots.values()))


def check_spec(spec: Mapping[str, Any]) -> None:
    """Raise DefinitionError for what the operator would not take."""
    try:
        parsed = PipelineSpec.model_validate(spec)
        support.refuse(parsed, "")
        checks.check_pipeline(parsed)
    except ValidationError as error:
        raise DefinitionError(_sentence(error, spec)) from error
    except StalledError as error:
        raise DefinitionError(error.message) from error


def _params(order: StepOrder) -> list[Fields]:
    found: dict[str, PipelineParameter] = {}
    for parameter in (parameter for step in order.steps for parameter in step.parameters):
        other = found.setdefault(parameter.name, parameter)
        if other.as_field() != parameter.as_field():
            raise DefinitionError(
                f"The parameter {parameter.name} is defined twice, with the defaults {other.default_value!r} and "
                f"{parameter.default_value!r}: use one object, or two names."
            )
    return [parameter.as_field() for parameter in found.values()]


def _step(
    step: Step,
    order: StepOrder,
    around: Surroundings,
    folders: dict[str, CodeFiles],
    snapshots: dict[str, CodeSnapshot],
) -> Fields:
    code = _code(step, around, folders)
    fields: Fields = {
        "name": step.name,
        "image": step.settings.get("image"),
        "code": _reference(code, snapshots) if code else None,
        "command": step.command,
        "args": step.args,
        "inputs": [given.as_field() for given in step.inputs],
        "outputs": [output.as_field(around.default_datastore) for output in step.outputs],
        "dependsOn": order.dependencies(step),
        **step.settings,
    }
    return {name: value for name, value in fields.items() if value not in (None, [], {})}


def _code(step: Step, around: Surroundings, folders: dict[str, CodeFiles]) -> CodeFiles | None:
    folder = step.source_directory or around.default_source_directory or ("." if step.script else None)
    if folder is None:
        return None
    # Each folder is read once: two steps of it must not get two states.
    code = folders[folder] if folder in folders else folders.setdefault(folder, code_files(folder))
    if step.script:
        code.check_script(step.script, step.name)
    return code


def _reference(code: CodeFiles, snapshots: dict[str, CodeSnapshot]) -> Fields:
    if code.digest not in snapshots:
        snapshots[code.digest] = snapshot_of(code)
    return snapshots[code.digest].reference()


def _sentence(error: ValidationError, spec: Mapping[str, Any]) -> str:
    first = error.errors()[0]
    place = first["loc"]
    names = [str(part) for part in place]
    if len(place) > 1 and place[0] == "steps" and isinstance(place[1], int):
        names = [f"step {spec['steps'][place[1]]['name']}", *names[2:]]
    return f"{', '.join(names)}: {first['msg']} (it is {str(first['input'])[:80]!r})."
