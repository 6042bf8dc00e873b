"""What is known of a dataset that is registered: the facts of its Dataset and of one DatasetVersion.

Standard library only: steps get it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from towpath.flow import names

if TYPE_CHECKING:
    from towpath.workspace import Workspace


@dataclass(frozen=True)
class RegisteredFacts:
    """One version of a registered dataset. `id` is the digest of its content; there is no version before the first."""

    workspace: Workspace
    name: str
    version: int | None = None
    id: str | None = None
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    changed: str | None = None
    spec: dict[str, Any] = field(default_factory=dict)
    partition_keys: tuple[str, ...] = ()


def facts_of(
    workspace: Workspace, dataset: dict[str, Any], version: dict[str, Any] | None
) -> RegisteredFacts:
    """Return the facts of a Dataset object and of one of its versions."""
    metadata, about = dataset["metadata"], dataset.get("spec", {})
    given = metadata.get("annotations", {}).get(names.GIVEN_NAME_ANNOTATION)
    spec = version["spec"] if version else {}
    return RegisteredFacts(
        workspace=workspace,
        name=given or metadata["name"],
        version=spec.get("version"),
        id=spec.get("inventory", {}).get("digest"),
        description=spec.get("description") or about.get("description"),
        tags={**about.get("tags", {}), **spec.get("tags", {})},
        changed=(version or dataset)["metadata"].get("creationTimestamp"),
        spec=spec,
        partition_keys=tuple(_partition_keys(about)),
    )


def _partition_keys(about: dict[str, Any]) -> Iterator[str]:
    for source in about.get("sources", [])[:1]:
        yield from re.findall(r"(?<!{){(\w+)(?::[^}]*)?}", source.get("partitionFormat", ""))
