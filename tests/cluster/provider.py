"""The one interface to a test cluster, whoever provides it: `native` (a node made of namespaces on this
machine), `kind` (where a Docker engine answers) or `existing` (the user's own)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cluster.access import Access
from cluster.progress import ClusterError, ImpossibleHereError

NAMES = ("native", "kind", "existing")


class Provider(Protocol):
    """Gives tests a real Kubernetes with a real S3 server."""

    name: str

    def up(self) -> Access:
        """Makes the cluster run, or finds it running; says how to reach it."""
        ...

    def has_image(self, name: str) -> bool:
        """Whether an image of this name is known to be there; False where finding out costs as much as loading."""
        ...

    def load_image(self, archive: Path, name: str) -> str:
        """Makes an image from an OCI archive usable by pods; the name by which they ask for it."""
        ...

    def pinned(self, name: str) -> str:
        """The name by its digest under which pods may ask for an image that is there, such as `place/name@sha256:…`."""
        ...

    def status(self) -> str:
        """One paragraph for people: what runs, what does not."""
        ...

    def down(self) -> None:
        """Takes away all that `up` made; an `existing` cluster is left alone."""
        ...


def choose_name(environment: Mapping[str, str], *, is_root: bool, has_docker: bool) -> str:
    """Which provider to use: TOWPATH_CLUSTER if set, else what this machine can do."""
    asked = environment.get("TOWPATH_CLUSTER", "")
    if asked:
        if asked not in NAMES:
            raise ClusterError(f"TOWPATH_CLUSTER={asked}: no such provider. Use one of {', '.join(NAMES)}")
        return asked
    if has_docker:
        return "kind"
    if is_root:
        return "native"
    raise ImpossibleHereError(
        "no test cluster is possible here: not root (which `native` needs) and no Docker engine answers "
        "(which `kind` needs). Run as root, start Docker, or set TOWPATH_CLUSTER=existing with KUBECONFIG"
    )
