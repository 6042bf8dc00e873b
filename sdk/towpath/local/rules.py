"""What an object must be to be stored: the API's own models say it, and what may change of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from towpath.api.kinds import KINDS
from towpath.api.pipelinerun import FIXED
from towpath.backend import Manifest
from towpath.errors import InvalidObjectError

_MODELS = {model.info.kind: model for model in KINDS}
# Of whom the spec never changes: all of it, or these fields.
_FIXED: Mapping[str, tuple[str, ...] | None] = {"PipelineRun": FIXED}
_SHOWN = 5


def check(after: Manifest, before: Manifest | None) -> None:
    """Raise InvalidObjectError, naming field and rule, where the object breaks the API's rules."""
    model = _MODELS.get(str(after.get("kind")))
    if model is None:
        return
    try:
        model.model_validate(after)
    except ValidationError as error:
        raise InvalidObjectError(f"{_named(after)} is refused: {_words(error)}") from error
    if before is not None:
        _check_change(after, before)


def _check_change(after: Manifest, before: Manifest) -> None:
    new, old = after.get("spec") or {}, before.get("spec") or {}
    changed = [field for field in _FIXED.get(after["kind"], ()) or () if new.get(field) != old.get(field)]
    if changed:
        words = f"spec.{changed[0]} of a {after['kind']} never changes: make another one with the other value"
        raise InvalidObjectError(f"{_named(after)} is refused: {words}.")
    if after["kind"] == "PipelineRun" and old.get("cancel") and not new.get("cancel"):
        raise InvalidObjectError(f"{_named(after)} is refused: spec.cancel only goes to true.")


def _named(item: Mapping[str, Any]) -> str:
    meta = item.get("metadata") or {}
    return f"{item['kind']} {meta.get('name') or meta.get('generateName') or '(without a name)'}"


def _words(error: ValidationError) -> str:
    told = [f"{_place(one['loc'])}: {one['msg']}" for one in error.errors()[:_SHOWN]]
    more = len(error.errors()) - _SHOWN
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _place(parts: tuple[int | str, ...]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "the object"
