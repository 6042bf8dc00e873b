"""A sweep as its pod sees it: the order in a variable, lists and records as mounted files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cluster.space import Space
from mover.movers import environment, give_keys, run_mover
from mover.pods import NAMESPACE, Ended, datastore
from towpath.flow import store_keys
from towpath.flow.documents import datastore_document
from towpath.flow.planned_datastores import PlannedDatastore

CLUSTER = "test"
LATER = 4_000_000_000
OWNER = json.dumps({"formatVersion": 1, "clusterID": CLUSTER, "namespace": NAMESPACE}).encode()


def marks(*words: str) -> str:
    return ",".join(map(store_keys.prefix_mark, words))


def write_lists(root: Path, *lists: Mapping[str, Any], records: Iterable[Mapping[str, Any]] = ()) -> None:
    """Lay the lists and records where the pod has them."""
    folder = root / "sweep"
    folder.mkdir(parents=True, exist_ok=True)
    named = [*(("list", one) for one in enumerate(lists)), *(("record", one) for one in enumerate(records))]
    for kind, (number, document) in named:
        content = json.dumps({"formatVersion": 1} | dict(document)).encode()
        (folder / f"{kind}-{number}").write_bytes(gzip.compress(content))


def an_order(store: PlannedDatastore, **fields: Any) -> dict[str, Any]:
    usual = {"clusterID": CLUSTER, "datastore": datastore_document(store), "lists": 1, "records": 0}
    return usual | {"writtenSince": 0, "writtenBefore": LATER, "dryRun": False} | fields


def sweep(space: Space, root: Path, told: Mapping[str, Any], **order: Any) -> Ended:
    """Sweep the space by these lists."""
    store = datastore(space)
    give_keys(store, space.s3.admin, root)
    write_lists(root, told)
    return run_mover("sweep", an_order(store, **order), root)


def prepared(space: Space, root: Path, told: Mapping[str, Any], **order: Any) -> dict[str, str]:
    """The environment of a sweep by these lists, for whoever starts it himself."""
    store = datastore(space)
    give_keys(store, space.s3.admin, root)
    write_lists(root, told)
    return environment(an_order(store, **order), root)
