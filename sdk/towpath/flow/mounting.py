"""Which inputs of a run are mounted instead of downloaded, and why: decided once, when the run is planned.

A mount is of a datastore, read-only; an input is a tree of links into it, of just the files that were pinned.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from towpath.api.pipeline import PipelineSpec
from towpath.api.ports import Access, Input, Mode, OnUnavailable
from towpath.api.step import Step
from towpath.flow import checks, names
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Content, Counted, Pinned
from towpath.flow.decision import Limits
from towpath.flow.mount_choice import MountChoice, PassedOver, words_of
from towpath.flow.planned import Mounting, PlannedTarget
from towpath.flow.scratch import scratch_limit
from towpath.flow.stalled import StalledError
from towpath.flow.views import Views

Place = tuple[str, str]

# Below this size of a file, on average, a copy is faster than a mount, however little is read of it (mounts.md, 8).
_LARGE_FILE = 8 << 20


@dataclass(frozen=True)
class MountFacts:
    """What the decisions of a run rest on; all by (step, input), `choices` by datastore, `targets` by step."""

    choices: Mapping[str, MountChoice]
    pins: Mapping[Place, Pinned]
    counts: Mapping[Place, Counted]
    views: Views
    limits: Limits
    targets: Mapping[str, PlannedTarget]
    can_mount: bool = True


def decide_mounts(spec: PipelineSpec, facts: MountFacts) -> dict[Place, Mounting]:
    """How each input comes that does not simply say Download; StalledError where one must be mounted and cannot."""
    return {
        (step.name, given.name): _decide(spec, step, given, facts)
        for step in spec.steps
        for given in step.inputs
        if given.mode is not Mode.DOWNLOAD
    }


def _decide(spec: PipelineSpec, step: Step, given: Input, facts: MountFacts) -> Mounting:
    if not facts.can_mount:
        return Mounting(False, "downloaded: without a cluster nothing is mounted")
    place = step.name, given.name
    used = _datastores_read(spec, step, given, facts)
    why_not = _why_not(step, given, used, facts)
    if given.mode is Mode.AUTO:
        pinned = facts.pins.get(place)
        content = facts.counts.get(place) or pinned.content if pinned else None
        most = scratch_limit(facts.limits, facts.targets.get(step.name))
        choice = auto(content, given.access, why_not, most)
        return replace(choice, note=f"{choice.note}; {_ways(used, facts)}") if choice.is_mounted else choice
    if why_not is None:
        return Mounting(True, f"mounted {_ways(used, facts)}")
    if given.on_unavailable is OnUnavailable.DOWNLOAD:
        return Mounting(False, f"downloaded, since it cannot be mounted: {why_not}")
    in_full = _why_not(step, given, used, facts, str)
    raise StalledError(
        RunReason.MOUNT_UNAVAILABLE,
        f"Step {step.name}, input {given.name} says mode: Mount and cannot be mounted: {in_full}. Give the Datastore "
        "a way to be mounted, or say onUnavailable: Download or mode: Download on the input.",
    )


def _ways(used: Collection[str], facts: MountFacts) -> str:
    """Through what the datastores are mounted, and why not through what was named before it."""
    said = []
    for name in sorted(used):
        choice = facts.choices[name]
        way = words_of(choice.mount) if choice.mount else "nothing"
        said.append("; ".join([f"through {way}", *(f"not {one.in_short()}" for one in choice.passed_over)]))
    return ", and ".join(dict.fromkeys(said))


def auto(
    content: Content | Counted | None, access: Access, why_not: str | None, most: int | None
) -> Mounting:
    """The choice of `mode: Auto` for an input that holds this; None: nobody knows yet. `why_not`: no mount is there.

    `most` are the bytes that a step's inputs may take of a node's disk, None: as many as they need.
    """
    if why_not is not None:
        return Mounting(False, f"downloaded: {why_not}")
    if content is None:
        return Mounting(False, "downloaded: what it holds is not known when the run is planned")
    if most is not None and content.scratch_bytes > most:
        return Mounting(True, f"mounted: {content.bytes} bytes are more than a node's disk may take")
    mean = content.bytes // max(content.files, 1)
    if access is Access.PARTIAL and mean >= _LARGE_FILE:
        return Mounting(True, f"mounted: parts are read of files of {mean} bytes on average")
    if access is Access.PARTIAL:
        return Mounting(False, f"downloaded: files of {mean} bytes on average come faster as a copy")
    return Mounting(False, "downloaded: all of it is read, and it fits")


def _datastores_read(spec: PipelineSpec, step: Step, given: Input, facts: MountFacts) -> set[str]:
    pinned = facts.pins.get((step.name, given.name))
    if pinned is None:
        return {_datastore_of_output(spec, step, given)}
    return set(pinned.content.datastores or (pinned.content.inventory.datastore,))


def _why_not(
    step: Step,
    given: Input,
    used: Collection[str],
    facts: MountFacts,
    told: Callable[[PassedOver], str] = PassedOver.in_short,
) -> str | None:
    """Why this input cannot be mounted, None where it can; each way that was passed over as `told` says it."""
    pinned = facts.pins.get((step.name, given.name))
    format_ = pinned.content.format if pinned else given.from_ and given.from_.format
    if format_ and facts.views.get((step.name, given.name)):
        return "rows that were selected are written as files"
    cannot = sorted(name for name in used if facts.choices[name].mount is None)
    if not cannot:
        return None
    passed_over = facts.choices[cannot[0]].passed_over
    if passed_over:
        return f"Datastore {cannot[0]}: {'; '.join(map(told, passed_over))}"
    return f"Datastore {cannot[0]} has no `mount`, which says through what it can be read without a copy"


def _datastore_of_output(spec: PipelineSpec, step: Step, given: Input) -> str:
    steps = {other.name: other for other in spec.steps}
    name = checks.source_output(step, given, steps)
    outputs = steps[given.from_.step].outputs if given.from_ else ()
    own = next((output.datastore for output in outputs if output.name == name), None)
    return own or names.DEFAULT_DATASTORE
