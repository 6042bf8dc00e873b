"""The ports of a step: what it reads (inputs) and what it writes (outputs)."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from towpath.api.markers import Rule, with_rules
from towpath.api.meta import Model
from towpath.api.scalars import (
    DatasetName,
    MountPath,
    NewDatasetName,
    ObjectName,
    PortName,
    StepName,
    Tags,
    Text,
    VersionOrReference,
)
from towpath.api.sources import FORMAT_FOLLOWS_TYPE, DatasetType, Format, InlineDataset
from towpath.api.transforms import Transforms


class Mode(StrEnum):
    """How an input reaches the step."""

    DOWNLOAD = "Download"
    MOUNT = "Mount"
    AUTO = "Auto"


class Access(StrEnum):
    """How much of an input the step reads."""

    WHOLE = "Whole"
    PARTIAL = "Partial"


class OnUnavailable(StrEnum):
    """What to do where an input cannot be mounted."""

    FAIL = "Fail"
    DOWNLOAD = "Download"


class DatasetRef(Model):
    """A dataset, and perhaps one of its versions."""

    name: DatasetName
    """Name of the dataset, as NAME or NAME@VERSION, or a reference such as `$(params.data)`."""
    version: VersionOrReference | None = None
    """Number of the version; the latest where omitted, pinned when the run starts."""


class StepOutputRef(Model):
    """An output of another step of the same run; the step starts when it has been published."""

    step: StepName
    """Name of the other step."""
    output: PortName | None = None
    """Name of its output; may be omitted where it has only one."""
    format: Format | None = None
    """How its rows are written: transforms then select rows of its files, and whole files where omitted."""


class Input(Model):
    """Data that a step reads, under /towpath/inputs/<name>."""

    model_config = with_rules(
        Rule(
            "(has(self.dataset) ? 1 : 0) + (has(self.from) ? 1 : 0) + (has(self.source) ? 1 : 0) <= 1",
            "an input comes from at most one of dataset, from and source: keep one of them (with "
            "none, it is the "
            "dataset of its own name)",
        )
    )

    name: PortName
    """Name of the input: the step finds its path in $(inputs.<name>.path) and TOWPATH_INPUT_<NAME>."""
    dataset: DatasetRef | None = None
    """A registered dataset. With none of dataset, from and source it is the dataset of the input's name."""
    from_: Annotated[StepOutputRef | None, Field(alias="from")] = None
    """An output of another step of this pipeline."""
    source: InlineDataset | None = None
    """Files that are not registered, listed when the run starts."""
    transforms: Transforms = ()
    """Views of the data, one after another: samples, splits, filters. Nothing is copied for them."""
    mode: Mode = Mode.DOWNLOAD
    """Download (verified copies on the node's disk), Mount, or Auto (decided by size and disk, and
    recorded)."""
    mount_path: MountPath | None = None
    """Where it appears in the step's container, instead of /towpath/inputs/<name>."""
    access: Access = Access.WHOLE
    """Whether the step reads all of it (Whole) or parts of its files (Partial); a hint to `mode: Auto`."""
    on_unavailable: OnUnavailable = OnUnavailable.FAIL
    """What to do where it cannot be mounted: Fail, or Download instead."""
    allow_empty: bool = False
    """True lets the step run with an input that has no files."""


class Register(Model):
    """Records a published output as the next version of a dataset."""

    model_config = with_rules(FORMAT_FOLLOWS_TYPE)

    name: NewDatasetName
    """Name of the dataset; it is made by the first version."""
    type: DatasetType = DatasetType.FILE
    """File (records are files) or Tabular (records are rows)."""
    format: Format | None = None
    """How rows are written; with type Tabular only."""
    tags: Tags = Field(default_factory=dict)
    """Tags of the version."""
    description: Text | None = None
    """Description of the version."""


class Export(Model):
    """A copy of an output at a place of your choice, made after the step has succeeded."""

    datastore: ObjectName | None = None
    """The Datastore to copy to; `default` where omitted."""
    path: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^/\x00-\x1f][^\x00-\x1f]*$")]
    """Folder in that datastore; {run-id}, {output-name} and references such as `$(params.day)` are
    replaced."""


class Output(Model):
    """Data that a step writes to /towpath/outputs/<name>; published when the step has succeeded, whole or not
    at all."""

    model_config = with_rules(
        Rule(
            "!self.makeDirectory || !has(self.directory) || self.directory",
            "makeDirectory makes a folder, and directory: false says the output is one file: remove "
            "one of them",
        )
    )

    name: PortName
    """Name of the output: the step finds its path in $(outputs.<name>.path) and TOWPATH_OUTPUT_<NAME>."""
    datastore: ObjectName | None = None
    """The Datastore to publish to; `default` where omitted."""
    register_: Annotated[Register | None, Field(alias="register")] = None
    """Records the output as the next version of a dataset."""
    directory: bool | None = None
    """True: a folder, false: one file. Where omitted, what the step wrote decides."""
    mount_path: MountPath | None = None
    """Where the step writes it, instead of /towpath/outputs/<name>."""
    make_directory: bool = False
    """True makes the folder before the step starts, for code that writes into a folder it did not make."""
    optional: bool = False
    """True lets the step succeed without having written it."""
    allow_empty: bool = False
    """True lets the step succeed with a folder that has no files."""
    export: Export | None = None
    """Also copy it to a place of your choice."""
