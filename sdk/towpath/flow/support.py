"""What this release honours. Everything else in the API is refused by name: a field is never ignored.

The tables name what is honoured; so a field that is added to the API is refused until it is named here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from towpath.api import (
    container,
    datastore,
    mounts,
    pipeline,
    pipelinerun,
    ports,
    refs,
    sources,
    step,
    transforms,
)
from towpath.api.dataset import DatasetSpec, Refresh
from towpath.flow.conditions import RunReason
from towpath.flow.stalled import StalledError

ALL = "*"

_STEP_SETTINGS = (
    "resources env env_from retries timeout_seconds pending_timeout_seconds reuse security_context "
    "image_pull_secrets queue_name compute_target"
)

HONOURED: Mapping[type[BaseModel], str] = {
    datastore.DatastoreSpec: "s3 azure_blob gcs persistent_volume_claim read_only mount mover",
    datastore.S3: ALL,
    datastore.AzureBlob: ALL,
    datastore.Gcs: ALL,
    datastore.MoverSettings: ALL,
    mounts.ClaimVolume: ALL,
    mounts.MountProvider: ALL,
    mounts.CsiMount: ALL,
    mounts.FuseSidecar: ALL,
    DatasetSpec: "type format sources refresh deletion_policy description tags",
    Refresh: ALL,
    sources.InlineDataset: ALL,
    sources.Source: ALL,
    sources.Format: ALL,
    sources.Csv: ALL,
    sources.Parquet: ALL,
    sources.JsonLines: ALL,
    sources.Archive: ALL,
    pipeline.PipelineSpec: "description params step_defaults steps timeout_seconds retention",
    pipeline.Param: ALL,
    pipeline.Retention: ALL,
    pipelinerun.PipelineRunSpec: (
        "pipeline_ref pipeline_spec retry_of params reuse continue_on_step_failure cancel timeout_seconds"
    ),
    step.StepSettings: _STEP_SETTINGS,
    step.Step: (
        f"{_STEP_SETTINGS} name image code command args inputs outputs depends_on "
        "termination_grace_period_seconds shards"
    ),
    step.Shards: ALL,
    step.Code: "inline config_map_ref",
    ports.Input: "name dataset from_ source transforms mode mount_path on_unavailable access allow_empty",
    ports.DatasetRef: ALL,
    ports.StepOutputRef: ALL,
    ports.Output: "name datastore register_ directory mount_path make_directory optional allow_empty export",
    ports.Register: ALL,
    ports.Export: ALL,
    transforms.Transform: ALL,
    transforms.Sample: ALL,
    transforms.Split: ALL,
    transforms.SplitPart: ALL,
    transforms.Take: ALL,
    transforms.Skip: ALL,
    transforms.Filter: ALL,
    transforms.Shard: ALL,
    transforms.Columns: ALL,
    container.Resources: ALL,
    container.EnvVar: ALL,
    container.EnvVarSource: ALL,
    container.EnvFromSource: ALL,
    container.FieldRef: ALL,
    container.ResourceFieldRef: ALL,
    container.SecurityContext: ALL,
    container.SeccompProfile: ALL,
    refs.SecretRef: ALL,
    refs.ConfigMapRef: ALL,
    refs.PipelineRef: ALL,
    refs.RunRef: ALL,
    refs.SecretKeyRef: ALL,
    refs.ConfigMapKeyRef: ALL,
    refs.OptionalRef: ALL,
}


def not_supported(spec: BaseModel) -> list[str]:
    """The paths of fields that are set and not honoured yet, such as `spec.steps[1].reuse`."""
    return list(_refused(spec, "spec"))


def refusal(spec: BaseModel) -> str | None:
    """The sentence that refuses a spec for what is not honoured yet, or None."""
    paths = not_supported(spec)
    if not paths:
        return None
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return f"Not available in this release: {', '.join(paths[:5])}{more}. Remove it to go on without."


def refuse(spec: BaseModel, where: str) -> None:
    """Raise StalledError for a spec that uses what is not honoured yet; `where` names the object."""
    sentence = refusal(spec)
    if sentence:
        raise StalledError(RunReason.NOT_SUPPORTED_YET, where + sentence)


def _refused(model: BaseModel, path: str) -> Iterator[str]:
    kind = type(model)
    honoured = HONOURED[kind]
    for name, field in kind.model_fields.items():
        value = getattr(model, name)
        here = f"{path}.{field.alias or name}"
        if value == field.get_default(call_default_factory=True):
            continue
        if honoured != ALL and name not in honoured.split():
            yield here
        else:
            yield from _refused_below(value, here)


def _refused_below(value: object, path: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from _refused(value, path)
    elif isinstance(value, tuple):
        for index, member in enumerate(value):
            yield from _refused_below(member, f"{path}[{index}]")
