"""`$(params.x)` and its kin: read in one pass, replaced once, written so that the kubelet changes nothing.

Three kinds of text are in a template: literal text, references of ours, and `$(NAME)` left to Kubernetes.
The kubelet turns `$$` into `$` and `$(NAME)` into a variable's value; so in a pod every `$` of literal text
and of values is doubled, and only what is left to Kubernetes is not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from towpath.flow.conditions import RunReason
from towpath.flow.contents import Content
from towpath.flow.near_names import near
from towpath.flow.planned import Plan, PlannedInput, PlannedStep
from towpath.flow.stalled import StalledError

_TOKEN = re.compile(
    r"(?P<escaped>\$\$\()"
    r"|\$\((?P<reference>(?:params|inputs|outputs|run|step)\.[^)]*)\)"
    r"|(?P<variable>\$\([-._a-zA-Z][-._a-zA-Z0-9]*\))",
)


class _Kind(Enum):
    LITERAL = "literal"
    REFERENCE = "reference"
    VARIABLE = "variable"


@dataclass(frozen=True)
class _Piece:
    kind: _Kind
    text: str


def references_in(template: str) -> tuple[str, ...]:
    """The references of ours in a template, without `$(` and `)`, in order."""
    return tuple(piece.text for piece in _pieces(template) if piece.kind is _Kind.REFERENCE)


def params_in(templates: Iterable[str]) -> frozenset[str]:
    """The names of the parameters that these templates use."""
    found = (reference for template in templates for reference in references_in(template))
    return frozenset(name.removeprefix("params.") for name in found if name.startswith("params."))


def check(template: str, known: Collection[str], where: str) -> None:
    """Raise StalledError if a reference of ours in the template is not one of `known`."""
    for reference in references_in(template):
        if reference not in known:
            raise StalledError(
                RunReason.INVALID_PIPELINE,
                f"{where}: $({reference}) refers to nothing. {near(reference, known)} "
                f"For the text itself write $$({reference}).",
            )


def substitute(template: str, values: Mapping[str, str]) -> str:
    """The text that is meant: for names and numbers which the operator itself reads."""
    return "".join(
        values[piece.text] if piece.kind is _Kind.REFERENCE else piece.text for piece in _pieces(template)
    )


def for_pod(template: str, values: Mapping[str, str]) -> str:
    """The text to write into a pod's command, args or env, so that the process gets what is meant."""
    return "".join(_for_pod(piece, values) for piece in _pieces(template))


def literal_for_pod(text: str) -> str:
    """A plain text, written so that the process gets it byte by byte."""
    return text.replace("$", "$$")


def values_of(plan: Plan, step: PlannedStep, contents: Mapping[str, Content]) -> dict[str, str]:
    """What each reference of a step stands for; `contents` tell which inputs are single files."""
    values = {f"params.{name}": text for name, text in plan.params.items()}
    values |= {"run.name": plan.run.name, "run.uid": plan.run.uid, "step.name": step.name}
    values |= {f"outputs.{output.name}.path": output.path for output in step.outputs}
    inputs = {given.name: input_path(given, contents.get(given.name)) for given in step.inputs}
    return values | {f"inputs.{name}.path": path for name, path in inputs.items()}


def input_path(given: PlannedInput, content: Content | None) -> str:
    """Where a step finds an input: its folder, or the file in it where the content is one file."""
    if content is None or content.directory or not content.file:
        return given.path
    return f"{given.path}/{content.file}"


def _for_pod(piece: _Piece, values: Mapping[str, str]) -> str:
    if piece.kind is _Kind.VARIABLE:
        return piece.text
    return literal_for_pod(values[piece.text] if piece.kind is _Kind.REFERENCE else piece.text)


def _pieces(template: str) -> Iterator[_Piece]:
    position = 0
    for token in _TOKEN.finditer(template):
        yield _Piece(_Kind.LITERAL, template[position : token.start()])
        yield _piece(token)
        position = token.end()
    yield _Piece(_Kind.LITERAL, template[position:])


def _piece(token: re.Match[str]) -> _Piece:
    if token["escaped"]:
        return _Piece(_Kind.LITERAL, "$(")
    if token["reference"]:
        return _Piece(_Kind.REFERENCE, token["reference"])
    return _Piece(_Kind.VARIABLE, token["variable"])
