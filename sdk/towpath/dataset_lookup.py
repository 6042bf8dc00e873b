"""A registered dataset's objects → the FileDataset or TabularDataset that users get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from towpath.backend import Kind, Manifest
from towpath.errors import NotFoundError
from towpath.file_dataset import FileDataset
from towpath.flow import names
from towpath.lookups import find
from towpath.registered import facts_of
from towpath.tabular_dataset import TabularDataset
from towpath.view import Registered

if TYPE_CHECKING:
    from towpath.workspace import Workspace

AnyRegistered = FileDataset | TabularDataset


def dataset_of(workspace: Workspace, dataset: Manifest, number: int | None = None) -> AnyRegistered:
    """Return a dataset; without a number it shows the latest version, and pipelines take the latest at their start."""
    version = _version(workspace, dataset, number)
    facts = facts_of(workspace, dataset, version)
    kind = TabularDataset if dataset.get("spec", {}).get("type") == "Tabular" else FileDataset
    found = kind(Registered(facts.name, number))
    found.facts = facts
    return found


def find_dataset(workspace: Workspace, name: str, number: int | None) -> AnyRegistered:
    """Look a dataset up by name."""
    return dataset_of(workspace, find(workspace.backend, Kind.DATASET, name), number)


def find_by_digest(workspace: Workspace, digest: str) -> AnyRegistered:
    """Look a dataset up by the digest of one of its versions."""
    for version in workspace.backend.list_objects(Kind.DATASET_VERSION):
        if version["spec"]["inventory"]["digest"] == digest:
            dataset = find(workspace.backend, Kind.DATASET, version["spec"]["dataset"])
            return dataset_of(workspace, dataset, version["spec"]["version"])
    raise NotFoundError(f"No dataset of {workspace.backend.where} has a version with the digest {digest}.")


def versions_of(workspace: Workspace, dataset: Manifest) -> list[Manifest]:
    """Return a dataset's versions, oldest first."""
    name = dataset["metadata"]["name"]
    labels = {names.DATASET_LABEL: names.label_value(name)}
    found = workspace.backend.list_objects(Kind.DATASET_VERSION, labels)
    return sorted(found, key=lambda version: int(version["spec"]["version"]))


def _version(workspace: Workspace, dataset: Manifest, number: int | None) -> Manifest | None:
    versions = versions_of(workspace, dataset)
    if number is None:
        return versions[-1] if versions else None
    for version in versions:
        if version["spec"]["version"] == number:
            return version
    existing = ", ".join(str(version["spec"]["version"]) for version in versions) or "none yet"
    name = dataset["metadata"]["name"]
    raise NotFoundError(f"The dataset {name} has no version {number}. Its versions are {existing}.")
