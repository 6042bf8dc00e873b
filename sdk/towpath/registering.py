"""A dataset that is defined → a Dataset object, and the version that a mover makes of it; tags and descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from towpath.backend import Kind, Manifest
from towpath.dataset_lookup import versions_of
from towpath.errors import AlreadyExistsError, DatasetValidationError, UserErrorException, WaitTimeoutError
from towpath.flow import names
from towpath.lookups import find, given_name
from towpath.registered import RegisteredFacts, facts_of
from towpath.view import InPlace

if TYPE_CHECKING:
    from towpath.dataset_base import AnyDataset
    from towpath.workspace import Workspace

_MOST_SECONDS = 600.0
# Reasons that another look, or a probe that is under way, may end.
_PASSING = ("TakingInventory", "NoVersion", "DatastoreNotReady", "UrlChanged")
_CONTENT = ("type", "format", "sources")


def register(
    dataset: AnyDataset, workspace: Workspace, name: str, about: Mapping[str, Any], create_new_version: bool
) -> RegisteredFacts:
    """Make or change the Dataset, wait for its version, and return what is known of that."""
    object_name = names.object_name(name)
    if not names.is_object_name(object_name):
        raise UserErrorException(f"A dataset cannot be named {name!r}: use letters, digits, - and _.")
    spec = _spec(dataset, about)
    for source in spec["sources"]:
        if "datastore" in source:
            find(workspace.backend, Kind.DATASTORE, source["datastore"])
    existing = workspace.backend.get(Kind.DATASET, object_name)
    if existing is None:
        metadata = {"name": object_name, "annotations": {names.GIVEN_NAME_ANNOTATION: name}}
        made = workspace.backend.create(_manifest(metadata, spec))
    else:
        _check_name(existing, name)
        if not create_new_version and not _is_same(existing["spec"], spec):
            raise AlreadyExistsError(
                f"The dataset {name} has other sources. Say create_new_version=True to make these its next version."
            )
        made = workspace.backend.apply(_manifest({"name": object_name}, {**existing["spec"], **spec}))
    return wait_until_ready(workspace, made)


def wait_until_ready(workspace: Workspace, dataset: Manifest) -> RegisteredFacts:
    """Wait until a mover has looked at the sources; DatasetValidationError says what is wrong with them."""
    name, generation = dataset["metadata"]["name"], dataset["metadata"].get("generation", 0)
    said = "nothing was said of it yet"
    for seen in workspace.backend.watch(Kind.DATASET, name, _MOST_SECONDS):
        ready = _ready(seen, generation)
        if ready.get("status") == "True":
            latest = versions_of(workspace, seen)
            return facts_of(workspace, seen, latest[-1] if latest else None)
        if ready.get("status") == "False" and ready.get("reason") not in _PASSING:
            raise DatasetValidationError(f"The dataset {given_name(seen)}: {ready.get('message')}")
        said = str(ready.get("message") or said)
    raise WaitTimeoutError(f"The dataset {name} is not Ready after {_MOST_SECONDS:.0f} s: {said}")


def edit(facts: RegisteredFacts, description: str | None, tags: dict[str, str] | None) -> RegisteredFacts:
    """Set description and tags of a version (of the Dataset, as long as it has none); return how it is then."""
    backend = facts.workspace.backend
    spec: dict[str, Any] = {} if description is None else {"description": description}
    if tags is not None:
        # A merge patch removes a tag only where it names it.
        spec["tags"] = {**dict.fromkeys(facts.tags), **tags}
    object_name = names.object_name(facts.name)
    kind, name = Kind.DATASET, object_name
    if facts.version is not None:
        kind, name = Kind.DATASET_VERSION, names.version_name(object_name, facts.version)
    if spec:
        backend.patch(kind, name, {"spec": spec})
    version = backend.get(Kind.DATASET_VERSION, name) if kind is Kind.DATASET_VERSION else None
    return facts_of(facts.workspace, find(backend, Kind.DATASET, facts.name), version)


def unregister(facts: RegisteredFacts) -> None:
    """Delete the records of all versions, then the Dataset."""
    backend = facts.workspace.backend
    dataset = find(backend, Kind.DATASET, facts.name)
    # The Dataset goes first: while it has sources it would make versions anew.
    versions = versions_of(facts.workspace, dataset)
    backend.delete(Kind.DATASET, dataset["metadata"]["name"])
    for version in versions:
        backend.delete(Kind.DATASET_VERSION, version["metadata"]["name"])


def _spec(dataset: AnyDataset, about: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(dataset.origin, InPlace):
        raise UserErrorException(
            f"{dataset!r} is registered already: register sources (Dataset.File.from_files)."
        )
    if dataset.transforms:
        raise UserErrorException(
            "A part of a dataset is a view, and is not registered: take it where a step reads it, or let a step "
            "write it to an output with register."
        )
    return {**dataset.origin.spec, **{name: value for name, value in about.items() if value is not None}}


def _is_same(existing: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    from towpath.api.dataset import DatasetSpec  # noqa: PLC0415 - pydantic is loaded only where it compares

    plain = [DatasetSpec.model_validate(spec).as_dict() for spec in (existing, wanted)]
    first, second = ({name: spec.get(name) for name in _CONTENT} for spec in plain)
    return first == second


def _check_name(existing: Manifest, name: str) -> None:
    other = given_name(existing)
    if other not in (name, existing["metadata"]["name"]) and name != existing["metadata"]["name"]:
        raise AlreadyExistsError(
            f"The names {other} and {name} both mean the Dataset {existing['metadata']['name']}. Use one of them."
        )


def _manifest(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": names.API_VERSION,
        "kind": str(Kind.DATASET),
        "metadata": dict(metadata),
        "spec": dict(spec),
    }


def _ready(dataset: Manifest, generation: int) -> dict[str, Any]:
    """The Ready condition, if it speaks of this generation of the spec."""
    for condition in dataset.get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition.get("observedGeneration", 0) >= generation:
            return dict(condition)
    return {}
