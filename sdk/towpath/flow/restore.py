"""Documents → plan: reads back what `documents.py` wrote, in whatever operator runs by then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from towpath.api.datastore import KINDS_OF_STORE
from towpath.api.step import Reuse
from towpath.flow import names
from towpath.flow.contents import Content, Counted, InventoryRef, Pinned, PinnedSource, PinnedVersion
from towpath.flow.documents import Document, UnreadablePlanError, digest_of
from towpath.flow.planned import (
    FORMAT_VERSION,
    Plan,
    PlannedCode,
    PlannedExport,
    PlannedInput,
    PlannedOutput,
    PlannedRegistration,
    PlannedShards,
    PlannedStep,
    PlannedTarget,
    RunIdentity,
    StepOutputRef,
)
from towpath.flow.planned_datastores import (
    ClaimMount,
    InlineCsiMount,
    PlannedDatastore,
    PlannedMount,
    SidecarMount,
)


def restore(documents: Mapping[str, Document]) -> Plan:
    """The plan that these documents were written from; UnreadablePlanError if they are none."""
    try:
        run = documents[names.PLAN_RUN_KEY]
        _check_format(run)
        steps = [documents[names.plan_step_key(name)] for name in run["order"]]
        return _plan_from(run, tuple(_step_from(step) for step in steps))
    except (KeyError, TypeError, AttributeError, StopIteration) as error:
        raise UnreadablePlanError(f"The plan is damaged: {error!r}.") from error


def content_from(document: Mapping[str, Any]) -> Content:
    """The content that `content_document` wrote."""
    return Content(
        inventory=InventoryRef(**document["inventory"]),
        files=document["files"],
        bytes=document["bytes"],
        scratch_bytes=document["scratchBytes"],
        directory=document["directory"],
        file=document.get("file"),
        datastores=tuple(document.get("datastores", ())),
        # A plan of before there were rows has none.
        format=document.get("format"),
    )


def _plan_from(run: Document, steps: tuple[PlannedStep, ...]) -> Plan:
    return Plan(
        run=RunIdentity(**run["run"]),
        pipeline=run.get("pipeline", ""),
        params=run.get("params", {}),
        steps=steps,
        datastores=tuple(datastore_from(entry) for entry in run.get("datastores", ())),
        mover_image=run["moverImage"],
        cluster_id=run.get("clusterID", ""),
        notes=tuple(run.get("notes", ())),
        timeout_seconds=run.get("timeoutSeconds"),
        continue_on_step_failure=run.get("continueOnStepFailure", False),
        keep_seconds=run.get("keepSeconds"),
        retry_of=_retried(run["retryOf"], run["run"]["namespace"]) if "retryOf" in run else None,
        # Of what stands there, as with its steps.
        digest=digest_of(run),
    )


def _retried(document: Document, namespace: str) -> RunIdentity:
    return RunIdentity(document["name"], document["uid"], namespace)


def datastore_from(document: Document) -> PlannedDatastore:
    """The datastore that `datastore_document` wrote."""
    kind = next(kind for kind in KINDS_OF_STORE if kind in document)
    return PlannedDatastore(
        name=document["name"],
        location=document[kind],
        kind=kind,
        read_only=document.get("readOnly", False),
        credentials_secret=document.get("credentialsSecret"),
        ca_config_map=document.get("caConfigMap"),
        mover_resources=document.get("moverResources", {}),
        mount=_mount_from(document["mount"]) if "mount" in document else None,
    )


def _mount_from(document: Document) -> PlannedMount:
    # Until inline volumes came there were claims, and nothing said so.
    if "csi" in document:
        csi = document["csi"]
        attributes = csi.get("attributes", {})
        return InlineCsiMount(csi["driver"], attributes, csi.get("secret"), csi.get("folder", ""))
    if "fuseSidecar" in document:
        return SidecarMount(document["fuseSidecar"]["cacheBytes"])
    return ClaimMount(document["claimName"], document.get("subPath"))


def _step_from(document: Document) -> PlannedStep:
    _check_format(document)
    return PlannedStep(
        name=document["name"],
        image=document["image"],
        command=tuple(document.get("command", ())),
        args=tuple(document.get("args", ())),
        inputs=tuple(_input_from(entry) for entry in document.get("inputs", ())),
        outputs=tuple(_output_from(entry) for entry in document.get("outputs", ())),
        depends_on=tuple(document.get("dependsOn", ())),
        result_prefix=document["resultPrefix"],
        contract=document["contract"],
        env=tuple(document.get("env", ())),
        env_from=tuple(document.get("envFrom", ())),
        code=PlannedCode(**_code_fields(document["code"])) if "code" in document else None,
        resources=document.get("resources", {}),
        security_context=document.get("securityContext", {}),
        image_pull_secrets=tuple(document.get("imagePullSecrets", ())),
        retries=document.get("retries", 0),
        timeout_seconds=document.get("timeoutSeconds"),
        pending_timeout_seconds=document.get("pendingTimeoutSeconds"),
        termination_grace_period_seconds=document.get("terminationGracePeriodSeconds"),
        queue_name=document.get("queueName"),
        target=_target_from(document["computeTarget"]) if "computeTarget" in document else None,
        shards=_shards_from(document["shards"]) if "shards" in document else None,
        # A plan of before there was reuse says nothing, and has none.
        reuse=Reuse(document.get("reuse", Reuse.NEVER)),
        # Of what stands there: this release might write the same step otherwise.
        digest=digest_of(document),
    )


def _target_from(document: Document) -> PlannedTarget:
    return PlannedTarget(
        name=document["name"],
        max_scratch_bytes=document.get("maxScratchBytes"),
        labels=document.get("labels", {}),
        annotations=document.get("annotations", {}),
        pod=document.get("pod", {}),
        volumes=tuple(document.get("volumes", ())),
        volume_mounts=tuple(document.get("volumeMounts", ())),
        read_only_root=document.get("readOnlyRoot", False),
    )


def _shards_from(document: Document) -> PlannedShards:
    return PlannedShards(document["input"], document["count"], document.get("parallelism"))


def _code_fields(code: Document) -> Document:
    return {"digest": code["digest"], "inline": code.get("inline"), "config_map": code.get("configMap")}


def _input_from(document: Document) -> PlannedInput:
    return PlannedInput(
        name=document["name"],
        path=document["path"],
        source=_source_from(document),
        note=document.get("note"),
        allow_empty=document.get("allowEmpty", False),
        # A plan of before there were views has none.
        transforms=tuple(document.get("transforms", ())),
        counted=_counted_from(document["counted"]) if "counted" in document else None,
        # Nor had it mounts.
        is_mounted=document.get("mounted", False),
    )


def _source_from(document: Document) -> Pinned | StepOutputRef:
    if "from" in document:
        return StepOutputRef(**document["from"])
    if "source" in document:
        taken = document["source"]
        return PinnedSource(content_from(taken["content"]), tuple(taken.get("sources", ())))
    version = document["version"]
    return PinnedVersion(version["dataset"], version["version"], content_from(version["content"]))


def _counted_from(document: Document) -> Counted:
    return Counted(document["files"], document["bytes"], document["scratchBytes"])


def _output_from(document: Document) -> PlannedOutput:
    register = document.get("register")
    return PlannedOutput(
        name=document["name"],
        path=document["path"],
        datastore=document["datastore"],
        prefix=document["prefix"],
        optional=document["optional"],
        allow_empty=document["allowEmpty"],
        directory=document.get("directory"),
        make_directory=document.get("makeDirectory", False),
        register=_registration_from(register) if register else None,
        # A plan of before there were packs has none.
        packed=document.get("packed", False),
        # A plan of before there were exports has none.
        export=PlannedExport(**document["export"]) if "export" in document else None,
    )


def _registration_from(document: Document) -> PlannedRegistration:
    return PlannedRegistration(
        dataset=document["dataset"],
        given_name=document["givenName"],
        type=document["type"],
        description=document.get("description"),
        tags=document.get("tags", {}),
        format=document.get("format"),
    )


def _check_format(document: Document) -> None:
    if document["formatVersion"] != FORMAT_VERSION:
        raise UnreadablePlanError(
            f"The plan has format version {document['formatVersion']}; this release reads {FORMAT_VERSION}."
        )
