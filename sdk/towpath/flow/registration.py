"""An accepted output, and the versions that exist → the version it is, or the number that it gets.

Numbers are never used twice: `status.lastVersion` is raised before the version is created, so a crash leaves a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from towpath.api.sources import Format
from towpath.flow import names
from towpath.flow.decision import Derivation, Registration
from towpath.flow.documents import content_document
from towpath.flow.listing import format_document
from towpath.flow.observed import ObservedVersion
from towpath.flow.planned import RunIdentity


@dataclass(frozen=True)
class Existing:
    """This version is it: nothing is created."""

    version: ObservedVersion


@dataclass(frozen=True)
class Next:
    """The next version gets this number, once `status.lastVersion` says so."""

    number: int


def register(
    last_version: int, versions: Iterable[ObservedVersion], produced_by: Mapping[str, Any] | None, digest: str
) -> Existing | Next:
    """Which version a content is. `last_version` is the dataset's `status.lastVersion`, 0 if it has none.

    What this very output made before a crash is found by `produced_by`; content equal to the latest version's is
    that version; content that only an older one had is a new version, or `latest` would lie.
    """
    ordered = sorted(versions, key=lambda version: version.version)
    if produced_by is not None:
        for version in ordered:
            if version.produced_by and dict(version.produced_by) == dict(produced_by):
                return Existing(version)
    if ordered and ordered[-1].digest == digest:
        return Existing(ordered[-1])
    highest = ordered[-1].version if ordered else 0
    return Next(max(last_version, highest) + 1)


def refusal(registration: Registration, dataset_spec: Mapping[str, Any]) -> str | None:
    """Why a Dataset does not take versions from runs, or None; `dataset_spec` is the object's."""
    register = registration.register
    name = register.dataset
    if dataset_spec.get("sources"):
        return f"Dataset {name} gets its versions from its sources, so no run may register to it."
    type_ = dataset_spec.get("type", "File")
    if type_ != register.type:
        return f"Dataset {name} is of type {type_}, and the output would be {register.type}."
    if not is_of_format(dataset_spec.get("format"), register.format):
        return f"The rows of Dataset {name} are {dataset_spec.get('format')}, and the output's {register.format}."
    return None


def is_of_format(format_: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> bool:
    """Whether the format of an object is this one, defaults or not."""
    return format_document(None if format_ is None else Format.model_validate(format_)) == wanted


def produced_by(run: RunIdentity, registration: Registration) -> dict[str, str]:
    """What a version says of its origin; the attempt's ID makes it unlike any other."""
    return {
        "run": run.name,
        "step": registration.step,
        "output": registration.output,
        "attempt": registration.attempt,
    }


def version_spec(run: RunIdentity, registration: Registration, number: int) -> dict[str, Any]:
    """The spec of the DatasetVersion that records this output."""
    register = registration.register
    content = content_document(registration.content)
    spec = {"dataset": register.dataset, "version": number, "type": register.type, **content}
    spec["producedBy"] = produced_by(run, registration)
    optional: dict[str, Any] = {
        "format": register.format,
        "derivedFrom": [_derivation(entry) for entry in registration.derived_from],
        "tags": dict(register.tags),
        "description": register.description,
    }
    return spec | {name: value for name, value in optional.items() if value}


def dataset_manifest(run: RunIdentity, registration: Registration) -> dict[str, Any]:
    """The Dataset that the first registration makes. It belongs to nobody: versions outlive runs."""
    register = registration.register
    metadata = {"name": register.dataset, "namespace": run.namespace}
    annotations = {"annotations": {names.GIVEN_NAME_ANNOTATION: register.given_name}}
    return {
        "apiVersion": names.API_VERSION,
        "kind": "Dataset",
        "metadata": metadata | annotations,
        "spec": {"type": register.type} | ({"format": register.format} if register.format else {}),
    }


def version_manifest(run: RunIdentity, registration: Registration, number: int) -> dict[str, Any]:
    """The DatasetVersion object to create."""
    name = names.version_name(registration.register.dataset, number)
    return {
        "apiVersion": names.API_VERSION,
        "kind": "DatasetVersion",
        "metadata": {"name": name, "namespace": run.namespace, "labels": version_labels(registration)},
        "spec": version_spec(run, registration, number),
    }


def version_labels(registration: Registration) -> dict[str, str]:
    """The labels by which a dataset's versions are listed."""
    return {names.DATASET_LABEL: names.label_value(registration.register.dataset)}


def _derivation(entry: Derivation) -> dict[str, Any]:
    document: dict[str, Any] = {"input": entry.input, "digest": entry.digest}
    optional = {"dataset": entry.dataset, "version": entry.version}
    return document | {name: value for name, value in optional.items() if value is not None}
