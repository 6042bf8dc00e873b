"""What an object must be to be stored: the API's own models say it, and what may change of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath import manifests
from towpath.api.pipelinerun import FIXED
from towpath.backend import Manifest
from towpath.errors import InvalidObjectError


def check(after: Manifest, before: Manifest | None) -> None:
    """Raise InvalidObjectError, naming field and rule, where the object breaks the API's rules."""
    if before is not None and after.get("spec") == before.get("spec"):
        # A status is written by our own code, which has models of its own for it.
        return
    mistakes = manifests.check(after)
    if mistakes:
        raise InvalidObjectError(f"{_named(after)} is refused: {'; '.join(mistakes)}.")
    if before is not None and after["kind"] == "PipelineRun":
        _check_change(after, before)


def _check_change(after: Manifest, before: Manifest) -> None:
    new, old = after.get("spec") or {}, before.get("spec") or {}
    changed = [field for field in FIXED if new.get(field) != old.get(field)]
    if changed:
        words = f"spec.{changed[0]} of a run never changes: make another run with the other value"
        raise InvalidObjectError(f"{_named(after)} is refused: {words}.")
    if old.get("cancel") and not new.get("cancel"):
        raise InvalidObjectError(f"{_named(after)} is refused: spec.cancel only goes to true.")


def _named(item: Mapping[str, Any]) -> str:
    meta = item.get("metadata") or {}
    return f"{item['kind']} {meta.get('name') or meta.get('generateName') or '(without a name)'}"
