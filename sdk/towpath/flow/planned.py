"""What a plan holds: everything that a run will do, fixed before its first Job.

`plan.py` makes it from resolved facts; the operator writes it once, as an immutable ConfigMap;
the step's movers read the documents of `documents.py` that are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from towpath.api.step import Reuse
from towpath.flow.contents import Content, Counted, Pinned
from towpath.flow.planned_datastores import PlannedDatastore

# Who raises it lets `restore.py` read the one before, and goes on telling the movers of older plans what those read.
FORMAT_VERSION = 1
# The kind of a datastore that is a volume of the pod.
CLAIM = "persistentVolumeClaim"


@dataclass(frozen=True)
class StepOutputRef:
    """An output of another step of the same run. `format` is how rows are written, where its records are rows."""

    step: str
    output: str
    format: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Mounting:
    """How one input comes, and what its note says of that."""

    is_mounted: bool
    note: str | None = None


@dataclass(frozen=True)
class PlannedInput:
    """One input: its folder in the pod, and what is staged there.

    `note`: what was granted instead, or drawn. `is_mounted`: its files are links into its datastores' mounts.
    `transforms`: the view in canonical documents, seeds included;
    `counted`: what it holds, of what was pinned.
    """

    name: str
    path: str
    source: Pinned | StepOutputRef
    note: str | None = None
    allow_empty: bool = False
    transforms: tuple[Mapping[str, Any], ...] = ()
    counted: Counted | None = None
    is_mounted: bool = False

    @property
    def pinned(self) -> Content | None:
        """What was pinned for it; None where it takes an output of the same run."""
        return None if isinstance(self.source, StepOutputRef) else self.source.content

    @property
    def format(self) -> Mapping[str, Any] | None:
        """How rows are written, in the API's form; None where records are files."""
        return self.source.format if isinstance(self.source, StepOutputRef) else self.source.content.format


@dataclass(frozen=True)
class PlannedRegistration:
    """How an accepted output becomes a version. `dataset` is the object's name, `given_name` the user's."""

    dataset: str
    given_name: str
    type: str = "File"
    description: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    format: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class PlannedExport:
    """Where a copy of an accepted output goes: a folder of a datastore, its `path` as a key below the prefix."""

    datastore: str
    path: str


@dataclass(frozen=True)
class PlannedOutput:
    """One output. `prefix` goes up to the attempt: data lie at `<prefix><attempt>-<pod uid>/<name>/data/`.

    `packed`: its small files share objects, for nobody but steps that download them will look for them.
    """

    name: str
    path: str
    datastore: str
    prefix: str
    optional: bool = False
    allow_empty: bool = False
    directory: bool | None = None
    make_directory: bool = False
    register: PlannedRegistration | None = None
    packed: bool = False
    export: PlannedExport | None = None


@dataclass(frozen=True)
class PlannedCode:
    """A step's code: inline files, or a ConfigMap whose data has this digest."""

    digest: str
    inline: Mapping[str, str] | None = None
    config_map: str | None = None


@dataclass(frozen=True)
class Origin:
    """The step that computed what others take: its run's name and UID, and its own name."""

    run: str
    uid: str
    step: str


@dataclass(frozen=True)
class EarlierStep:
    """A step that succeeded, by its fingerprint, and what it published: what an equal one may take.

    `lost` says why that is not to be taken any more.
    """

    origin: Origin
    fingerprint: str
    outputs: Mapping[str, Content] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    attempt_id: str | None = None
    lost: str | None = None


@dataclass(frozen=True)
class PlannedTarget:
    """What a step takes of its compute target, copied: a later change of the PodTemplate means nothing to the run.

    `pod` has fields of the pod's spec as they are; image, resources, env, security context and pull secrets are
    merged into the step, and stand here no more once it is planned. `max_scratch_bytes` bounds what the step's inputs
    may take of a node's disk.
    """

    name: str
    max_scratch_bytes: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    pod: Mapping[str, Any] = field(default_factory=dict)
    volumes: tuple[Mapping[str, Any], ...] = ()
    volume_mounts: tuple[Mapping[str, Any], ...] = ()
    read_only_root: bool = False
    image: str | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    env: tuple[Mapping[str, Any], ...] = ()
    security_context: Mapping[str, Any] = field(default_factory=dict)
    image_pull_secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedShards:
    """A step that is run `count` times, each time with its share of one input; at most `parallelism` at once."""

    input: str
    count: int
    parallelism: int | None = None


@dataclass(frozen=True)
class PlannedStep:
    """One step. `command`, `args` and `env` are templates; references are substituted when the Job is made.

    `contract` is the part of the fingerprint that is known now: component → digest or text; `reuse` says when an
    earlier step of the same fingerprint is taken instead.
    `result_prefix` is where the attempt's `result` object goes: `<result_prefix><attempt>-<pod uid>/result`.
    `digest` is that of its document as it was written, by whatever release: its Jobs carry it.
    """

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    inputs: tuple[PlannedInput, ...]
    outputs: tuple[PlannedOutput, ...]
    depends_on: tuple[str, ...]
    result_prefix: str
    contract: Mapping[str, str]
    env: tuple[Mapping[str, Any], ...] = ()
    env_from: tuple[Mapping[str, Any], ...] = ()
    code: PlannedCode | None = None
    resources: Mapping[str, Any] = field(default_factory=dict)
    security_context: Mapping[str, Any] = field(default_factory=dict)
    image_pull_secrets: tuple[str, ...] = ()
    retries: int = 0
    timeout_seconds: int | None = None
    pending_timeout_seconds: int | None = None
    termination_grace_period_seconds: int | None = None
    queue_name: str | None = None
    target: PlannedTarget | None = None
    shards: PlannedShards | None = None
    reuse: Reuse = Reuse.NEVER
    digest: str = ""

    @property
    def needs_movers(self) -> bool:
        """A step without inputs, outputs, code and timeout is one plain container (design, section 3)."""
        return bool(self.inputs or self.outputs or self.code or self.timeout_seconds)


@dataclass(frozen=True)
class RunIdentity:
    """The run that a plan is for. `uid` is the PipelineRun's."""

    name: str
    uid: str
    namespace: str


@dataclass(frozen=True)
class Plan:
    """A whole run. `steps` stand in topological order; `params` hold their canonical texts.

    `retry_of` is the run whose succeeded steps are kept. `digest` is that of the document that all its pods share, as
    it was written, by whatever release: movers believe no other.
    """

    run: RunIdentity
    pipeline: str
    params: Mapping[str, str]
    steps: tuple[PlannedStep, ...]
    datastores: tuple[PlannedDatastore, ...]
    mover_image: str
    cluster_id: str
    notes: tuple[str, ...] = ()
    timeout_seconds: int | None = None
    continue_on_step_failure: bool = False
    keep_seconds: int | None = None
    retry_of: RunIdentity | None = None
    digest: str = ""

    def step(self, name: str) -> PlannedStep:
        """The step of this name; KeyError if there is none."""
        return {step.name: step for step in self.steps}[name]
