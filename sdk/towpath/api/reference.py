"""A kind → its reference page: every object with its fields in one order, bounds, defaults and rules."""

from typing import Any

from towpath.api.crds import CATEGORY, object_schema
from towpath.api.meta import API_VERSION, GROUP, Resource

Node = dict[str, Any]

# The same object stands in two kinds; it is described once.
SHOWN_ELSEWHERE = {"spec.pipelineSpec": "See [the spec of Pipeline](pipeline.md#spec)."}
BOUNDS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
    "maxProperties": "at most {} entries",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "pattern": "pattern `{}`",
}


def make_page(kind: type[Resource]) -> str:
    """Give the reference page of one kind as Markdown."""
    schema = object_schema(kind)
    lines = [
        "<!-- Generated from sdk/towpath/api by `make generate`: change the models, not this file. -->",
        f"# {kind.info.kind}",
        "",
        schema["description"],
        "",
        *_at_a_glance(kind),
        *_rules(schema),
    ]
    for name in ("spec", "status"):
        lines += _object(name, schema["properties"][name])
    return "\n".join(lines).rstrip() + "\n"


def _at_a_glance(kind: type[Resource]) -> list[str]:
    info = kind.info
    columns = ", ".join(column.name + (" (wide)" if column.priority else "") for column in info.columns)
    lines = [
        f"- `apiVersion: {API_VERSION}`, `kind: {info.kind}`, namespaced",
        f"- On the command line: `{info.plural}.{GROUP}` or `{info.short_name}`; category `{CATEGORY}`",
        f"- Columns: {columns}",
    ]
    if info.selectable:
        lines.append(f"- Field selectors: {', '.join(f'`{path[1:]}`' for path in info.selectable)}")
    return [*lines, ""]


def _object(path: str, node: Node) -> list[str]:
    """A section with the object's fields, then one for each object among them."""
    fields = node.get("properties", {})
    lines = [f"## {path}", "", node["description"], "", *_rules(node), *_table(path, node)]
    for name, field in fields.items():
        below, child = _object_in(f"{path}.{name}", field)
        if child and below not in SHOWN_ELSEWHERE:
            lines += _object(below, child)
    return lines


def _table(path: str, node: Node) -> list[str]:
    fields = node.get("properties")
    if not fields:
        return ["It has no fields.", ""]
    required = node.get("required", [])
    rows = [
        f"| `{name}` | {_type(field)} | {_text(field, name in required)}{_link(f'{path}.{name}')} |"
        for name, field in fields.items()
    ]
    return ["| field | type | what it says |", "|---|---|---|", *rows, ""]


def _link(path: str) -> str:
    return f" {SHOWN_ELSEWHERE[path]}" if path in SHOWN_ELSEWHERE else ""


def _object_in(path: str, node: Node) -> tuple[str, Node | None]:
    if "properties" in node:
        return path, node
    if node.get("type") == "array":
        return _object_in(f"{path}[]", node["items"])
    return path, None


def _type(node: Node) -> str:
    if node.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if "type" not in node:
        return "any value"
    if node["type"] == "array":
        return f"list of {_plural(_type(node['items']))}"
    if "additionalProperties" in node:
        return f"map of names to {_plural(_type(node['additionalProperties']))}"
    return str(node.get("format", node["type"])) if node.get("format") == "date-time" else str(node["type"])


def _plural(type_: str) -> str:
    return "integers or strings" if type_ == "integer or string" else f"{type_}s"


def _text(field: Node, is_required: bool) -> str:
    notes = ["required"] if is_required else []
    if "default" in field:
        notes.append(f"default `{_shown(field['default'])}`")
    if "enum" in field:
        notes.append("one of " + ", ".join(f"`{value}`" for value in field["enum"]))
    notes += [text.format(field[bound]) for bound, text in BOUNDS.items() if bound in field]
    description = str(field["description"])
    text = f"{description} ({'; '.join(notes)})" if notes else description
    return text.replace("|", "\\|")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rules(node: Node) -> list[str]:
    messages = [rule["message"] for rule in node.get("x-kubernetes-validations", [])]
    if node.get("maxProperties") == 1:
        messages.insert(0, "exactly one of its fields is given")
    return [*(["Rules:", ""] + [f"- {message}" for message in messages] + [""] if messages else [])]
