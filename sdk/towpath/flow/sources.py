"""What `resolve` takes and gives: the objects that a run names, as they were read; the facts, or why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from towpath.api.dataset import Dataset
from towpath.api.datasetversion import DatasetVersion
from towpath.api.datastore import Datastore
from towpath.api.pipeline import Pipeline, PipelineSpec
from towpath.api.pipelinerun import PipelineRun
from towpath.flow.conditions import RunReason
from towpath.flow.contents import Counted, Pinned
from towpath.flow.mount_choice import MountMeans
from towpath.flow.mover_orders import Survey
from towpath.flow.observed import ObservedMover
from towpath.flow.planned import Mounting, Plan, PlannedExport, PlannedTarget, RunIdentity
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.views import Views


@dataclass(frozen=True)
class Installation:
    """The images and the identity that the chart gives."""

    step_image: str
    mover_image: str
    cluster_id: str
    # Whether a pod can read a datastore where it lies.
    can_mount: bool = True
    # What the cache of a FUSE sidecar may hold, 0: it has none; None: it is not enabled.
    sidecar_cache_bytes: int | None = None


@dataclass(frozen=True)
class Needed:
    """The objects that a run names, for `observe` to read; `mounts`: and what there is to mount with."""

    datasets: tuple[str, ...] = ()
    datastores: tuple[str, ...] = ()
    config_maps: tuple[str, ...] = ()
    pod_templates: tuple[str, ...] = ()
    mounts: bool = False


@dataclass(frozen=True)
class Retried:
    """The run that `retryOf` names, as it is now; `lost` says why it has no plan.

    `exported` holds what it has copied to the places of its users' choice, by (step, output).
    """

    run: RunIdentity
    has_ended: bool
    plan: Plan | None = None
    lost: str = ""
    exported: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Known:
    """Names that exist in the namespace: hints come from them."""

    pipelines: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    datastores: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """All that was read for a run. Maps are by object name and lack what does not exist.

    `config_maps` gives `code.code_digest` of each ConfigMap's data and binaryData together, and `params_read` what
    they read of `code.params_read`; `pod_templates` are as the API server has them; `surveyors` are the run's own
    movers, which answer what must be known before it is planned. `retried` is there for a run with `retryOf`;
    `mount_means` says what there is to mount datastores with.
    """

    run: PipelineRun
    pipeline: Pipeline | None
    installation: Installation
    first_seen_at: datetime
    datasets: Mapping[str, Dataset] = field(default_factory=dict)
    versions: Mapping[str, tuple[DatasetVersion, ...]] = field(default_factory=dict)
    datastores: Mapping[str, Datastore] = field(default_factory=dict)
    config_maps: Mapping[str, str] = field(default_factory=dict)
    params_read: Mapping[str, frozenset[str]] = field(default_factory=dict)
    pod_templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    known: Known = Known()
    surveyors: tuple[ObservedMover, ...] = ()
    mount_means: MountMeans = field(default_factory=MountMeans)
    retried: Retried | None = None


@dataclass(frozen=True)
class Resolved:
    """A run whose every reference has been turned into a fact: what `plan` is made of.

    `pins`, `views`, `counts` and `mountings` are by (step, input), `exports` by (step, output), `code_digests`,
    `params_read` and `targets` by step. `reuse` is false where every step is to be run.
    """

    run: RunIdentity
    pipeline: str
    spec: PipelineSpec
    params: Mapping[str, str]
    pins: Mapping[tuple[str, str], Pinned]
    code_digests: Mapping[str, str]
    datastores: tuple[PlannedDatastore, ...]
    installation: Installation
    order: tuple[str, ...]
    views: Views = field(default_factory=dict)
    counts: Mapping[tuple[str, str], Counted] = field(default_factory=dict)
    targets: Mapping[str, PlannedTarget] = field(default_factory=dict)
    exports: Mapping[tuple[str, str], PlannedExport] = field(default_factory=dict)
    params_read: Mapping[str, frozenset[str]] = field(default_factory=dict)
    mountings: Mapping[tuple[str, str], Mounting] = field(default_factory=dict)
    reuse: bool = True
    timeout_seconds: int | None = None
    continue_on_step_failure: bool = False


@dataclass(frozen=True)
class Waiting:
    """The run cannot start yet. `ask` names Datastores and Datasets (kind, name) to be looked at now; where
    `look_after` is given, a look that began by then is of no use. `surveys` are movers to be started;
    `ask_admission` names their Jobs that have no pod."""

    reason: RunReason
    message: str
    check_after_seconds: float
    ask: tuple[tuple[str, str], ...] = ()
    look_after: datetime | None = None
    surveys: tuple[Survey, ...] = ()
    ask_admission: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """The run can never start: the user must change something."""

    reason: RunReason
    message: str
