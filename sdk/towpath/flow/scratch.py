"""What the inputs of a step take of a node's disk, and the words that refuse what is more, or less, than may be."""

from __future__ import annotations

from collections.abc import Mapping

from towpath.flow import names
from towpath.flow.contents import Content, Counted
from towpath.flow.decision import Limits
from towpath.flow.planned import PlannedInput, PlannedStep, PlannedTarget
from towpath.flow.row_counts import counted_rows
from towpath.flow.transform_documents import read_chain

# At most, a link takes a block.
LINK_BYTES = 4096


def scratch_bytes(step: PlannedStep, contents: Mapping[str, Content]) -> int:
    """What the inputs take: a view what was counted, or all of what it is a view of where nobody counted."""
    return sum(
        disk_of(_held(given, contents[given.name]), is_mounted=given.is_mounted) for given in step.inputs
    )


def _held(given: PlannedInput, content: Content) -> Content | Counted:
    if given.counted is not None:
        return given.counted
    if content.format is None or not given.transforms:
        return content
    # Rows of an output, which nobody could count when the run was planned.
    return counted_rows(read_chain(given.transforms), content)


def disk_of(content: Content | Counted, *, is_mounted: bool) -> int:
    """What one input takes: of one that is mounted its links."""
    return content.files * LINK_BYTES if is_mounted else content.scratch_bytes


def why_empty_shares(files: int, shards: int) -> str | None:
    """The sentence that refuses fewer files than shares, or None where each share has one."""
    if files >= shards:
        return None
    return (
        f"it has {files} files for {shards} shards, so some would have none. Ask for fewer shards, or say "
        "allowEmpty: true if that is meant."
    )


def why_too_large(scratch: int, limits: Limits, target: PlannedTarget | None) -> str | None:
    """The sentence that refuses so many bytes of inputs, or None where they fit; the smaller of both bounds counts."""
    limit, words = min(_bounds(limits, target), default=(scratch, ""))
    if scratch <= limit:
        return None
    return (
        f"its inputs take {scratch} bytes of a node's disk, and {words.format(limit)}. Take a part of them "
        "(transforms), mount them (mode: Mount) where the datastore can be mounted, or let an administrator raise it."
    )


def scratch_limit(limits: Limits, target: PlannedTarget | None) -> int | None:
    """What the inputs of a step may take of a node's disk; None: whatever they need."""
    return min((limit for limit, _ in _bounds(limits, target)), default=None)


def _bounds(limits: Limits, target: PlannedTarget | None) -> list[tuple[int, str]]:
    bounds = []
    if limits.max_scratch_bytes is not None:
        bounds.append((limits.max_scratch_bytes, "the installation allows {} (limits.maxScratchBytes)"))
    if target and target.max_scratch_bytes is not None:
        words = f"the computeTarget {target.name} allows {{}} (its annotation {names.MAX_SCRATCH_ANNOTATION})"
        bounds.append((target.max_scratch_bytes, words))
    return bounds
