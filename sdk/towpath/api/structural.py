"""pydantic's JSON schema → the structural schema of Kubernetes: no references, no null, a type everywhere.

What cannot be said in a structural schema is refused here, when the CRDs are generated, not by a user's API
server.
"""

from typing import Any

from pydantic import BaseModel

Node = dict[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
INT32_MAX = 2**31 - 1
UNKNOWN_TO_KUBERNETES = {"title", "discriminator", "examples", "deprecated", "readOnly", "writeOnly"}
REFUSED = {"oneOf", "allOf", "anyOf", "prefixItems", "patternProperties", "uniqueItems", "$ref", "const"}


class NotStructuralError(Exception):
    """A model says something that a structural schema cannot: the message names the place."""


def structural_schema(model: type[BaseModel]) -> Node:
    """Give the structural schema of a model, with everything inlined."""
    schema = model.model_json_schema(by_alias=True, mode="validation")
    definitions = schema.pop("$defs", {})
    return _converted(schema, definitions, model.__name__, ())


def _converted(node: Node, definitions: dict[str, Node], path: str, inside: tuple[str, ...]) -> Node:
    node, inside = _inlined(node, definitions, path, inside)
    node = _without_null(node, path)
    if "$ref" in node or "anyOf" in node:
        return _converted(node, definitions, path, inside)
    node = {key: value for key, value in node.items() if key not in UNKNOWN_TO_KUBERNETES}
    node = _with_children(_in_kubernetes_words(node), definitions, path, inside)
    _refuse_unstructural(node, path)
    return node


def _inlined(
    node: Node, definitions: dict[str, Node], path: str, inside: tuple[str, ...]
) -> tuple[Node, tuple[str, ...]]:
    """What stands beside a reference (description, default, markers) wins over what it refers to."""
    while "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        if name in inside:
            raise NotStructuralError(f"{path}: {name} contains itself, which a structural schema cannot say")
        inside = (*inside, name)
        node = definitions[name] | {key: value for key, value in node.items() if key != "$ref"}
    return node, inside


def _without_null(node: Node, path: str) -> Node:
    """An optional field, list or map may be absent; it is never null, and nothing is put in its place."""
    if node.get("default") in (None, [], {}):
        node = {key: value for key, value in node.items() if key != "default"}
    if "anyOf" not in node:
        return node
    members = [member for member in node["anyOf"] if member != {"type": "null"}]
    if len(members) != 1:
        raise NotStructuralError(
            f"{path}: a choice between {len(members)} types; use IntOrString or optional members"
        )
    member: Node = members[0]
    return member | {key: value for key, value in node.items() if key != "anyOf"}


def _in_kubernetes_words(node: Node) -> Node:
    node = dict(node)
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if "description" in node:
        node["description"] = " ".join(node["description"].split())
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in node:
            node[bound] = node[exclusive]
            node[exclusive] = True
    if node.get("type") == "integer":
        is_small = "maximum" in node and node["maximum"] <= INT32_MAX
        node["format"] = "int32" if is_small else "int64"
    if node.get("type") == "number":
        node["format"] = "double"
    return node


def _with_children(node: Node, definitions: dict[str, Node], path: str, inside: tuple[str, ...]) -> Node:
    if "properties" in node:
        node.pop("additionalProperties", None)
        node["properties"] = {
            name: _converted(child, definitions, f"{path}.{name}", inside)
            for name, child in node["properties"].items()
        }
    if node.get("additionalProperties") is True:
        del node["additionalProperties"]
        node[PRESERVE] = True
    for key, mark in (("additionalProperties", "{}"), ("items", "[]")):
        if isinstance(node.get(key), dict):
            node[key] = _converted(node[key], definitions, path + mark, inside)
    return node


def _refuse_unstructural(node: Node, path: str) -> None:
    if found := REFUSED & node.keys():
        raise NotStructuralError(f"{path}: {', '.join(sorted(found))} cannot stand in a structural schema")
    if "type" not in node and not node.get(PRESERVE) and not node.get(INT_OR_STRING):
        raise NotStructuralError(f"{path}: no type")
