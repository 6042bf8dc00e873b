"""Movers that are not part of a step, run as the processes that they are in a pod."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cluster.store import Identity
from mover.loaded import patient
from mover.pods import NAMESPACE, Ended
from towpath.flow.documents import datastore_document
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.failures import MoverFailure
from towpath_mover.probe import run as run_probe


def environment(order: Mapping[str, Any], root: Path) -> dict[str, str]:
    """What a mover with this TOWPATH_ORDER finds in its environment; `root` stands for /towpath."""
    (root / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "TOWPATH_ROOT": str(root),
        "TOWPATH_TERMINATION_LOG": str(root / "termination-log"),
        "TOWPATH_ORDER": json.dumps({"formatVersion": 1, "namespace": NAMESPACE} | dict(order)),
    }


def run_mover(name: str, order: Mapping[str, Any], root: Path, timeout: float = 60) -> Ended:
    """Run a mover to its end; its output is the most bytes that it held."""
    code, errors, held = patient().run([name], environment(order, root), timeout=timeout)
    return Ended(code, json.loads((root / "termination-log").read_bytes()), errors, str(held))


def probe(
    datastore: PlannedDatastore, identity: Identity | None, root: Path, cluster_id: str = "test"
) -> Ended:
    """Probe a datastore as somebody; None: the Secret does not exist."""
    give_keys(datastore, identity, root)
    return run_mover("probe", {"clusterID": cluster_id, "datastore": datastore_document(datastore)}, root)


def refusal(datastore: PlannedDatastore, identity: Identity | None, root: Path) -> MoverFailure:
    """What a probe says that finds something wrong, without a process of its own: for tables of what it says."""
    give_keys(datastore, identity, root)
    order = {"clusterID": "test", "datastore": datastore_document(datastore)}
    with pytest.raises(MoverFailure) as raised:
        run_probe((), environment(order, root))
    return raised.value


def take_inventory(datastore: PlannedDatastore, identity: Identity, paths: list[str], root: Path) -> Ended:
    """Take the inventory of a dataset with these paths as sources in one datastore."""
    sources = [{"path": path, "datastore": datastore.name, "hash": "Reported"} for path in paths]
    return take_sources(datastore, identity, sources, root)


def take_sources(
    datastore: PlannedDatastore,
    identity: Identity,
    sources: Sequence[Mapping[str, Any]],
    root: Path,
    timeout: float = 60,
    format_: Mapping[str, Any] | None = None,
) -> Ended:
    """Take the inventory of a dataset with these sources, of rows where it has a format. Copies go into `default`."""
    give_keys(datastore, identity, root)
    order: dict[str, Any] = {
        "dataset": "flowers",
        "type": "File",
        "sources": [dict(source) for source in sources],
        "into": datastore.name,
        "datastores": [datastore_document(datastore)],
    }
    order |= {"format": dict(format_)} if format_ else {}
    return run_mover("take-inventory", order, root, timeout)


def count_views(
    datastore: PlannedDatastore,
    identity: Identity,
    inventory: Any,
    chains: list[Any],
    root: Path,
    shards: int = 1,
) -> Ended:
    """Count views of one inventory, perhaps each shared out."""
    give_keys(datastore, identity, root)
    views = [
        {
            "input": f"Step prep, input v{number}",
            "inventory": inventory,
            "transforms": chain,
            "shards": shards,
        }
        for number, chain in enumerate(chains)
    ]
    order = {"views": views, "datastores": [datastore_document(datastore)]}
    return run_mover("count-views", order, root)


def verify_outputs(
    datastore: PlannedDatastore, identity: Identity | None, inventories: list[Any], root: Path
) -> Ended:
    """Look whether outputs with these inventories are still there."""
    give_keys(datastore, identity, root)
    outputs = [{"inventory": inventory, "files": 1} for inventory in inventories]
    order = {"outputs": outputs, "datastores": [datastore_document(datastore)]}
    return run_mover("verify-outputs", order, root)


def give_keys(datastore: PlannedDatastore, identity: Identity | None, root: Path) -> None:
    folder = root / "credentials" / datastore.name
    folder.mkdir(parents=True, exist_ok=True)
    if identity:
        (folder / "AWS_ACCESS_KEY_ID").write_text(identity.access_key)
        (folder / "AWS_SECRET_ACCESS_KEY").write_text(identity.secret_key)
