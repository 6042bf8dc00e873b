"""What a step owes and what it left: each declared output is found, counted and judged before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.order import OutputOrder
from towpath_mover.outputs import FoundOutput, find_output, near
from towpath_mover.paths import shown
from towpath_mover.pod_paths import PodPaths


class Owed(NamedTuple):
    """An output that will be published: as planned, as it was found, and how much it is."""

    order: OutputOrder
    found: FoundOutput
    files: int
    bytes: int


def look(outputs: Iterable[OutputOrder], paths: PodPaths) -> list[Owed]:
    """Return the outputs to publish; one that is missing, empty, of the wrong kind or unsafe is refused by name."""
    owed = []
    for planned in outputs:
        place = paths.output(planned.path)
        order = planned._replace(path=paths.seen_output(planned.path))
        found = find_output(order.name, place, order.path)
        if found is not None:
            counted = _count(order, found)
            if counted.files or order.allow_empty:
                owed.append(counted)
            elif not order.optional:
                raise _empty(order)
        elif not order.optional:
            raise _missing(order, near(place, paths.work))
    return owed


def _count(order: OutputOrder, found: FoundOutput) -> Owed:
    if order.directory is not None and order.directory != found.directory:
        raise _wrong_kind(order, found)
    files = size = 0
    for file in found.files():
        files += 1
        size += file.size
    return Owed(order, found, files, size)


def _missing(order: OutputOrder, what_is_near: str) -> MoverFailure:
    message = (
        f"Output {order.name!r} was not written: the step ended with 0, but nothing is at {shown(order.path)}."
        f" {what_is_near} Write to $(outputs.{order.name}.path), or say optional: true."
    )
    return MoverFailure(Reason.OUTPUT_MISSING, message)


def _empty(order: OutputOrder) -> MoverFailure:
    message = (
        f"Output {order.name!r} is empty: there is no file in the folder {shown(order.path)}."
        " Write into it, or say allowEmpty: true."
    )
    return MoverFailure(Reason.OUTPUT_EMPTY, message)


def _wrong_kind(order: OutputOrder, found: FoundOutput) -> MoverFailure:
    kinds = {True: "a folder", False: "a file"}
    message = (
        f"Output {order.name!r} is declared with directory: {str(order.directory).lower()}, but the step wrote"
        f" {kinds[found.directory]} at {shown(order.path)}. Change the step or the declaration."
    )
    return MoverFailure(Reason.OUTPUT_WRONG_KIND, message)
