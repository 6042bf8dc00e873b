"""Inputs that are datasets → the one version each of them reads: pinned once, when the run starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from towpath.api.datasetversion import DatasetVersion
from towpath.api.pipeline import PipelineSpec
from towpath.api.ports import Input
from towpath.api.step import Step
from towpath.flow import checks, names, references
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Content, Counted, InventoryRef, Pinned, PinnedVersion
from towpath.flow.listing import format_document
from towpath.flow.readiness import Patience, is_looked_at_for, why_not_ready
from towpath.flow.sources import Sources
from towpath.flow.stalled import StalledError


@dataclass(frozen=True)
class WantedDataset:
    """What an input asks for: the object's name, the name as given, and a version if it says one."""

    name: str
    given: str
    version: int | None = None


def wanted_datasets(
    spec: PipelineSpec, values: Mapping[str, str]
) -> Iterator[tuple[Step, Input, WantedDataset]]:
    """Every input that is a dataset, with what it asks for; references are replaced by `values`."""
    for step in spec.steps:
        for given in step.inputs:
            if checks.takes_dataset(given):
                yield step, given, _wanted(step, given, {**values, "step.name": step.name})


def pin(sources: Sources, patience: Patience, wanted: WantedDataset) -> PinnedVersion:
    """The version that is read; raises if there is none, or not yet."""
    version = _pinned(sources, patience, wanted)
    return PinnedVersion(wanted.name, version.spec.version, content_of(version))


def content_of(version: DatasetVersion) -> Content:
    """What a version holds, as a step is told of it."""
    spec = version.spec
    return Content(
        inventory=InventoryRef(spec.inventory.datastore, spec.inventory.path, spec.inventory.digest),
        files=spec.files,
        bytes=spec.bytes,
        scratch_bytes=spec.scratch_bytes,
        directory=spec.directory,
        file=spec.file,
        datastores=spec.datastores or (spec.inventory.datastore,),
        format=format_document(spec.format),
    )


def _wanted(step: Step, given: Input, values: Mapping[str, str]) -> WantedDataset:
    where = f"Step {step.name}, input {given.name}"
    text = references.substitute(checks.dataset_reference(given), values)
    name, _, version = text.partition("@")
    if given.dataset and given.dataset.version is not None:
        if version:
            raise _invalid(f"{where}: {text} names a version, and so does `version`. Keep one of them.")
        version = references.substitute(str(given.dataset.version), values)
    if not names.is_object_name(names.object_name(name)):
        raise _invalid(f"{where}: {text!r} is not the name of a dataset. Write NAME or NAME@VERSION.")
    return WantedDataset(names.object_name(name), name, _number(where, version))


def _number(where: str, version: str) -> int | None:
    if not version:
        return None
    if not (version.isascii() and version.isdigit() and len(version) <= 10 and int(version) > 0):
        raise _invalid(f"{where}: {version!r} is not the number of a version, such as 3.")
    return int(version)


def _pinned(sources: Sources, patience: Patience, wanted: WantedDataset) -> DatasetVersion:
    versions = {version.spec.version: version for version in sources.versions.get(wanted.name, ())}
    if wanted.version is not None:
        return _numbered(versions, patience, wanted)
    dataset = sources.datasets.get(wanted.name)
    if dataset is None:
        raise patience.missing("Dataset", wanted.given, sources.known.datasets)
    created_at = sources.run.metadata.creation_timestamp or sources.first_seen_at
    if not is_looked_at_for(dataset, created_at):
        raise patience.not_looked_at(dataset, created_at)
    why = why_not_ready(dataset)
    if why or not versions:
        raise patience.not_ready("Dataset", wanted.name, why or "it has no version yet.")
    return versions[max(versions)]


def _numbered(
    versions: Mapping[int, DatasetVersion], patience: Patience, wanted: WantedDataset
) -> DatasetVersion:
    # Versions outlive their Dataset, and one that is asked for by number needs nothing else.
    for number, version in versions.items():
        if number == wanted.version:
            return version
    known = [f"{wanted.given}@{number}" for number in sorted(versions)[-5:]]
    raise patience.missing("DatasetVersion", f"{wanted.given}@{wanted.version}", known)


def refuse_empty(step: Step, given: Input, pinned: Pinned, counted: Counted | None) -> None:
    """Raise StalledError for an input that has no files, or whose view selects none."""
    content = pinned.content
    if (counted or content).files:
        return
    what = (
        f"version {pinned.version} of {pinned.dataset}" if isinstance(pinned, PinnedVersion) else "its source"
    )
    words = f"its transforms select none of the {content.files} files of {what}"
    words = words if content.files else f"{what} has no files"
    raise StalledError(
        RunReason.EMPTY_INPUT,
        f"Step {step.name}, input {given.name}: {words}. Say allowEmpty: true if that is meant.",
    )


def _invalid(message: str) -> StalledError:
    return StalledError(RunReason.INVALID_PIPELINE, message)
