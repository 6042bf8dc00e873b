"""The bytes of a dataset version, fetched by somebody who knows only docs/reference/inventory.md."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

from cluster.access import Access
from cluster.installation import Tools
from cluster.progress import ClusterError
from cluster.space import client_for


def fetch_version(tools: Tools, access: Access, namespace: str, version: str) -> dict[str, bytes]:
    """Path → bytes of every file of a version, each checked against the inventory's SHA-256."""
    spec = tools.kubectl.json("get", "-n", namespace, "datasetversions.towpath.dev", version)["spec"]
    inventory = spec["inventory"]
    document = gzip.decompress(_read(tools, access, namespace, inventory["datastore"], inventory["path"]))
    header, *entries = (json.loads(line) for line in document.splitlines())
    files = {}
    for entry in entries:
        root = header["roots"][entry.get("root", 0)]
        data = _read(tools, access, namespace, root["datastore"], root["prefix"] + entry["path"])
        files[entry["path"]] = _verified(entry, data)
    return files


def _read(tools: Tools, access: Access, namespace: str, datastore: str, key: str) -> bytes:
    s3 = tools.kubectl.json("get", "-n", namespace, "datastores.towpath.dev", datastore)["spec"]["s3"]
    response = client_for(access.s3).get_object(s3["bucket"], s3.get("prefix", "") + key)
    try:
        return response.read()
    finally:
        response.close()
        response.release_conn()


def _verified(entry: dict[str, Any], data: bytes) -> bytes:
    if len(data) != entry["size"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise ClusterError(
            f"{entry['path']} is not what its inventory says: {len(data)} of {entry['size']} bytes"
        )
    return data
