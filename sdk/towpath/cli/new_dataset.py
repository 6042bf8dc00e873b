"""What `towpath add dataset` was told → the Dataset; what it says already stays, but for its sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.backend import Backend, Kind, Manifest
from towpath.flow import names


def dataset_from(
    backend: Backend, given: str, source: Mapping[str, Any], fields: Mapping[str, Any]
) -> Manifest:
    """The Dataset with this as its only source."""
    name = names.object_name(given)
    found = backend.get(Kind.DATASET, name) or {}
    metadata: dict[str, Any] = {"name": name}
    if name != given:
        metadata["annotations"] = {names.GIVEN_NAME_ANNOTATION: given}
    spec = {**(found.get("spec") or {}), **fields, "sources": [dict(source)]}
    return {"apiVersion": names.API_VERSION, "kind": str(Kind.DATASET), "metadata": metadata, "spec": spec}
