"""PythonScriptStep, CommandStep and StepSequence: the steps that users make."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from towpath.errors import DefinitionError
from towpath.notices import warn
from towpath.parameter import PipelineParameter
from towpath.port_names import step_name
from towpath.run_configuration import RunConfiguration, target_name
from towpath.spelling import checks_keywords
from towpath.step import Step, connect, literal, param_variables, use_parameters
from towpath.view import Fields


class PythonScriptStep(Step):
    """Runs a Python script of a folder, which travels with the pipeline.

    `source_directory` is that folder (the pipeline's default one, else the current directory). An input named in
    `arguments` need not stand in `inputs`. Every image will do that has `python`; without one (`image`, or the
    runconfig's) it is the installation's. Towpath's own: `image`, `resources`, `retries`, `timeout_seconds`, `shards`
    ({"input": name, "count": n}).
    """

    @checks_keywords
    def __init__(  # noqa: PLR0913, PLR0917 - Azure ML's keywords, and ours
        self,
        script_name: str,
        name: str | None = None,
        arguments: list[Any] | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | None = None,
        runconfig_pipeline_params: None = None,
        inputs: list[Any] | None = None,
        outputs: list[Any] | None = None,
        params: dict[str, Any] | None = None,
        source_directory: str | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
        hash_paths: Any = None,
        *,
        image: str | None = None,
        resources: Fields | None = None,
        retries: int | None = None,
        timeout_seconds: int | None = None,
        shards: Fields | None = None,
    ) -> None:
        """Define the step."""
        if not script_name or script_name.startswith("/"):
            raise DefinitionError(
                f"script_name is a file below source_directory, such as train.py: not {script_name!r}."
            )
        super().__init__(name or step_name(PurePosixPath(script_name).stem))
        self.source_directory, self.script = source_directory, str(PurePosixPath(script_name))
        self.command = ["python", literal(self.script)]
        self.args = connect(self, inputs, outputs, arguments or [])
        _refuse_pipeline_params(runconfig_pipeline_params)
        if hash_paths is not None:
            warn("hash_paths changes nothing.", "no hash_paths: all files that are not ignored count")
        own = {"image": image, "resources": resources, "retries": retries, "timeoutSeconds": timeout_seconds}
        configure(self, runconfig, compute_target, {**own, "shards": shards})
        set_environment(self, runconfig, params, version, allow_reuse)


class CommandStep(Step):
    """Runs a command: a list is the program and its arguments as they stand; a string is run by the image's `sh`.

    Unlike a PythonScriptStep it takes code along only if it, or the pipeline, names a source directory.
    """

    @checks_keywords
    def __init__(  # noqa: PLR0913, PLR0917 - Azure ML's keywords, and ours
        self,
        command: str | list[Any] | None = None,
        name: str | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | None = None,
        runconfig_pipeline_params: None = None,
        inputs: list[Any] | None = None,
        outputs: list[Any] | None = None,
        params: dict[str, Any] | None = None,
        source_directory: str | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
        *,
        image: str | None = None,
        resources: Fields | None = None,
        retries: int | None = None,
        timeout_seconds: int | None = None,
        shards: Fields | None = None,
    ) -> None:
        """Define the step."""
        if not command:
            raise DefinitionError(
                "CommandStep needs a command, such as ['sort', '-u', dataset.as_named_input('raw')]."
            )
        words = ["sh", "-c", command] if isinstance(command, str) else command
        first = command.split()[0] if isinstance(command, str) else str(command[0])
        super().__init__(name or step_name(PurePosixPath(first).stem))
        self.source_directory = source_directory
        self.command = connect(self, inputs, outputs, words)
        _refuse_pipeline_params(runconfig_pipeline_params)
        own = {"image": image, "resources": resources, "retries": retries, "timeoutSeconds": timeout_seconds}
        configure(self, runconfig, compute_target, {**own, "shards": shards})
        set_environment(self, runconfig, params, version, allow_reuse)


class StepSequence:
    """Steps one after another; an inner list is a group whose steps may run side by side."""

    @checks_keywords
    def __init__(self, steps: list[Any] | None = None) -> None:
        """Put the steps into their order."""
        self.steps = list(steps or [])


def configure(step: Step, runconfig: RunConfiguration | None, compute_target: Any, own: Fields) -> None:
    """Set what a step has of its own, else of its runconfig."""
    found = (runconfig.check() if runconfig else None) or RunConfiguration()
    target = compute_target if compute_target is not None else found.target
    defaults = {"image": found.image, "computeTarget": target_name(target)}
    step.settings |= {key: value for key, value in {**defaults, **_given(own)}.items() if value is not None}


def set_environment(
    step: Step,
    runconfig: RunConfiguration | None,
    params: dict[str, Any] | None,
    version: str | None,
    allow_reuse: bool,
) -> None:
    """Set a step's variables, and whether equal earlier work may be taken; `version` is one of them."""
    use_parameters(step, (params or {}).values())
    variables: dict[str, Any] = {**(runconfig.variables() if runconfig else {}), **param_variables(params)}
    if version is not None:
        variables["STEP_VERSION"] = version
    if variables:
        step.settings["env"] = [{"name": key, "value": _value(value)} for key, value in variables.items()]
    if not allow_reuse:
        step.settings["reuse"] = "Never"


def _value(value: object) -> str:
    return value.reference if isinstance(value, PipelineParameter) else literal(str(value))


def _given(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if value is not None}


def _refuse_pipeline_params(given: object) -> None:
    if given:
        raise DefinitionError(
            "runconfig_pipeline_params is not offered: a step is one pod. `shards` runs it many times."
        )
