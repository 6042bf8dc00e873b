"""DatasetVersion: one immutable state of a dataset, created by the operator only."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from towpath.api.markers import LIST_ATOMIC, LIST_SET, PrinterColumn, Rule, unchanged, with_rules
from towpath.api.meta import Conditions, KindInfo, Model, Resource, StatusModel
from towpath.api.scalars import (
    Count,
    Digest,
    FilePath,
    ObjectName,
    PortName,
    StepName,
    Tags,
    Text,
    VersionNumber,
)
from towpath.api.sources import DatasetType, Format


class Column(Model):
    """One column of a Tabular version."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    """Name of the column."""
    type: Annotated[str, Field(min_length=1, max_length=64)]
    """What its values are, such as string, integer, number, boolean or datetime."""


class TableSchema(Model):
    """The columns of a Tabular version."""

    columns: Annotated[tuple[Column, ...], Field(max_length=2000), LIST_ATOMIC] = ()
    """The columns, in their order."""


class InventoryRef(Model):
    """Where an inventory lies, and its digest."""

    datastore: ObjectName
    """The Datastore that holds the inventory."""
    path: FilePath
    """Key of the inventory below the datastore's prefix."""
    digest: Digest
    """Digest over the inventory's canonical form: the identity of the version."""


class ProducedBy(Model):
    """The step that wrote a version."""

    run: ObjectName
    """Name of the PipelineRun."""
    step: StepName
    """Name of the step."""
    output: PortName
    """Name of the output."""
    attempt: Annotated[str, Field(min_length=1, max_length=128)]
    """The attempt whose bytes these are: its number and the UID of its pod."""


class DerivedFrom(Model):
    """A version that the producing step read."""

    dataset: Annotated[str, Field(max_length=253)] | None = None
    """Name of the dataset; omitted for an input that was not registered."""
    version: VersionNumber | None = None
    """Number of the version; omitted for an input that was not registered."""
    digest: Digest
    """Digest of what was read."""
    input: PortName
    """Name of the input through which it was read."""


FIXED = (
    "dataset",
    "version",
    "type",
    "directory",
    "file",
    "format",
    "schema",
    "inventory",
    "datastores",
    "files",
    "bytes",
    "scratchBytes",
    "producedBy",
    "derivedFrom",
)


class DatasetVersionSpec(Model):
    """What this version is."""

    model_config = with_rules(
        Rule(
            unchanged(*FIXED),
            "a version never changes, but for tags and description: register other content as the "
            "next version",
        )
    )

    dataset: ObjectName
    """Name of the Dataset object that this is a version of."""
    version: VersionNumber
    """Its number; the next version has a higher one."""
    type: DatasetType
    """File (records are files) or Tabular (records are rows)."""
    directory: bool
    """False where the version is one single file, which steps then get as that file; true where it is a
    folder."""
    file: FilePath | None = None
    """Path of the one file in the inventory, where `directory` is false."""
    format: Format | None = None
    """How rows are written, of a Tabular version."""
    schema_: Annotated[TableSchema | None, Field(alias="schema")] = None
    """The columns, of a Tabular version."""
    inventory: InventoryRef
    """Where the list of its files lies, and that list's digest."""
    datastores: Annotated[tuple[ObjectName, ...], Field(max_length=64), LIST_SET] = ()
    """The Datastores in which its files lie."""
    files: Count
    """How many files it has."""
    bytes: Count
    """How many bytes they have together."""
    scratch_bytes: Count = 0
    """Disk that they take in a pod: each file rounded up to 4 KiB, and 4 KiB per folder."""
    produced_by: ProducedBy | None = None
    """The step that wrote it; absent where it was taken from sources."""
    derived_from: Annotated[tuple[DerivedFrom, ...], Field(max_length=64), LIST_ATOMIC] = ()
    """What that step read."""
    tags: Tags = Field(default_factory=dict)
    """Words for people and searches; may be edited."""
    description: Text | None = None
    """A sentence for people; may be edited."""


class DatasetVersionStatus(StatusModel):
    """What the operator says of the version."""

    observed_generation: Count = 0
    """The `metadata.generation` that the conditions speak of."""
    conditions: Conditions = ()
    """What can be said of the version."""


class DatasetVersion(Resource):
    """One immutable state of a dataset. Created by the operator only, named <dataset>-v<number>."""

    info: ClassVar[KindInfo] = KindInfo(
        kind="DatasetVersion",
        plural="datasetversions",
        short_name="tpver",
        columns=(
            PrinterColumn("Dataset", ".spec.dataset"),
            PrinterColumn("Version", ".spec.version", "integer"),
            PrinterColumn("Type", ".spec.type"),
            PrinterColumn("Files", ".spec.files", "integer"),
            PrinterColumn("Bytes", ".spec.bytes", "integer"),
            PrinterColumn("Run", ".spec.producedBy.run"),
            PrinterColumn("Step", ".spec.producedBy.step", priority=1),
            PrinterColumn("Digest", ".spec.inventory.digest", priority=1),
            PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
        ),
        selectable=(".spec.dataset",),
    )
    model_config = with_rules(
        Rule(
            # Comparing with `string(version)` would say the same, but its estimated cost is unbounded.
            "self.metadata.name.matches('-v[1-9][0-9]*$') && "
            "self.metadata.name.startsWith(self.spec.dataset + '-v') && "
            "int(self.metadata.name.substring(size(self.spec.dataset) + 2)) == self.spec.version",
            "the name of a DatasetVersion is <dataset>-v<version>, such as iris-v3: versions are "
            "created by the "
            "operator, from a Dataset's sources or from a run's output with register",
        )
    )

    kind: Literal["DatasetVersion"] = "DatasetVersion"
    spec: DatasetVersionSpec
    """What this version is."""
    status: DatasetVersionStatus = DatasetVersionStatus()
    """What the operator says of the version."""
