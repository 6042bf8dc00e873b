"""Every name that Towpath gives: objects, Jobs, labels, annotations, keys in the store.

Given names (`training_data`) become object names (`training-data`) by one mapping; what would not fit is cut
and ends in a hash, so that two names never become one. Standard library only: the movers import it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

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
# Where movers find outputs with a mountPath: below one folder for each folder that the step's container has of them.
CONTAINER_OUTPUTS_ELSEWHERE = "/towpath/outputs-elsewhere"

PLAN_RUN_KEY = "run"
OWNER = "owner.json"

# No step has such a name, and no attempt of a step without shards.
SHARDS_FOLDER = "_shards/"

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


def run_folder(run: str, uid: str) -> str:
    """What tells one run from every other, also from an earlier one of its name."""
    return f"{run}-{short_uid(uid)}"


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


def attempt_id(attempt: int, pod_uid: str) -> str:
    """The folder of one attempt in the store."""
    return f"{attempt}-{pod_uid}"


def shard_attempt_id(attempt: int, pod_uid: str) -> str:
    """The folder of one attempt of one shard, or of the merge."""
    return f"{SHARDS_FOLDER}{attempt_id(attempt, pod_uid)}"


def parts_of_attempt_id(attempt: str) -> tuple[int, str]:
    """The number of an attempt and the UID of its pod."""
    number, _, uid = attempt.removeprefix(SHARDS_FOLDER).partition("-")
    return int(number), uid


def result_prefix(namespace: str, run: str, uid: str, step: str) -> str:
    """Where a step's attempts lie, up to the attempt: unregistered outputs and every `result`."""
    return f"{namespace}/runs/{run_folder(run, uid)}/{step}/"


def registered_prefix(namespace: str, dataset: str, run: str, uid: str, step: str) -> str:
    """Where an output that will be registered lies, up to the attempt."""
    return f"{dataset_prefix(namespace, dataset)}{run_folder(run, uid)}/{step}/"


def dataset_prefix(namespace: str, dataset: str) -> str:
    """Where everything lies that steps wrote to be registered as versions of a dataset."""
    return f"{namespace}/datasets/{dataset}/"


def attempt_at(namespace: str, key: str) -> str | None:
    """The prefix of the attempt whose object this key is; None for a key that belongs to no attempt."""
    parts = key.split("/")
    # runs/RUN/STEP/ATTEMPT/, and with a dataset's name before the run's folder; shards have a folder more.
    depth = {f"{namespace}/runs": 5, f"{namespace}/datasets": 6}.get("/".join(parts[:2]), len(parts))
    if parts[depth - 1 : depth] == [SHARDS_FOLDER.rstrip("/")]:
        depth += 1
    return "/".join(parts[:depth]) + "/" if len(parts) > depth else None


def run_folder_of(attempt: str) -> str:
    """The folder of the run whose attempt has this prefix."""
    _, kind, dataset, folder, *_ = attempt.split("/")
    return dataset if kind == "runs" else folder


def prefix_mark(prefix: str) -> str:
    """Twelve hex digits that stand for a prefix where thousands are told; two alike only make one of them stay."""
    return hashlib.sha256(prefix.encode()).hexdigest()[:12]


def inventory_mark(datastore: str, path: str, digest: str) -> str:
    """Twelve hex digits that stand for an inventory in a report."""
    return prefix_mark(f"{datastore}\n{path}\n{digest}")


def result_key(prefix: str, attempt: str) -> str:
    """The key of an attempt's commit, under a step's result prefix."""
    return f"{prefix}{attempt}/result"


def output_data_prefix(prefix: str, attempt: str, output: str) -> str:
    """Where an output's files lie, under the output's prefix."""
    return f"{prefix}{attempt}/{output}/data/"


def output_packs_prefix(prefix: str, attempt: str, output: str) -> str:
    """Where an output's packs lie: beside its files, whose names they cannot take."""
    return f"{prefix}{attempt}/{output}/packs/"


def output_inventory_key(prefix: str, attempt: str, output: str) -> str:
    """The key of an output's inventory, under the output's prefix."""
    return f"{prefix}{attempt}/{output}/inventory.jsonl.gz"


def write_check_key(prefix: str, attempt: str) -> str:
    """The key of the object that stage-in writes and deletes, under the output's prefix."""
    return f"{prefix}{attempt}/write-check"


def export_claim_key(folder: str) -> str:
    """The key of what says whose copy of an output lies in a folder, its first object."""
    return f"{folder}/claim.json"


def export_data_prefix(folder: str) -> str:
    """Where the files of an exported output lie."""
    return f"{folder}/data/"


def export_inventory_key(folder: str) -> str:
    """The key of an exported output's inventory, its last object."""
    return f"{folder}/inventory.jsonl.gz"


def export_check_prefix(folder: str) -> str:
    """What the keys begin with that stage-in writes and deletes in the folder of an export."""
    return f"{folder}/write-check-"


def source_inventories_prefix(namespace: str) -> str:
    """Where the inventories of sources lie, named by their content."""
    return f"{namespace}/inventories/"


def source_inventory_key(namespace: str, sha256: str, again: str = "") -> str:
    """The key of a source's inventory whose document has this SHA-256 (hex); `again` where one like it is to go."""
    return f"{source_inventories_prefix(namespace)}{sha256}{'-' if again else ''}{again}.jsonl.gz"


def is_source_inventory(namespace: str, key: str) -> bool:
    """Whether this is the key of an inventory of sources."""
    return key.startswith(source_inventories_prefix(namespace))


def copied_source(source: Mapping[str, object]) -> str:
    """What tells the copies of one source from those of all others, by the document of the source in an order."""
    told = {key: source[key] for key in ("url", "path", "datastore", "archive") if key in source}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def copies_prefix(namespace: str, source: str) -> str:
    """Where the copies of one source lie (`copied_source`)."""
    return f"{all_copies_prefix(namespace)}{source}/"


def copy_data_prefix(copies: str, copy: str) -> str:
    """Where the files of one copy lie."""
    return f"{copies}{copy}/data/"


def copy_inventory_key(copies: str, copy: str) -> str:
    """The key of a copy's inventory, its last object."""
    return f"{copies}{copy}/inventory.jsonl.gz"


def latest_copy_key(copies: str) -> str:
    """The key of what says which copy of a source is its latest, and of which state."""
    return f"{copies}latest.json"


def condemned_inventory_key(inventory: str) -> str:
    """The key of what says that an inventory of sources is to go, and since when."""
    return f"{inventory}.condemned"


def condemned_copy_key(copies: str, copy: str) -> str:
    """The key of what says that a copy is to go, and since when."""
    return f"{copies}{copy}/condemned"


def all_copies_prefix(namespace: str) -> str:
    """Where the copies of all sources lie."""
    return f"{namespace}/copies/"


def code_name(digest: str) -> str:
    """The name of the ConfigMap that holds code of this digest."""
    return f"code-{digest.removeprefix('sha256:')}"


def probe_key(namespace: str, token: str) -> str:
    """The key of the object that a probe writes, reads back and deletes; `token` is the probe's own."""
    return f"{namespace}/probe-{token}"


def upload_prefix(namespace: str, digest: str) -> str:
    """Where files lie that were uploaded as one folder whose canonical digest is this (`sha256:…`)."""
    return f"{namespace}/uploads/{digest.removeprefix('sha256:')}/"


def upload_parts_prefix(namespace: str, upload: str = "") -> str:
    """Where the parts of large files lie that are being uploaded; `upload` stands for one file."""
    return f"{namespace}/uploads/parts/{upload}/" if upload else f"{namespace}/uploads/parts/"


def upload_part_key(namespace: str, upload: str, number: int, sha256: str) -> str:
    """The key of one part, which says what it holds: so whoever takes the upload up again need not send it."""
    return f"{upload_parts_prefix(namespace, upload)}{number:06}-{sha256}"


def is_reserved(namespace: str, key: str) -> bool:
    """Whether only movers and the operator write there: what lies there is told by inventories and results."""
    laptops = (f"{namespace}/uploads/", f"{namespace}/code/")
    return key.startswith(owned_keys(namespace)) and not key.startswith(laptops)


def transfer_labels(datastore: str) -> dict[str, str]:
    """The labels of Job and pod that serve a datastore to a laptop; the operator does not watch by them."""
    own = {MANAGED_BY_LABEL: f"{MANAGED_BY}-transfer", COMPONENT_LABEL: TRANSFER_COMPONENT}
    return own | {DATASTORE_LABEL: label_value(datastore)}


def owned_keys(namespace: str) -> tuple[str, ...]:
    """What Towpath itself keeps below a datastore's prefix: no source of a dataset, unless one names it."""
    folders = ("runs", "records", "datasets", "inventories", "uploads", "copies", "code")
    owned = tuple(f"{namespace}/{folder}/" for folder in folders)
    return (*owned, probe_key(namespace, ""), owner_key(namespace))


def owner_key(namespace: str) -> str:
    """The key that says who writes below a namespace's prefix."""
    return f"{namespace}/{OWNER}"


def record_key(namespace: str, folder: str) -> str:
    """The key of the record of a finished run, by its folder."""
    return f"{namespace}/records/{folder}.json"


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
