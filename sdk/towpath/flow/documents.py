"""Plan → documents: the JSON of the plan ConfigMap, one for the run and one per step, and their digests.

Read back by `restore.py` in a later operator (n reads n-1) and, as plain JSON, by the movers in the pod.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from towpath.api.step import Reuse
from towpath.flow import names
from towpath.flow.contents import Content, Counted, InventoryRef, PinnedSource
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
    StepOutputRef,
)
from towpath.flow.planned_datastores import (
    ClaimMount,
    InlineCsiMount,
    PlannedDatastore,
    PlannedMount,
    SidecarMount,
)

Document = dict[str, Any]

# Of the ConfigMap's binaryData; Kubernetes ends at 1 MiB of the whole object.
LIMIT_BYTES = 900 * 1024


class UnreadablePlanError(ValueError):
    """The documents are not a plan that this release can read."""


def write(plan: Plan) -> dict[str, Document]:
    """The plan's documents by their key in the ConfigMap."""
    documents = {names.PLAN_RUN_KEY: run_document(plan)}
    return documents | {names.plan_step_key(step.name): step_document(step) for step in plan.steps}


def pack(documents: Mapping[str, Document]) -> dict[str, bytes]:
    """The ConfigMap's binary data: each document as gzipped canonical JSON, the same bytes every time."""
    return {key: gzip.compress(canonical(value), mtime=0) for key, value in sorted(documents.items())}


def why_too_large(data: Mapping[str, bytes]) -> str | None:
    """Why a plan's packed documents do not fit into a ConfigMap, or None: refused with RunReason.TOO_LARGE."""
    size = sum(len(key) + len(value) for key, value in data.items())
    if size <= LIMIT_BYTES:
        return None
    largest = max(
        (key for key in data if key != names.PLAN_RUN_KEY), key=lambda key: len(data[key]), default=""
    )
    return (
        f"The plan takes {size} bytes, and at most {LIMIT_BYTES} fit into a ConfigMap; the largest part is "
        f"{largest or 'the run'}. Put inline code into ConfigMaps, or make two pipelines."
    )


def unpack(data: Mapping[str, bytes]) -> dict[str, Document]:
    """The documents in a ConfigMap's binary data; UnreadablePlanError if they are damaged."""
    try:
        return {key: json.loads(gzip.decompress(value)) for key, value in data.items()}
    except (OSError, EOFError, ValueError) as error:
        raise UnreadablePlanError(f"The plan is damaged: {error}.") from error


def plan_digest(documents: Mapping[str, Document]) -> str:
    """The digest of all documents together: status holds it before the first Job is made."""
    return digest_of(dict(documents))


def digested(step: PlannedStep) -> PlannedStep:
    """The step with the digest of its document, taken once: its Jobs carry it, and are adopted by it."""
    return replace(step, digest=digest_of(step_document(step)))


def digested_plan(plan: Plan) -> Plan:
    """The plan with the digest of what its pods share: they are told of it, and refuse another one."""
    return replace(plan, digest=digest_of(run_document(plan)))


def canonical(value: object) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest_of(value: object) -> str:
    """The SHA-256 of a value's canonical JSON, as `sha256:…`."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()


def run_document(plan: Plan) -> Document:
    """What all pods of a run share."""
    run = plan.run
    return _without_empty(
        {
            "formatVersion": FORMAT_VERSION,
            "run": {"name": run.name, "uid": run.uid, "namespace": run.namespace},
            "pipeline": plan.pipeline,
            "params": dict(plan.params),
            "order": [step.name for step in plan.steps],
            "moverImage": plan.mover_image,
            "clusterID": plan.cluster_id,
            "notes": list(plan.notes),
            "datastores": [datastore_document(datastore) for datastore in plan.datastores],
            "timeoutSeconds": plan.timeout_seconds,
            "continueOnStepFailure": plan.continue_on_step_failure or None,
            "keepSeconds": plan.keep_seconds,
            "retryOf": {"name": plan.retry_of.name, "uid": plan.retry_of.uid} if plan.retry_of else None,
        }
    )


def step_document(step: PlannedStep) -> Document:
    """What one step's pod needs."""
    return _without_empty(
        {
            "formatVersion": FORMAT_VERSION,
            "name": step.name,
            "image": step.image,
            "command": list(step.command),
            "args": list(step.args),
            "env": [dict(entry) for entry in step.env],
            "envFrom": [dict(entry) for entry in step.env_from],
            "resources": dict(step.resources),
            "securityContext": dict(step.security_context),
            "imagePullSecrets": list(step.image_pull_secrets),
            "retries": step.retries or None,
            "timeoutSeconds": step.timeout_seconds,
            "pendingTimeoutSeconds": step.pending_timeout_seconds,
            "terminationGracePeriodSeconds": step.termination_grace_period_seconds,
            "queueName": step.queue_name,
            "computeTarget": _target_document(step.target) if step.target else None,
            "shards": _shards_document(step.shards) if step.shards else None,
            "reuse": None if step.reuse is Reuse.NEVER else step.reuse.value,
            "dependsOn": list(step.depends_on),
            "resultPrefix": step.result_prefix,
            "contract": dict(step.contract),
            "code": _code_document(step.code) if step.code else None,
            "inputs": [_input_document(given) for given in step.inputs],
            "outputs": [_output_document(output) for output in step.outputs],
        }
    )


def datastore_document(datastore: PlannedDatastore) -> Document:
    """How movers enter one datastore; also part of the orders of other movers."""
    return _without_empty(
        {
            "name": datastore.name,
            "readOnly": datastore.read_only or None,
            datastore.kind: dict(datastore.location),
            "credentialsSecret": datastore.credentials_secret,
            "caConfigMap": datastore.ca_config_map,
            "moverResources": dict(datastore.mover_resources),
            "mount": _mount_document(datastore.mount) if datastore.mount else None,
        }
    )


def _mount_document(mount: PlannedMount) -> Document:
    match mount:
        case ClaimMount():
            return _without_empty({"claimName": mount.claim_name, "subPath": mount.sub_path})
        case InlineCsiMount():
            csi = {"driver": mount.driver, "attributes": dict(mount.attributes), "secret": mount.secret}
            return {"csi": _without_empty(csi | {"folder": mount.folder})}
        case SidecarMount():
            return {"fuseSidecar": {"cacheBytes": mount.cache_bytes}}


def content_document(content: Content) -> Document:
    """A finished set of files, as movers are told of it. Zero is a size, so numbers are always there."""
    inventory = inventory_document(content.inventory)
    document = {"inventory": inventory, "files": content.files, "bytes": content.bytes}
    document |= {"scratchBytes": content.scratch_bytes, "directory": content.directory}
    optional = {"file": content.file, "datastores": list(content.datastores), "format": content.format}
    return document | _without_empty(optional)


def inventory_document(inventory: InventoryRef) -> Document:
    """Where an inventory lies and what it must be."""
    return {"datastore": inventory.datastore, "path": inventory.path, "digest": inventory.digest}


def _input_document(given: PlannedInput) -> Document:
    document: Document = {"name": given.name, "path": given.path, "note": given.note}
    document |= {
        "allowEmpty": given.allow_empty or None,
        "mounted": given.is_mounted or None,
        "transforms": [dict(one) for one in given.transforms],
        "counted": _counted_document(given.counted) if given.counted else None,
    }
    source = given.source
    if isinstance(source, StepOutputRef):
        produced = {"step": source.step, "output": source.output, "format": source.format}
        return _without_empty(document | {"from": _without_empty(produced)})
    content = {"content": content_document(source.content)}
    if isinstance(source, PinnedSource):
        taken = content | {"sources": [dict(one) for one in source.sources]}
        return _without_empty(document | {"source": taken})
    version: Document = {"dataset": source.dataset, "version": source.version}
    return _without_empty(document | {"version": version | content})


def _counted_document(counted: Counted) -> Document:
    return {"files": counted.files, "bytes": counted.bytes, "scratchBytes": counted.scratch_bytes}


def _output_document(output: PlannedOutput) -> Document:
    document: Document = {"name": output.name, "path": output.path, "datastore": output.datastore}
    document |= {"prefix": output.prefix, "optional": output.optional, "allowEmpty": output.allow_empty}
    optional = {"directory": output.directory, "makeDirectory": output.make_directory or None}
    optional["packed"] = output.packed or None
    register = _registration_document(output.register) if output.register else None
    export = export_document(output.export) if output.export else None
    return document | _without_empty(optional | {"register": register, "export": export})


def export_document(export: PlannedExport) -> Document:
    """Where a copy of an output goes; also part of its mover's order."""
    return {"datastore": export.datastore, "path": export.path}


def _registration_document(register: PlannedRegistration) -> Document:
    document = {"dataset": register.dataset, "givenName": register.given_name, "type": register.type}
    optional = {"description": register.description, "tags": dict(register.tags), "format": register.format}
    return document | _without_empty(optional)


def _target_document(target: PlannedTarget) -> Document:
    return _without_empty(
        {
            "name": target.name,
            "maxScratchBytes": target.max_scratch_bytes,
            "labels": dict(target.labels),
            "annotations": dict(target.annotations),
            "pod": dict(target.pod),
            "volumes": [dict(volume) for volume in target.volumes],
            "volumeMounts": [dict(mount) for mount in target.volume_mounts],
            "readOnlyRoot": target.read_only_root or None,
        }
    )


def _shards_document(shards: PlannedShards) -> Document:
    return _without_empty({"input": shards.input, "count": shards.count, "parallelism": shards.parallelism})


def _code_document(code: PlannedCode) -> Document:
    inline = dict(code.inline) if code.inline else None
    return _without_empty({"digest": code.digest, "inline": inline, "configMap": code.config_map})


def _without_empty(document: Document) -> Document:
    return {key: value for key, value in document.items() if value is not None and value not in ("", [], {})}
