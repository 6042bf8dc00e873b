"""A folder of the node as an administrator's volume: files are put there, and claims made of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cluster.installation import Tools, create_namespace
from cluster.pods import PYTHON_IMAGE, run_pod
from e2e.tenant import Tenant

PLANT = """
mkdir -p raw/2026 && cd raw
echo one > 2026/a.csv; echo two > b.csv; echo no > c.txt; ln -s /etc/passwd link.txt
"""
FOLDERS = "/var/lib/towpath-tests"


@dataclass(frozen=True)
class NodeFolder:
    """A folder of the node, which pods of an administrator look into."""

    tools: Tools
    namespace: str
    mark: str

    @property
    def path(self) -> str:
        return f"{FOLDERS}/{self.mark}"

    def run(self, name: str, script: str) -> str:
        """What a script of root printed, in the folder."""
        command = ["sh", "-ec", f"mkdir -p {self.path} && cd {self.path}\n{script}"]
        container: dict[str, Any] = {"name": "main", "image": PYTHON_IMAGE, "command": command}
        container |= {"volumeMounts": [{"name": "folders", "mountPath": FOLDERS}]}
        folders = {"name": "folders", "hostPath": {"path": FOLDERS, "type": "DirectoryOrCreate"}}
        spec = {"restartPolicy": "Never", "containers": [container], "volumes": [folders]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        code, log = run_pod(self.tools.kubectl, self.namespace, pod)
        assert code == 0, log
        return log

    def node(self, name: str) -> str:
        """The node where a script ran, and so the folder is."""
        pod = self.tools.kubectl.direct.get("pods", name, self.namespace)
        node: str = pod["spec"]["nodeName"]
        return node


@contextmanager
def node_folder(tools: Tools) -> Iterator[NodeFolder]:
    """A folder with files of somebody; at the end it is emptied."""
    mark = f"volume-{secrets.token_hex(3)}"
    create_namespace(tools, mark, level="privileged")
    folder = NodeFolder(tools, mark, mark)
    folder.run("plant", PLANT)
    yield folder
    folder.run("clear", f"rm -rf {folder.path}")
    tools.kubectl("delete", "persistentvolume", "-l", f"towpath-tests/volume={mark}", "--wait=false")
    tools.kubectl.direct.delete("namespaces", mark, wait=False)


def make_claim(tenant: Tenant, folder: NodeFolder, claim: str, below: str = "") -> None:
    """What an administrator makes: a volume of the node's folder, and the claim that it is for."""
    common: dict[str, Any] = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [folder.node("plant")]}
    name = f"{folder.mark}-{claim}"
    volume = common | {
        "capacity": {"storage": "1Gi"},
        "local": {"path": folder.path + below},
        "claimRef": {"namespace": tenant.namespace, "name": claim},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}},
    }
    asked = common | {"volumeName": name, "resources": {"requests": {"storage": "1Gi"}}}
    labels = {"towpath-tests/volume": folder.mark}
    for kind, named, spec in (
        ("PersistentVolume", name, volume),
        ("PersistentVolumeClaim", claim, asked),
    ):
        metadata = {"name": named, "labels": labels}
        body = {"apiVersion": "v1", "kind": kind, "metadata": metadata, "spec": spec}
        tenant.kubectl("apply", "-f", "-", stdin=json.dumps(body))
