"""Step: a command with its inputs and outputs, as it was defined. `steps.py` has the kinds that users make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from towpath.errors import DefinitionError
from towpath.inputs import InputPort, input_of, is_input
from towpath.output_config import OutputFileDatasetConfig
from towpath.outputs import IsOutput, OutputPort
from towpath.parameter import PipelineParameter
from towpath.port_names import check_step
from towpath.promoted import producer_of
from towpath.view import Fields


@dataclass(eq=False)
class Step:
    """One step. `settings` are the step's other fields, as the API names them."""

    name: str
    inputs: list[InputPort] = field(default_factory=list)
    outputs: list[OutputPort] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    args: list[str] = field(default_factory=list)
    settings: Fields = field(default_factory=dict)
    parameters: list[PipelineParameter] = field(default_factory=list)
    source_directory: str | None = None
    script: str | None = None
    after: list[Step] = field(default_factory=list)

    def run_after(self, step: Step) -> Step:
        """Let it start only when another has succeeded, though it reads nothing of it."""
        if not isinstance(step, Step):
            raise DefinitionError(f"run_after takes a step, not {step!r}.")
        self.after.append(step)
        return step

    def producers(self) -> Iterator[Step]:
        """Yield the steps whose outputs it reads, and those that it runs after."""
        for given in self.inputs:
            port = producer_of(given)
            if port is not None and port.producer is not None:
                yield port.producer
        yield from self.after

    def __repr__(self) -> str:
        """Show the name."""
        return f"{type(self).__name__}({self.name!r})"


def literal(text: str) -> str:
    """Return text that reaches the program as it is: nothing in it is taken for a reference."""
    return text.replace("$(", "$$(")


def connect(
    step: Step, inputs: Sequence[object] | None, outputs: Sequence[object] | None, words: Sequence[object]
) -> list[str]:
    """Give a step its inputs and outputs, and return the words of its command or arguments with references."""
    check_step(step.name)
    for output in _list("outputs", outputs):
        _add_output(step, output)
    for given in _list("inputs", inputs):
        _add_input(step, given)
    templates = [_word(step, word) for word in words]
    _refuse_both(step)
    return templates


def use_parameters(step: Step, values: Iterable[object]) -> None:
    """Remember the parameters among values, which the pipeline declares."""
    for value in values:
        if isinstance(value, PipelineParameter) and value not in step.parameters:
            step.parameters.append(value)


def _list(what: str, given: Sequence[object] | None) -> Sequence[object]:
    if given is None:
        return []
    if isinstance(given, (list, tuple)):
        return given
    raise DefinitionError(f"{what} is a list, not {given!r}.")


def _add_output(step: Step, output: object) -> OutputPort:
    if not isinstance(output, IsOutput):
        raise DefinitionError(
            f"Step {step.name}: {output!r} is no output: give a PipelineData or an OutputFileDatasetConfig."
        )
    port = output.port
    port.claim(step)
    if port in step.outputs:
        return port
    if port.name is None:
        port.name = _free_name({other.name for other in step.outputs})
    if any(other.name == port.name for other in step.outputs):
        raise DefinitionError(f"Step {step.name} has two outputs named {port.name}: rename one.")
    step.outputs.append(port)
    return port


def _free_name(taken: set[str | None]) -> str:
    number = 1
    while (name := "output" if number == 1 else f"output_{number}") in taken:
        number += 1
    return name


def _add_input(step: Step, given: object) -> InputPort:
    port = input_of(given)
    for other in step.inputs:
        if other == port:
            return other
        if other.name == port.name:
            raise DefinitionError(
                f"Step {step.name} has two inputs named {port.name}: name one otherwise, as_named_input('…')."
            )
    step.inputs.append(port)
    if port.parameter:
        use_parameters(step, [port.parameter])
    return port


def _word(step: Step, word: object) -> str:
    if isinstance(word, PipelineParameter):
        return _parameter_word(step, word)
    if isinstance(word, IsOutput):
        return _output_word(step, word)
    if is_input(word):
        return f"$(inputs.{_add_input(step, word).name}.path)"
    return literal(str(word))


def _parameter_word(step: Step, parameter: PipelineParameter) -> str:
    for given in step.inputs:
        if given.parameter is parameter:
            return f"$(inputs.{given.name}.path)"
    use_parameters(step, [parameter])
    return parameter.reference


def _output_word(step: Step, output: IsOutput) -> str:
    if output.port in step.outputs:
        return f"$(outputs.{output.port.given_name}.path)"
    if given := _read_as(step, output):
        return f"$(inputs.{given.name}.path)"
    if isinstance(output, OutputFileDatasetConfig):
        return f"$(outputs.{_add_output(step, output).given_name}.path)"
    raise DefinitionError(
        f"Step {step.name}: {output!r} stands in the arguments, and neither in inputs nor in outputs. Put it into "
        "`outputs` of the step that writes it and into `inputs` of those that read it."
    )


def _read_as(step: Step, output: IsOutput) -> InputPort | None:
    """The input that an output in the arguments stands for: that part of it, if it is one."""
    own = output.input_port()
    read = [given for given in step.inputs if producer_of(given) is output.port]
    alike = [given for given in read if given.transforms == own.transforms]
    exact = [given for given in alike if given == own]
    return next(iter(exact or alike or (read if not own.transforms else [])), None)


def _refuse_both(step: Step) -> None:
    for given in step.inputs:
        port = producer_of(given)
        if port is not None and port in step.outputs:
            raise DefinitionError(
                f"Step {step.name} would read its own output {port.given_name}: take it out of inputs or outputs."
            )


def param_variables(params: dict[str, Any] | None) -> dict[str, Any]:
    """Return a step's `params` as environment variables, under the names that Azure ML gave them."""
    return {_variable(name): value for name, value in (params or {}).items()}


def _variable(name: str) -> str:
    return "AML_PARAMETER_" + "".join(
        letter if letter.isascii() and letter.isalnum() else "_" for letter in name
    )
