"""Every key that Towpath gives in a store: what lies where below a datastore's prefix (design, section 4).

An attempt's folder is a name of the store's alone: its number and the UID of its pod. Standard library only: the
movers import it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from towpath.flow.names import short_uid

OWNER = "owner.json"
# No step has such a name, and no attempt of a step without shards.
SHARDS_FOLDER = "_shards/"


def run_folder(run: str, uid: str) -> str:
    """What tells one run from every other, also from an earlier one of its name."""
    return f"{run}-{short_uid(uid)}"


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
