"""A dataset's version or a run's output → the inventory that it is, and its one file where it is a single file."""

from __future__ import annotations

from typing import NamedTuple

from towpath.backend import Backend, Kind, Manifest
from towpath.errors import NotFoundError
from towpath.flow import names
from towpath.flow.contents import InventoryRef
from towpath.flow.near_names import near
from towpath.places import DatasetPlace, OutputPlace
from towpath.runs import PipelineRun


class Pinned(NamedTuple):
    """Content that never changes."""

    inventory: InventoryRef
    file: str | None = None


def pinned_at(backend: Backend, place: DatasetPlace | OutputPlace) -> Pinned:
    """What a place stands for now; NotFoundError says what there is instead."""
    if isinstance(place, OutputPlace):
        (step,) = PipelineRun(backend, place.run).find_step_run(place.step)
        output = step.get_output(place.output)
        return Pinned(output.inventory, output.file)
    spec = _version(backend, place)["spec"]
    inventory = spec["inventory"]
    return Pinned(
        InventoryRef(inventory["datastore"], inventory["path"], inventory["digest"]), spec.get("file")
    )


def _version(backend: Backend, place: DatasetPlace) -> Manifest:
    number = place.version if place.version is not None else _latest(backend, place.dataset)
    found = backend.get(Kind.DATASET_VERSION, names.version_name(place.dataset, number))
    if found is not None:
        return found
    versions = backend.list_objects(Kind.DATASET_VERSION)
    numbers = [str(one["spec"]["version"]) for one in versions if one["spec"]["dataset"] == place.dataset]
    raise NotFoundError(f"Dataset {place.dataset} has no version {number}. {near(str(number), numbers)}")


def _latest(backend: Backend, dataset: str) -> int:
    found = backend.get(Kind.DATASET, dataset)
    if found is None:
        known = [one["metadata"]["name"] for one in backend.list_objects(Kind.DATASET)]
        raise NotFoundError(f"There is no Dataset {dataset} in {backend.where}. {near(dataset, known)}")
    latest = (found.get("status") or {}).get("latestVersion")
    if latest is None:
        raise NotFoundError(
            f"Dataset {dataset} has no version yet: see `towpath describe dataset {dataset}`."
        )
    return int(latest)
