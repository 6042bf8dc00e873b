"""Towpath itself on a test cluster: its image built and loaded, its chart installed for some namespaces."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.access import REPOSITORY, Access
from cluster.cache import one_at_a_time
from cluster.kubectl import Kubectl
from cluster.progress import ClusterError, run, say
from cluster.store import Identity
from cluster.towpath_image import image_name

CHART = REPOSITORY / "charts" / "towpath"


@dataclass(frozen=True)
class Tools:
    """kubectl and helm of one cluster."""

    access: Access

    @property
    def kubectl(self) -> Kubectl:
        """kubectl as the administrator."""
        # An `existing` cluster's kubeconfig has contexts of its own.
        return Kubectl(self._path("kubectl"), self.access.kubeconfig, "admin" if self.access.tools else "")

    def helm(self, *words: str) -> str:
        """What helm printed; a ClusterError with what it complained of."""
        environment = {**os.environ, "KUBECONFIG": str(self.access.kubeconfig)}
        return run([self._path("helm"), *words], environment=environment)

    def _path(self, tool: str) -> Path:
        if self.access.tools is not None:
            return self.access.tools / tool
        found = shutil.which(tool)
        if found is None:
            raise ClusterError(
                f"no {tool} on the PATH: install it, or use the native cluster, which brings its own"
            )
        return Path(found)


def create_namespace(tools: Tools, name: str, *, level: str = "restricted") -> None:
    """A namespace in which Pod Security enforces this level; one that is there already is kept."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    tools.kubectl.direct.apply(body)


def install(tools: Tools, release: str, namespace: str, watch: list[str], **values: Any) -> None:
    """Installs or upgrades the chart for the namespaces in `watch`, and waits until the operator is ready."""
    create_namespace(tools, namespace)
    repository, tag = image_name().rsplit(":", 1)
    settings: dict[str, Any] = {
        "watchNamespaces": watch,
        "stepImage": "localhost/python:3.11-slim",
        "image": {"repository": repository, "tag": tag},
        **values,
    }
    flags = [
        word for name, value in settings.items() for word in ("--set-json", f"{name}={json.dumps(value)}")
    ]
    say(f"helm install {release} in {namespace}")
    options = ["--take-ownership", "--force-conflicts", "--wait", "--timeout", "120s"]
    words = ["upgrade", "--install", release, str(CHART), "--namespace", namespace, *options, *flags]
    # The kinds are the cluster's: of two installations that make them at once, one would fail.
    with one_at_a_time("installation"):
        tools.helm(*words)


def uninstall(tools: Tools, release: str, namespace: str) -> None:
    """Takes the release away; CRDs and the users' objects stay."""
    tools.helm("uninstall", release, "--namespace", namespace, "--wait")


def apply_store_secret(tools: Tools, namespace: str, name: str, identity: Identity) -> None:
    """A Secret with an S3 identity, as a Datastore names it."""
    data = {"AWS_ACCESS_KEY_ID": identity.access_key, "AWS_SECRET_ACCESS_KEY": identity.secret_key}
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
    tools.kubectl.direct.apply(manifest, namespace=namespace)
