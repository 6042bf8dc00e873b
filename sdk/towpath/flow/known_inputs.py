"""What a run's inputs hold, and the datastores it enters for them: asked of movers where nobody knows yet, then refused
where it is not what the run takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath.api.pipeline import PipelineSpec
from towpath.flow import datastores
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Counted, Pinned
from towpath.flow.counting import count_views
from towpath.flow.disk_need import Inputs, refuse_large
from towpath.flow.mounting import MountFacts, decide_mounts
from towpath.flow.pins import refuse_empty
from towpath.flow.planned import PlannedTarget
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.readiness import Patience
from towpath.flow.scratch import why_empty_shares
from towpath.flow.shared import shared_inputs
from towpath.flow.sources import Sources
from towpath.flow.stalled import StalledError
from towpath.flow.subsets import check_for_files, check_for_rows
from towpath.flow.transforms import TransformError
from towpath.flow.unregistered import pin_sources
from towpath.flow.views import Views

Place = tuple[str, str]
Pins = Mapping[Place, Pinned]
Counts = Mapping[Place, Counted]


class Asked(NamedTuple):
    """What a run asks of its inputs, before any mover has looked."""

    spec: PipelineSpec
    values: Mapping[str, str]
    views: Views
    versions: Pins
    targets: Mapping[str, PlannedTarget]


def known_inputs(
    sources: Sources, patience: Patience, asked: Asked
) -> tuple[tuple[PlannedDatastore, ...], Inputs]:
    """The datastores of a run, and what is known of its inputs; raises where that is refused or waited for."""
    spec, values, views, versions, targets = asked
    datastores.enter(sources, patience, spec, versions)
    # What needs a mover comes last: nothing is asked twice because something else was not there yet.
    pins: Pins = {**versions, **pin_sources(sources, patience, spec, values)}
    entered = datastores.enter(sources, patience, spec, pins)
    shared = shared_inputs(spec)
    _check_records(spec, dict.fromkeys(shared, ()) | dict(views), pins)
    counts = count_views(sources, patience, views, shared, pins, entered)
    _refuse_empty(spec, pins, counts)
    _refuse_empty_shares(spec, pins, counts)
    choices, can_mount = datastores.mount_choices(sources, entered), sources.installation.can_mount
    facts = MountFacts(choices, pins, counts, views, patience.limits, targets, can_mount)
    inputs = Inputs(pins, counts, decide_mounts(spec, facts))
    refuse_large(spec, inputs, targets, patience.limits)
    return entered, inputs


def _check_records(spec: PipelineSpec, views: Views, pins: Pins) -> None:
    """Refuse a view that means nothing for its records: for rows, or for files."""
    for step in spec.steps:
        for given in step.inputs:
            place = step.name, given.name
            pinned = pins.get(place)
            format_ = pinned.content.format if pinned else given.from_ and given.from_.format
            check = check_for_rows if format_ else check_for_files
            try:
                check(views.get(place, ()))
            except TransformError as error:
                message = f"Step {step.name}, input {given.name}: {error}"
                raise StalledError(RunReason.INVALID_PIPELINE, message) from error


def _refuse_empty(spec: PipelineSpec, pins: Pins, counts: Counts) -> None:
    for step in spec.steps:
        for given in step.inputs:
            place = step.name, given.name
            if place in pins and not given.allow_empty:
                refuse_empty(step, given, pins[place], counts.get(place))


def _refuse_empty_shares(spec: PipelineSpec, pins: Pins, counts: Counts) -> None:
    """Refuse an input with fewer files than it has shares; how many rows it has nobody knows yet."""
    allowed = {(step.name, given.name) for step in spec.steps for given in step.inputs if given.allow_empty}
    for place, shards in shared_inputs(spec).items():
        if place in pins and place not in allowed and pins[place].content.format is None:
            words = why_empty_shares(counts[place].files, shards)
            if words:
                raise StalledError(RunReason.EMPTY_INPUT, f"Step {place[0]}, input {place[1]}: {words}")
