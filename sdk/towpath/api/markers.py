"""What Kubernetes can say about a field and pydantic cannot: lists with keys, CEL rules, printer columns.

The models carry these markers in `Annotated[...]` or in their configuration; `crds.py` reads them back out of
the JSON schema. Nothing here changes how a model validates, except `IntOrString`, which is a type of its own.
"""

import dataclasses
from typing import Any

from pydantic import ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema


@dataclasses.dataclass(frozen=True)
class Rule:
    """A CEL rule that the API server evaluates, with the sentence that the user reads when it fails."""

    expression: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Give the rule in the form of `x-kubernetes-validations`."""
        return {"rule": self.expression, "message": self.message}


@dataclasses.dataclass(frozen=True)
class PrinterColumn:
    """A column of `kubectl get`; a priority of 1 shows it with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Give the column in the form of `additionalPrinterColumns`."""
        column = {"name": self.name, "type": self.type, "jsonPath": self.path}
        return column | ({"priority": self.priority} if self.priority else {})


@dataclasses.dataclass(frozen=True, eq=False)
class Schema:
    """Schema keys to add to the node of the annotated field."""

    extra: dict[str, Any]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return handler(schema) | self.extra


def checked_by(*rules: Rule) -> Schema:
    """Mark a field with CEL rules on its own value."""
    return Schema({"x-kubernetes-validations": [rule.as_dict() for rule in rules]})


def list_map_by(key: str) -> Schema:
    """Mark a list whose members are told apart by `key`: a second one of the same key is refused."""
    return Schema({"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]})


def with_rules(*rules: Rule) -> ConfigDict:
    """Configure a model with CEL rules on the whole object."""
    validations: list[JsonValue] = [{**rule.as_dict()} for rule in rules]
    return ConfigDict(json_schema_extra={"x-kubernetes-validations": validations})


LIST_SET = Schema({"x-kubernetes-list-type": "set"})
LIST_ATOMIC = Schema({"x-kubernetes-list-type": "atomic"})
MAP_ATOMIC = Schema({"x-kubernetes-map-type": "atomic"})
PRESERVE_UNKNOWN = Schema({"x-kubernetes-preserve-unknown-fields": True})


def unchanged(*fields: str) -> str:
    """Give the CEL expression that is true when none of these fields was added, removed or changed."""
    # `self.?x == oldSelf.?x` says the same, but its estimated cost is unbounded.
    return " && ".join(
        f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})"
        for name in fields
    )


@dataclasses.dataclass(frozen=True)
class IntOrString:
    """An integer within bounds, or a string of the given shape (a decimal number or a reference)."""

    pattern: str
    minimum: int | None = None
    maximum: int | None = None
    max_length: int = 128

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = core_schema.int_schema(strict=True, ge=self.minimum, le=self.maximum)
        text = core_schema.str_schema(strict=True, pattern=self.pattern, max_length=self.max_length)
        return core_schema.union_schema([whole, text])

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        node = {"pattern": self.pattern, "maxLength": self.max_length}
        given = {key: value for key, value in bounds.items() if value is not None}
        return {"x-kubernetes-int-or-string": True, **node, **given}
