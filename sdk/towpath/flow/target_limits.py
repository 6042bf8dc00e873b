"""The annotations of a PodTemplate itself → what it allows of a node's disk; what is unknown is refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from towpath.flow import names
from towpath.flow.quantities import amount

Json = Mapping[str, Any]

_LONGEST = 40


def max_scratch_bytes(pod_template: Json) -> int | None:
    """How many bytes the inputs of a step on this target may take, or None; ValueError for what is no such number."""
    quantity = _annotations(pod_template).get(names.MAX_SCRATCH_ANNOTATION)
    if quantity is None:
        return None
    # Of an annotation nobody checks the length, and what is wrong goes into a status.
    if len(quantity) > _LONGEST:
        raise ValueError(f"it has {len(quantity)} characters: write a number of bytes such as 50Gi")
    number = amount(quantity)
    if number < 0:
        raise ValueError(f"{quantity!r} is less than nothing: write a number of bytes such as 50Gi")
    return int(number)


def refused(pod_template: Json) -> Iterator[str]:
    """Name what Towpath does not understand: a limit that is misspelt would limit nothing."""
    for key in _annotations(pod_template):
        if key.startswith(f"{names.GROUP}/") and key != names.MAX_SCRATCH_ANNOTATION:
            yield f"metadata.annotations.{key} of the PodTemplate itself (known is {names.MAX_SCRATCH_ANNOTATION})"
    try:
        max_scratch_bytes(pod_template)
    except ValueError as error:
        yield f"metadata.annotations.{names.MAX_SCRATCH_ANNOTATION} of the PodTemplate itself: {error}"


def _annotations(pod_template: Json) -> Json:
    return (pod_template.get("metadata") or {}).get("annotations") or {}
