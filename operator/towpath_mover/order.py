"""The documents that a pod is given → frozen orders: what to stage in, what to publish, what to probe.

A step's order is the plan's two documents and what only running decides (`TOWPATH_ATTEMPT`); other movers have
theirs in `TOWPATH_ORDER`. What the mover does not need is not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from towpath.flow import names, store_keys
from towpath_mover.fields import Fields, OrderError, read_variable, read_zipped
from towpath_mover.pod_paths import PodPaths
from towpath_mover.shard_order import ShardOrder, shard_order
from towpath_mover.stores import Datastore, datastore_from

ATTEMPT_VARIABLE = "TOWPATH_ATTEMPT"
POD_UID_VARIABLE = "TOWPATH_POD_UID"
ORDER_VARIABLE = "TOWPATH_ORDER"


class InventoryRef(NamedTuple):
    """Where an inventory lies, and the canonical digest that it must have."""

    datastore: str
    path: str
    digest: str


class InputOrder(NamedTuple):
    """One input: where the step sees it, and the content pinned for it. `origin` is for the step's context.

    `files` and `bytes` are only known of what was pinned; they are for progress, not for judging.
    `transforms` are read by `view.py`, which only an input that has some needs. `format` is that of its rows, in the
    API's form, where its records are rows. The files of one that `is_mounted` are links into its datastores.
    """

    name: str
    path: str
    inventory: InventoryRef
    file: str | None
    allow_empty: bool
    origin: Mapping[str, str | int]
    files: int | None = None
    bytes: int | None = None
    transforms: tuple[Mapping[str, Any], ...] = ()
    is_mounted: bool = False
    format: Mapping[str, Any] | None = None


class ExportPlace(NamedTuple):
    """Where a copy of an output goes: a folder of a datastore."""

    datastore: str
    folder: str


class OutputOrder(NamedTuple):
    """One output. `prefix` goes up to the attempt; of one that is `packed` small files share objects."""

    name: str
    path: str
    datastore: str
    prefix: str
    optional: bool
    allow_empty: bool
    directory: bool | None
    make_directory: bool
    packed: bool = False
    export: ExportPlace | None = None


class CodeOrder(NamedTuple):
    """The step's code: given in the plan, or in a mounted ConfigMap."""

    digest: str
    inline: Mapping[str, str] | None
    config_map: str | None


class StepOrder(NamedTuple):
    """One attempt of one step, or of one of its shards. `attempt_id` is its folder in the store.

    `retried_uid` is that of the run that this one takes up; `mounted` are the datastores that the pod mounts, and the
    folders where it finds them.
    """

    namespace: str
    run: str
    run_uid: str
    pipeline: str
    params: Mapping[str, str]
    step: str
    attempt: int
    attempt_id: str
    result_prefix: str
    datastores: Mapping[str, Datastore]
    inputs: tuple[InputOrder, ...]
    outputs: tuple[OutputOrder, ...]
    code: CodeOrder | None
    shard: ShardOrder | None = None
    retried_uid: str | None = None
    mounted: Mapping[str, str] = {}


class MountOrder(NamedTuple):
    """One datastore to mount; `cache_bytes` is what its cache may hold, 0: it has none."""

    datastore: Datastore
    cache_bytes: int


class ProbeOrder(NamedTuple):
    """One datastore to try, for a namespace of a cluster."""

    namespace: str
    cluster_id: str
    datastore: Datastore


def step_order(paths: PodPaths, environ: Mapping[str, str]) -> StepOrder:
    """Return the order of `stage-in` and `publish`; OrderError names what does not fit."""
    attempt = read_variable(environ, ATTEMPT_VARIABLE)
    document, step = planned_documents(paths, attempt)
    run, number, code = document.child("run"), attempt.number("attempt"), step.optional_child("code")
    shard, retried = shard_order(step, attempt, environ), document.optional_child("retryOf")
    attempt_id = store_keys.shard_attempt_id if shard else store_keys.attempt_id
    return StepOrder(
        namespace=run.text("namespace"),
        run=run.text("name"),
        run_uid=run.text("uid"),
        pipeline=document.optional_text("pipeline") or "",
        params=document.texts("params"),
        step=step.text("name"),
        attempt=number,
        attempt_id=attempt_id(number, pod_uid(environ)),
        result_prefix=step.text("resultPrefix"),
        datastores=datastores_of(document),
        inputs=tuple(_share(given, shard) for given in _inputs(step, attempt)),
        outputs=tuple(output_order(output) for output in step.children("outputs")),
        code=_code(code) if code else None,
        shard=shard,
        retried_uid=retried.text("uid") if retried else None,
        mounted=_mounted(attempt),
    )


def _mounted(attempt: Fields) -> dict[str, str]:
    # A release that knew claims only named the datastores.
    usual = {name: f"{names.CONTAINER_MOUNTS}/{name}" for name in attempt.words("mounted")}
    return usual | attempt.texts("mountedAt")


def mount_order(environ: Mapping[str, str]) -> MountOrder:
    """Return the order of `mount`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    return MountOrder(datastore_from(order.child("datastore")), order.number("cacheBytes"))


def planned_documents(paths: PodPaths, attempt: Fields) -> tuple[Fields, Fields]:
    """Return what the plan says of the run and of this step; a MoverFailure if the operator planned something else."""
    # An operator of an earlier release says nothing of them.
    told = attempt.optional_child("plan")
    run = read_zipped(paths.run_document, told.optional_text("run") if told else None)
    step = read_zipped(paths.step_document, told.optional_text("step") if told else None)
    return run.check_format(), step.check_format()


def probe_order(environ: Mapping[str, str]) -> ProbeOrder:
    """Return the order of `probe`."""
    order = read_variable(environ, ORDER_VARIABLE).check_format()
    return ProbeOrder(
        order.text("namespace"), order.text("clusterID"), datastore_from(order.child("datastore"))
    )


def inventory_of(inventory: Fields) -> InventoryRef:
    """Return where an inventory lies, as a document says it."""
    return InventoryRef(inventory.text("datastore"), inventory.text("path"), inventory.text("digest"))


def pod_uid(environ: Mapping[str, str]) -> str:
    """Return the UID of the pod that this is."""
    uid = environ.get(POD_UID_VARIABLE)
    if not uid:
        raise OrderError(f"The environment variable {POD_UID_VARIABLE} is not set.")
    return uid


def _share(given: InputOrder, shard: ShardOrder | None) -> InputOrder:
    if shard is None or given.name != shard.input:
        return given
    share = {"shard": {"index": shard.number, "count": shard.shards}}
    return given._replace(transforms=(*given.transforms, share))


def datastores_of(document: Fields) -> dict[str, Datastore]:
    """Return the datastores that a document describes, by name."""
    datastores = map(datastore_from, document.children("datastores"))
    return {datastore.name: datastore for datastore in datastores}


def _inputs(step: Fields, attempt: Fields) -> Iterable[InputOrder]:
    pinned = {given.text("name"): given for given in attempt.children("inputs")}
    for planned in step.children("inputs"):
        name = planned.text("name")
        if name not in pinned:
            raise OrderError(f"{ATTEMPT_VARIABLE} says nothing of the input {name!r}.")
        yield _input(planned, pinned[name])


def _input(planned: Fields, pinned: Fields) -> InputOrder:
    version, source = planned.optional_child("version"), planned.optional_child("source")
    pinned_there = version or source
    content = pinned_there.child("content") if pinned_there else None
    return InputOrder(
        name=planned.text("name"),
        path=planned.text("path"),
        inventory=inventory_of(pinned.child("inventory")),
        file=pinned.optional_text("file"),
        allow_empty=planned.flag("allowEmpty"),
        origin={} if source else _origin(planned, version),
        files=content.optional_number("files") if content else None,
        bytes=content.optional_number("bytes") if content else None,
        transforms=tuple(transform.plain() for transform in planned.children("transforms")),
        is_mounted=planned.flag("mounted"),
        format=format_of(content or planned.child("from")),
    )


def format_of(content: Fields) -> Mapping[str, Any] | None:
    """Return how rows are written, in the form of the API, or None where records are files."""
    format_ = content.optional_child("format")
    return format_.plain() if format_ else None


def _origin(planned: Fields, version: Fields | None) -> dict[str, str | int]:
    if version:
        return {"dataset": version.text("dataset"), "version": version.number("version")}
    source = planned.child("from")
    return {"step": source.text("step"), "output": source.text("output")}


def output_order(planned: Fields) -> OutputOrder:
    """Return one output as a step's document describes it."""
    export = planned.optional_child("export")
    return OutputOrder(
        name=planned.text("name"),
        path=planned.text("path"),
        datastore=planned.text("datastore"),
        prefix=planned.text("prefix"),
        optional=planned.flag("optional"),
        allow_empty=planned.flag("allowEmpty"),
        directory=planned.optional_flag("directory"),
        make_directory=planned.flag("makeDirectory"),
        packed=planned.flag("packed"),
        export=ExportPlace(export.text("datastore"), export.text("path")) if export else None,
    )


def _code(planned: Fields) -> CodeOrder:
    inline = planned.texts("inline") or None
    return CodeOrder(planned.text("digest"), inline, planned.optional_text("configMap"))
