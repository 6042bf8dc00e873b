"""Dataset: a named series of immutable versions."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from towpath.api.markers import LIST_ATOMIC, PrinterColumn, Rule, with_rules
from towpath.api.meta import Conditions, KindInfo, Model, Resource, StatusModel, Time
from towpath.api.scalars import Count, Digest, Tags, Text
from towpath.api.sources import FORMAT_FOLLOWS_TYPE, DatasetType, Format, Source


class DeletionPolicy(StrEnum):
    """What becomes of a deleted version's data."""

    RETAIN = "Retain"
    DELETE = "Delete"


class Refresh(Model):
    """When to look again at the sources."""

    model_config = with_rules(
        Rule(
            "has(self.intervalSeconds) || self.beforeRun",
            "refresh without intervalSeconds or beforeRun: true does nothing: give one of them, or "
            "remove refresh",
        )
    )

    interval_seconds: Annotated[int, Field(ge=60, le=31_536_000)] | None = None
    """Look again when so many seconds have passed since the last look."""
    before_run: bool = False
    """True looks again whenever a run that takes the latest version starts."""


class DatasetSpec(Model):
    """Where the files come from, and what they are."""

    model_config = with_rules(
        FORMAT_FOLLOWS_TYPE,
        Rule(
            "!has(self.refresh) || (has(self.sources) && size(self.sources) > 0)",
            "refresh looks again at sources, and there are none: add sources, or remove refresh",
        ),
    )

    type: DatasetType = DatasetType.FILE
    """File (records are files) or Tabular (records are rows)."""
    format: Format | None = None
    """How rows are written; with type Tabular only."""
    sources: Annotated[tuple[Source, ...], Field(max_length=64), LIST_ATOMIC] = ()
    """Where the files come from. A Dataset without sources gets its versions from runs that register to
    it."""
    refresh: Refresh | None = None
    """When to look again at the sources, besides a change of this spec or of towpath.dev/requested-at."""
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN
    """What becomes of a deleted version's data: Retain, or Delete. Data that Towpath did not write always
    stays."""
    description: Text | None = None
    """A sentence for people."""
    tags: Tags = Field(default_factory=dict)
    """Words for people and searches, such as `owner: team-a`."""


class DatasetStatus(StatusModel):
    """The latest version, and the last look at the sources."""

    observed_generation: Count = 0
    """The `metadata.generation` that the conditions speak of."""
    conditions: Conditions = ()
    """`Ready`: whether the latest version can be used, or why there is none."""
    latest_version: Count | None = None
    """Number of the newest version that exists."""
    last_version: Count | None = None
    """Highest number ever given; numbers are never used twice."""
    files: Count | None = None
    """Files of the latest version."""
    bytes: Count | None = None
    """Bytes of the latest version."""
    digest: Digest | None = None
    """Digest of the latest version's inventory: its identity."""
    observed_at: Time | None = None
    """When the last look at the sources ended."""
    look_began_at: Time | None = None
    """When that look began: it has seen what lay there by then."""
    requested_at: Annotated[str, Field(max_length=256)] | None = None
    """The value of the annotation towpath.dev/requested-at that the last look answered."""


class Dataset(Resource):
    """A named series of immutable versions."""

    info: ClassVar[KindInfo] = KindInfo(
        kind="Dataset",
        plural="datasets",
        short_name="tpset",
        columns=(
            PrinterColumn("Type", ".spec.type"),
            PrinterColumn("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            PrinterColumn("Reason", ".status.conditions[?(@.type=='Ready')].reason"),
            PrinterColumn("Latest", ".status.latestVersion", "integer"),
            PrinterColumn("Files", ".status.files", "integer"),
            PrinterColumn("Bytes", ".status.bytes", "integer"),
            PrinterColumn("Digest", ".status.digest", priority=1),
            PrinterColumn("Looked", ".status.observedAt", "date", priority=1),
            PrinterColumn("Age", ".metadata.creationTimestamp", "date"),
            PrinterColumn("Message", ".status.conditions[?(@.type=='Ready')].message"),
        ),
    )
    # Its versions are named <dataset>-v<number>, and that must stay a name.
    model_config = with_rules(
        Rule(
            "size(self.metadata.name) <= 200", "the name of a Dataset has at most 200 characters: shorten it"
        )
    )

    kind: Literal["Dataset"] = "Dataset"
    spec: DatasetSpec
    """Where the files come from, and what they are."""
    status: DatasetStatus = DatasetStatus()
    """The latest version, and the last look at the sources; written by the operator."""
