"""What every object has: the base model, metadata, conditions, and how `kubectl` is to show a kind."""

import dataclasses
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel

from towpath.api.markers import PrinterColumn, list_map_by
from towpath.api.scalars import Count

GROUP = "towpath.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"


def _in_whole_seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[AwareDatetime, PlainSerializer(_in_whole_seconds, return_type=str, when_used="json")]


class Model(BaseModel):
    """One object of the API: frozen, camelCase outside and snake_case inside."""

    # An older operator must survive an object written for a newer one: what it does not know it ignores.
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=False,
    )

    def as_dict(self) -> dict[str, Any]:
        """Give the object as the API server takes it: camelCase, nothing null, no empty lists or maps."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    @model_serializer(mode="wrap")
    def _without_empties(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        empty = {
            key
            for name, field in type(self).model_fields.items()
            if self._is_left_out(getattr(self, name), field.default)
            for key in (name, field.alias)
        }
        return {key: value for key, value in handler(self).items() if key not in empty}

    def _is_left_out(self, value: object, default: object) -> bool:  # noqa: ARG002  (subclasses need it)
        return value in ((), {})


class OneOf(Model):
    """A union: exactly one of its fields is given."""

    # Free on the API server, where a CEL rule would be paid for once per possible object.
    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    @model_validator(mode="after")
    def _one_is_given(self) -> Self:
        members = type(self).model_fields
        given = [name for name in members if getattr(self, name) is not None]
        if len(given) != 1:
            names = ", ".join(str(field.alias) for field in members.values())
            raise ValueError(f"exactly one of {names} must be given, not {len(given)} of them")
        return self


def _drop_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class StatusModel(Model):
    """An object that the operator writes: defaults stay out of it and of the schema, so that it stays
    small."""

    model_config = ConfigDict(json_schema_extra=_drop_defaults)

    def _is_left_out(self, value: object, default: object) -> bool:
        return value == default or value in ((), {})


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(StatusModel):
    """One thing that can be said of the object, and since when."""

    type: Annotated[str, Field(max_length=64)]
    """What is said: `Ready` of what stays, `Succeeded` of what ends."""
    status: ConditionStatus
    """True, False, or Unknown while it is not decided."""
    observed_generation: Count = 0
    """The `metadata.generation` of the object that this was said of."""
    last_transition_time: Time
    """When `status` last changed; a change of the message alone does not move it."""
    reason: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    """One CamelCase word from the documented list of reasons."""
    message: Annotated[str, Field(max_length=2048)]
    """What happened, where, as whom, and what to do about it."""


Conditions = Annotated[tuple[Condition, ...], Field(max_length=8), list_map_by("type")]


class OwnerReference(Model):
    """The object on which this one depends: it is collected when its owner is gone."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Model):
    """The part of `metadata` that Towpath reads; Kubernetes owns its schema."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()


@dataclasses.dataclass(frozen=True)
class KindInfo:
    """How the API server serves a kind: its names, columns, and the fields to select by."""

    kind: str
    plural: str
    short_name: str
    columns: tuple[PrinterColumn, ...]
    selectable: tuple[str, ...] = ()

    @property
    def singular(self) -> str:
        """The name of one object on the command line."""
        return self.kind.lower()


class Resource(Model):
    """A whole object as the API server returns it."""

    info: ClassVar[KindInfo]

    api_version: str = API_VERSION
    kind: str
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the object that the API server returned."""
        return cls.model_validate(body)

    def _is_left_out(self, value: object, default: object) -> bool:
        is_unset_status = isinstance(value, StatusModel) and value == default
        return is_unset_status or super()._is_left_out(value, default)
