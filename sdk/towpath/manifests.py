"""A file of YAML → the manifests in it, all mistakes named at once.

Stricter than YAML where readers differ: kubectl and Python must see the same object, or a pipeline would be
another one locally than on the cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from towpath.api.crds import object_schema
from towpath.api.kinds import KINDS
from towpath.api.meta import API_VERSION, GROUP
from towpath.backend import Manifest
from towpath.errors import InvalidObjectError, NotFoundError
from towpath.flow.near_names import near

LIMIT_BYTES = 16 << 20
MOST_MISTAKES = 20
# Booleans to some readers and texts to others; numbers without a point, numbers to the base of 60, and of 8.
_UNCERTAIN = re.compile(
    r"[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"
    r"|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|[-+]?[0-9][0-9_]*\.?[0-9_]*[eE][0-9]+"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[-+]?0o?[0-9][0-9_]*|[-+]?[0-9]+_[0-9_]*|[-+]?0b[01_]+"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_MODELS = {model.info.kind: model for model in KINDS}
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """PyYAML's own, but that a date stays the text that it is to Kubernetes."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_manifests(path: Path) -> list[Manifest]:
    """The manifests of a file; NotFoundError if there is none, InvalidObjectError names each mistake and its place."""
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {path}.") from None
    except OSError as error:
        raise InvalidObjectError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > LIMIT_BYTES:
        raise InvalidObjectError(f"{path} has more than {LIMIT_BYTES} bytes: no manifest is that large.")
    try:
        return parse_manifests(data.decode(), str(path))
    except UnicodeDecodeError as error:
        raise InvalidObjectError(f"{path} is not UTF-8 (byte {error.start}): save it as UTF-8.") from error


def parse_manifests(text: str, where: str) -> list[Manifest]:
    """The manifests in a text; `where` is what to call it."""
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=_Loader) if node is not None]
        mistakes = [mistake for node in nodes for mistake in _uncertain(node)]
        if mistakes:
            raise _invalid(where, mistakes)
        documents = list(_constructed(text))
    except yaml.YAMLError as error:
        raise InvalidObjectError(f"{where} is no YAML: {_problem(error)}.") from error
    except RecursionError as error:
        raise InvalidObjectError(f"{where} is nested too deep.") from error
    if not documents:
        raise InvalidObjectError(f"{where} holds no manifest: write apiVersion, kind, metadata and spec.")
    mistakes = [
        mistake
        for number, document in enumerate(documents, start=1)
        for mistake in _named(check(document), number, len(documents))
    ]
    if mistakes:
        raise _invalid(where, mistakes)
    return documents


def check(document: object) -> list[str]:
    """What is wrong with one manifest: kind, fields that do not exist, values that cannot be."""
    if not isinstance(document, dict):
        return ["it is no object: write apiVersion, kind, metadata and spec"]
    kind, version = document.get("kind"), str(document.get("apiVersion"))
    if version.partition("/")[0] != GROUP:
        return [] if kind and document.get("apiVersion") else ["apiVersion and kind must say what it is"]
    if version != API_VERSION:
        return [f"apiVersion {version} is not known to this release: it knows {API_VERSION}"]
    model = _MODELS.get(kind) if isinstance(kind, str) else None
    if model is None:
        return [f"kind {kind!r} is none of Towpath's. {near(str(kind), _MODELS)}"]
    unknown = list(_unknown_fields(document, object_schema(model), ""))
    try:
        model.model_validate(document)
    except ValidationError as error:
        return unknown + list(_shown(error.errors(include_url=False), document))
    return unknown


def _constructed(text: str) -> Iterator[Any]:
    yield from (document for document in yaml.load_all(text, Loader=_Loader) if document is not None)


def _uncertain(node: Node, seen: frozenset[int] = frozenset()) -> Iterator[str]:
    if id(node) in seen:
        yield f"{_line(node)}: an alias inside what it stands for"
    elif isinstance(node, ScalarNode):
        if node.style is None and _UNCERTAIN.fullmatch(node.value):
            yield (
                f'{_line(node)}: {node.value} is read in different ways; write "{node.value}" for the text, or '
                f"{_plainly(node.value)}"
            )
    elif isinstance(node, SequenceNode):
        for child in node.value:
            yield from _uncertain(child, seen | {id(node)})
    elif isinstance(node, MappingNode):
        yield from _repeated(node)
        for key, child in node.value:
            yield from _uncertain(key, seen | {id(node)})
            yield from _uncertain(child, seen | {id(node)})


def _repeated(node: MappingNode) -> Iterator[str]:
    known: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, ScalarNode):
            if key.value in known:
                yield f"{_line(key)}: {key.value} stands twice in one object: remove one"
            known.add(key.value)


def _plainly(value: str) -> str:
    if value[0] in "yYnNoO":
        return "true or false"
    return "the number in plain digits"


def _line(node: Node) -> str:
    return f"line {node.start_mark.line + 1}"


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    words = getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {words}" if mark else words


def _unknown_fields(value: object, schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Fields that the API server would drop without a word."""
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        for place, item in enumerate(value):
            yield from _unknown_fields(item, schema["items"], f"{path}[{_name_of(item, place)}]")
    known = schema.get("properties")
    if not isinstance(value, dict):
        return
    below = f"{path}." if path else ""
    for name, child in value.items():
        if known is None:
            inner = schema.get("additionalProperties")
            if isinstance(inner, dict):
                yield from _unknown_fields(child, inner, f"{below}{name}")
        elif name not in known:
            yield f"{below}{name}: there is no such field. {near(str(name), known)}"
        elif name not in ("metadata", "status"):
            yield from _unknown_fields(child, known[name], f"{below}{name}")


def _name_of(item: object, place: int) -> str:
    return str(item["name"]) if isinstance(item, dict) and "name" in item else str(place)


def _shown(errors: Sequence[Any], document: object) -> Iterator[str]:
    places = [tuple(error["loc"]) for error in errors]
    for error, place in zip(errors, places, strict=True):
        # What is refused inside a list makes the list too short: that is no mistake of its own.
        if error["type"] == "too_short" and any(other[: len(place)] == place != other for other in places):
            continue
        given = error.get("input")
        shown = (
            f" ({given!r})" if isinstance(given, str | int | float | bool) and len(str(given)) <= 60 else ""
        )
        words = str(error["msg"]).removeprefix("Value error, ")
        yield f"{_place(place, document)}: {words}{shown}"


def _place(parts: tuple[int | str, ...], document: object) -> str:
    """Such as spec.steps[prep].retries: who wrote a list knows its items by their names."""
    path, here = "", document
    for part in parts:
        if isinstance(part, int):
            here = here[part] if isinstance(here, list) and part < len(here) else None
            path += f"[{_name_of(here, part)}]"
        else:
            here = here.get(part) if isinstance(here, dict) else None
            path += f".{part}" if path else part
    return path or "it"


def _named(mistakes: list[str], number: int, count: int) -> list[str]:
    return [f"document {number}: {mistake}" for mistake in mistakes] if count > 1 else mistakes


def _invalid(where: str, mistakes: list[str]) -> InvalidObjectError:
    shown = [f"  {mistake}" for mistake in mistakes[:MOST_MISTAKES]]
    more = [f"  and {len(mistakes) - MOST_MISTAKES} more"] if len(mistakes) > MOST_MISTAKES else []
    head = f"{where} has {len(mistakes)} mistake{'' if len(mistakes) == 1 else 's'}:"
    return InvalidObjectError("\n".join([head, *shown, *more]))
