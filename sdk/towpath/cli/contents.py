"""A word for finished data (`iris@3`, `dataset:iris`, `run:NAME/STEP/OUTPUT`) → its inventory."""

from __future__ import annotations

from dataclasses import dataclass

from towpath.backend import Backend, Kind, Manifest
from towpath.cli.nouns import DATASET, RUN, find, plain_name
from towpath.errors import NotFoundError, UserErrorException
from towpath.flow import names
from towpath.flow.contents import InventoryRef
from towpath.flow.near_names import near


@dataclass(frozen=True)
class Found:
    """Finished data: what to call it, and where its inventory lies."""

    words: str
    inventory: InventoryRef


def find_contents(backend: Backend, given: str) -> Found:
    """What a word stands for; NotFoundError names near ones."""
    kind, colon, rest = given.partition(":")
    if not colon:
        return _of_dataset(backend, given)
    if kind == "dataset":
        return _of_dataset(backend, rest)
    if kind == "run":
        return _of_run(backend, rest)
    raise UserErrorException(
        f"{given!r} names no finished data: write NAME[@VERSION], dataset:NAME[@VERSION] or run:NAME/STEP/OUTPUT."
    )


def version_of(backend: Backend, given: str) -> Manifest:
    """The version that NAME, or NAME@VERSION, stands for: the latest where none is said."""
    dataset, at, number = given.partition("@")
    if at and not (number.isascii() and number.isdigit()):
        raise UserErrorException(f"{given!r}: {number!r} is no number of a version. Write {dataset}@3.")
    name = names.object_name(dataset)
    versions = {
        one["spec"]["version"]: one
        for one in backend.list_objects(Kind.DATASET_VERSION)
        if one["spec"]["dataset"] == name
    }
    if not versions:
        find(backend, DATASET, dataset)
        raise NotFoundError(f"Dataset {dataset} has no version yet in {backend.where}.")
    wanted = int(number) if at else max(versions)
    if wanted not in versions:
        known = [f"{dataset}@{one}" for one in sorted(versions)[-5:]]
        raise NotFoundError(
            f"There is no version {wanted} of {dataset} in {backend.where}. {near(given, known)}"
        )
    return versions[wanted]


def _of_dataset(backend: Backend, given: str) -> Found:
    spec = version_of(backend, given)["spec"]
    return Found(f"{spec['dataset']}@{spec['version']}", _reference(spec["inventory"]))


def _of_run(backend: Backend, given: str) -> Found:
    name, step, output = (*given.split("/"), "", "")[:3]
    run = find(backend, RUN, plain_name(RUN, name))
    entries = {one["name"]: one for one in (run.get("status") or {}).get("steps") or ()}
    if step not in entries:
        raise NotFoundError(f"Run {name} has no step {step or '(none is named)'}. {near(step, entries)}")
    outputs = {one["name"]: one for one in entries[step].get("outputs") or ()}
    if not output and len(outputs) == 1:
        [output] = outputs
    if output not in outputs:
        raise NotFoundError(
            f"Step {step} of run {name} has published no output {output or '(none is named)'}. {near(output, outputs)}"
        )
    found = outputs[output]
    reference = InventoryRef(found["datastore"], found["inventory"], found["digest"])
    return Found(f"run:{name}/{step}/{output}", reference)


def _reference(inventory: Manifest) -> InventoryRef:
    return InventoryRef(inventory["datastore"], inventory["path"], inventory["digest"])
