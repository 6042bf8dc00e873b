"""Every name that Towpath gives: objects, Jobs, labels, annotations, containers. Those in stores: `store_keys.py`.

Given names (`training_data`) become object names (`training-data`) by one mapping; what would not fit is cut
and ends in a hash, so that two names never become one. Standard library only: the movers import it.
"""

from __future__ import annotations

import hashlib
import re

GROUP = "towpath.dev"
API_VERSION = f"{GROUP}/v1alpha1"
DEFAULT_DATASTORE = "default"

MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "towpath"
RUN_LABEL = f"{GROUP}/run"
RUN_UID_LABEL = f"{GROUP}/run-uid"
STEP_LABEL = f"{GROUP}/step"
ATTEMPT_LABEL = f"{GROUP}/attempt"
COMPONENT_LABEL = f"{GROUP}/component"
DATASTORE_LABEL = f"{GROUP}/datastore"
DATASET_LABEL = f"{GROUP}/dataset"
# Kueue's own: on the Job, never on its pod.
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

STEP_COMPONENT = "step"
PROBE_COMPONENT = "probe"
INVENTORY_COMPONENT = "inventory"
COUNT_COMPONENT = "count"
SWEEP_COMPONENT = "sweep"
EXPORT_COMPONENT = "export"
VERIFY_COMPONENT = "verify"
FIND_COMPONENT = "find-result"
TRANSFER_COMPONENT = "transfer"

STEP_DIGEST_ANNOTATION = f"{GROUP}/step-digest"
STEP_NAME_ANNOTATION = f"{GROUP}/step-name"
SHARDS_ANNOTATION = f"{GROUP}/shards"
MERGE_ANNOTATION = f"{GROUP}/merge"
EXPERIMENT_LABEL = f"{GROUP}/experiment"
# An annotation of a run for each of its tags.
TAG_PREFIX = f"tag.{GROUP}/"
GIVEN_NAME_ANNOTATION = f"{GROUP}/given-name"
REQUESTED_AT_ANNOTATION = f"{GROUP}/requested-at"
ASK_ANNOTATION = f"{GROUP}/ask"
# Of a Datastore of a local workspace: the folder that stands for its claim, from `.towpath` on.
LOCAL_FOLDER_ANNOTATION = f"{GROUP}/local-folder"
# Of a run of a local workspace: who waits for it, which engine runs its steps, what is not as on a cluster.
LOCAL_FOLLOWER_ANNOTATION = f"{GROUP}/local-follower"
LOCAL_ENGINE_ANNOTATION = f"{GROUP}/local-engine"
LOCAL_NOTES_ANNOTATION = f"{GROUP}/local-notes"
# On a PodTemplate: what the inputs of a step on this compute target may take of a node's disk.
MAX_SCRATCH_ANNOTATION = f"{GROUP}/max-scratch"
# On a Datastore: any new value asks for a sweep now, one that begins with DRY_RUN to only say what would go.
SWEEP_ANNOTATION = f"{GROUP}/sweep"
# On the Job of a sweep: the digest of its order, and the runs whose records it writes, as NAME/UID.
ORDER_ANNOTATION = f"{GROUP}/order"
RECORDS_ANNOTATION = f"{GROUP}/records"
DRY_RUN = "dry-run"
FINGERPRINT_ANNOTATION = f"{GROUP}/fingerprint"
REUSE_MISS_ANNOTATION = f"{GROUP}/reuse-miss"

STAGE_IN_CONTAINER = "stage-in"
STEP_CONTAINER = "step"
PUBLISH_CONTAINER = "publish"
MOUNT_CONTAINER = "mount"
MERGE_CONTAINER = "merge"
PROBE_CONTAINER = "probe"
INVENTORY_CONTAINER = "take-inventory"
COUNT_CONTAINER = "count-views"
SWEEP_CONTAINER = "sweep"
VERIFY_CONTAINER = "verify-outputs"
EXPORT_CONTAINER = "export"
SERVE_CONTAINER = "serve"

# Which pod of an Indexed Job it is: Kubernetes' own, as a label of the pod and as a variable of its containers.
INDEX_LABEL = "batch.kubernetes.io/job-completion-index"
INDEX_VARIABLE = "JOB_COMPLETION_INDEX"

CONTAINER_WORK = "/towpath/work"
CONTAINER_INPUTS = "/towpath/inputs"
CONTAINER_OUTPUTS = "/towpath/outputs"
# Datastores that a step reads where they lie, each in a folder of its name.
CONTAINER_MOUNTS = "/towpath/mounts"
# The volume below which our own FUSE mounts are made, and what they say of themselves.
CONTAINER_FUSE = "/towpath/fuse"
# Where movers find outputs with a mountPath: below one folder for each folder that the step's container has of them.
CONTAINER_OUTPUTS_ELSEWHERE = "/towpath/outputs-elsewhere"

PLAN_RUN_KEY = "run"


LABEL_LIMIT = 63
# A pod of an Indexed Job is a host of its name and of its place, such as -4095.
_JOB_LIMIT = LABEL_LIMIT - 5
# A ConfigMap's or a version's name may have 253 characters; a Job's becomes a label value.
OBJECT_LIMIT = 253
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


def object_name(given: str) -> str:
    """The Kubernetes name of what the user calls `given`."""
    return given.lower().replace("_", "-")


def is_object_name(name: str) -> bool:
    """Whether Kubernetes takes this as an object's name."""
    return len(name) <= OBJECT_LIMIT and _OBJECT.fullmatch(name) is not None


def short_uid(uid: str) -> str:
    """The 8 hex digits of a UID that every child's name carries."""
    return uid.replace("-", "")[:8].lower()


def plan_name(run: str, uid: str) -> str:
    """The name of a run's plan ConfigMap."""
    suffix = f"-{short_uid(uid)}-plan"
    return _cut(run, OBJECT_LIMIT - len(suffix)) + suffix


def plan_step_key(step: str) -> str:
    """The key of one step's document in the plan ConfigMap."""
    return f"step-{step}"


def job_name(run: str, uid: str, step: str, attempt: int) -> str:
    """The name of the Job of one attempt, never that of another step; with its place a pod's host name of 63."""
    suffix = f"-{attempt}"
    prefix = f"{_plain(run, 20)}-{short_uid(uid)}-"
    return prefix + _distinct(step, _JOB_LIMIT - len(prefix) - len(suffix)) + suffix


def version_name(dataset: str, version: int) -> str:
    """The name of a dataset's version object."""
    suffix = f"-v{version}"
    return _cut(dataset, OBJECT_LIMIT - len(suffix)) + suffix


def ask_of(*facts: object) -> str:
    """Eight hex digits that stand for one question: the same question is asked by the same Job."""
    return _digest("\n".join(map(str, facts)))


def mover_job_name(component: str, owner: str, uid: str, ask: str) -> str:
    """The name of the Job of a mover that belongs to no step, and is made for an owner because of `ask`."""
    suffix = f"-{short_uid(uid)}-{component}-{ask}"
    return _distinct(owner, LABEL_LIMIT - len(suffix)) + suffix


def sweep_list_name(job: str, digest: str, number: int) -> str:
    """The name of one of the ConfigMaps that hold the lists of a sweep's order with this digest."""
    return f"{job}-{digest.removeprefix('sha256:')[:8]}-{number}"


def listing_container(number: int) -> str:
    """The container of one of several inventories that are taken in one pod."""
    return f"{INVENTORY_CONTAINER}-{number}"


def is_elsewhere(output_path: str) -> bool:
    """Whether a step writes an output at a place of its own (`mountPath`), not at the usual one."""
    return not output_path.startswith(f"{CONTAINER_OUTPUTS}/")


def elsewhere_folder(folder: str) -> str:
    """What stands for a folder of the step's container in the volume of the outputs that are written elsewhere."""
    return f"at-{_digest(folder)}"


def output_place(output_path: str) -> str:
    """Where movers find what a step writes at this path."""
    if not is_elsewhere(output_path):
        return output_path
    folder, _, name = output_path.rpartition("/")
    return f"{CONTAINER_OUTPUTS_ELSEWHERE}/{elsewhere_folder(folder)}/{name}"


def label_value(text: str) -> str:
    """The text itself where it may be a label's value, else a readable beginning and its hash."""
    if len(text) <= LABEL_LIMIT and _LABEL.fullmatch(text):
        return text
    return _hashed(re.sub(r"[^A-Za-z0-9.-]", "-", text), text, LABEL_LIMIT)


def job_labels(component: str) -> dict[str, str]:
    """The labels that every Job and pod of ours has; the operator watches by them."""
    return {MANAGED_BY_LABEL: MANAGED_BY, COMPONENT_LABEL: component}


def attempt_labels(run: str, uid: str, step: str, attempt: int) -> dict[str, str]:
    """The labels of the Job and pod of one attempt of a step."""
    own = {RUN_LABEL: label_value(run), RUN_UID_LABEL: uid}
    return job_labels(STEP_COMPONENT) | own | {STEP_LABEL: label_value(step), ATTEMPT_LABEL: str(attempt)}


def survey_labels(component: str, run: str, uid: str) -> dict[str, str]:
    """The labels of Job and pod of a mover that a run needs before it is planned."""
    return job_labels(component) | {RUN_LABEL: label_value(run), RUN_UID_LABEL: uid}


def attempt_annotations(step: str, digest: str, fingerprint: str | None, miss: str | None) -> dict[str, str]:
    """What lets a Job be found again: the step's given name, the digest of its planned document, and what it computes.

    `miss` says why it had to, as JSON.
    """
    found = {STEP_NAME_ANNOTATION: step, STEP_DIGEST_ANNOTATION: digest}
    found |= {FINGERPRINT_ANNOTATION: fingerprint} if fingerprint else {}
    return found | ({REUSE_MISS_ANNOTATION: miss} if miss else {})


def code_name(digest: str) -> str:
    """The name of the ConfigMap that holds code of this digest."""
    return f"code-{digest.removeprefix('sha256:')}"


def transfer_labels(datastore: str) -> dict[str, str]:
    """The labels of Job and pod that serve a datastore to a laptop; the operator does not watch by them."""
    own = {MANAGED_BY_LABEL: f"{MANAGED_BY}-transfer", COMPONENT_LABEL: TRANSFER_COMPONENT}
    return own | {DATASTORE_LABEL: label_value(datastore)}


def _distinct(text: str, limit: int) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if plain == text and len(text) <= limit:
        return text
    return _hashed(plain, text, limit)


def _plain(text: str, limit: int) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:limit].strip("-") or "run"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else _hashed(text, text, limit)


def _hashed(beginning: str, text: str, limit: int) -> str:
    kept = beginning[: limit - 9].strip("-.")
    return f"{kept}-{_digest(text)}" if kept else f"x{_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
