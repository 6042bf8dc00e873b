"""Strict reading of a JSON document: a field is asked for by name and type, and a wrong one is named by its place."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from towpath_mover.failures import MoverFailure, Reason

FORMAT_VERSION = 1
Value = TypeVar("Value")


class OrderError(ValueError):
    """A mover was given an order that it cannot read: operator and mover do not fit together, which is a bug."""


class Fields:
    """One JSON object and its place in the document, for messages."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise OrderError(f"{place} is not a JSON object.")
        self._value: dict[str, Any] = value
        self._place = place

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        return self._required(key, self.optional_text(key))

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None if it was left out."""
        return self._typed(key, str)

    def number(self, key: str) -> int:
        """Return a whole number that must be there."""
        return self._required(key, self.optional_number(key))

    def optional_number(self, key: str) -> int | None:
        """Return a whole number, or None if it was left out."""
        if isinstance(self._value.get(key), bool):
            raise OrderError(f"{self._place}.{key} is not a number.")
        return self._typed(key, int)

    def flag(self, key: str) -> bool:
        """Return a boolean, false if it was left out."""
        return self.optional_flag(key) or False

    def optional_flag(self, key: str) -> bool | None:
        """Return a boolean, or None if it was left out."""
        return self._typed(key, bool)

    def texts(self, key: str) -> dict[str, str]:
        """Return a map of texts, empty if it was left out."""
        value = self._typed(key, dict) or {}
        if not all(isinstance(name, str) and isinstance(text, str) for name, text in value.items()):
            raise OrderError(f"{self._place}.{key} is not a map of texts.")
        return dict(value)

    def words(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty if it was left out."""
        values = self._typed(key, list) or []
        if not all(isinstance(value, str) for value in values):
            raise OrderError(f"{self._place}.{key} is not a list of texts.")
        return tuple(values)

    def child(self, key: str) -> Fields:
        """Return an object that must be there."""
        return self._required(key, self.optional_child(key))

    def optional_child(self, key: str) -> Fields | None:
        """Return an object, or None if it was left out."""
        value = self._value.get(key)
        return None if value is None else Fields(value, f"{self._place}.{key}")

    def children(self, key: str) -> tuple[Fields, ...]:
        """Return a list of objects, empty if it was left out."""
        values = self._typed(key, list) or []
        return tuple(Fields(value, f"{self._place}.{key}[{index}]") for index, value in enumerate(values))

    def plain(self) -> Mapping[str, Any]:
        """Return the object as it was read, for a part that has a reader of its own."""
        return self._value

    def check_format(self) -> Fields:
        """Return itself if this mover knows the document's format version."""
        version = self._value.get("formatVersion")
        if version != FORMAT_VERSION:
            raise OrderError(
                f"{self._place} has formatVersion {version!r}; this mover reads {FORMAT_VERSION}."
            )
        return self

    def _typed(self, key: str, kind: type[Value]) -> Value | None:
        value = self._value.get(key)
        if value is None or isinstance(value, kind):
            return value
        raise OrderError(f"{self._place}.{key} is not a {kind.__name__}.")

    def _required(self, key: str, value: Value | None) -> Value:
        if value is None:
            raise OrderError(f"{self._place} has no {key}.")
        return value


def read_zipped(file: Path, digest: str | None = None) -> Fields:
    """Return a document of the plan's ConfigMap, which must have this digest if one is known."""
    try:
        text = gzip.decompress(file.read_bytes())
    except (OSError, EOFError) as error:
        raise OrderError(f"The plan's document {file} cannot be read: {error}.") from error
    if digest and f"sha256:{hashlib.sha256(text).hexdigest()}" != digest:
        raise MoverFailure(
            Reason.PLAN_DRIFT,
            f"{file.name} in the ConfigMap of this run's plan is not what was written when the run started: the"
            " ConfigMap was deleted, and another one made under its name. Start a new run.",
        )
    return read_text(text.decode(), file.name)


def read_variable(environ: Mapping[str, str], name: str) -> Fields:
    """Return the document in an environment variable."""
    text = environ.get(name)
    if not text:
        raise OrderError(
            f"The environment variable {name} is not set: a mover is started by the operator only."
        )
    return read_text(text, name)


def read_text(text: str, place: str) -> Fields:
    """Return the document that a text holds."""
    try:
        return Fields(json.loads(text), place)
    except ValueError as error:
        if isinstance(error, OrderError):
            raise
        raise OrderError(f"{place} is not JSON: {error}.") from error
