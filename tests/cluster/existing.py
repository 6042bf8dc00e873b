"""The `existing` provider: the user's own cluster, S3 server and registry, named by environment variables.
It makes nothing but images in the registry, and takes nothing down."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from cluster.access import S3, Access
from cluster.progress import ClusterError, run
from cluster.store import REGION, SHARED_BUCKET, Identity

_NEEDED = ("KUBECONFIG", "TOWPATH_S3_ENDPOINT", "TOWPATH_S3_ACCESS_KEY", "TOWPATH_S3_SECRET_KEY")


class ExistingProvider:
    """A cluster that is already there."""

    name = "existing"

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    def up(self) -> Access:
        """The access that the environment describes."""
        return access_from(self._environment)

    def has_image(self, name: str) -> bool:  # noqa: ARG002 - every provider is asked
        """Nobody knows: loading it again does no harm."""
        return False

    def load_image(self, archive: Path, name: str) -> str:
        """Pushes an OCI archive to the user's registry; its name there."""
        registry = self._environment.get("TOWPATH_REGISTRY", "")
        if not registry:
            raise ClusterError(
                f"where to is {name} pushed? Set TOWPATH_REGISTRY to one that your nodes pull from"
            )
        target = name_in(registry, name)
        image = run(["buildah", "pull", "--quiet", f"oci-archive:{archive}"]).strip()
        run(["buildah", "push", "--quiet", image, f"docker://{target}"])
        return target

    def pinned(self, name: str) -> str:
        """The image's name by its digest, which the user's registry knows."""
        said = json.loads(run(["skopeo", "inspect", f"docker://{name}"]))
        return f"{name.rpartition(':')[0]}@{said['Digest']}"

    def status(self) -> str:
        """Where the cluster is said to be."""
        access = access_from(self._environment)
        return f"existing: kubeconfig {access.kubeconfig}, S3 at {access.s3.endpoint}"

    def down(self) -> None:
        """Nothing: the cluster is not ours."""


def access_from(environment: Mapping[str, str]) -> Access:
    """The access that these variables describe; a ClusterError that names the missing ones."""
    missing = [name for name in _NEEDED if not environment.get(name)]
    if missing:
        raise ClusterError(f"TOWPATH_CLUSTER=existing needs {', '.join(missing)} in the environment")
    s3 = S3(
        endpoint=environment["TOWPATH_S3_ENDPOINT"],
        region=environment.get("TOWPATH_S3_REGION", REGION),
        bucket=environment.get("TOWPATH_S3_BUCKET", SHARED_BUCKET),
        admin=Identity(environment["TOWPATH_S3_ACCESS_KEY"], environment["TOWPATH_S3_SECRET_KEY"]),
        reader=_reader(environment),
    )
    return Access(kubeconfig=Path(environment["KUBECONFIG"]), s3=s3)


def name_in(registry: str, name: str) -> str:
    """What an image of this machine is called in a registry."""
    return f"{registry.rstrip('/')}/{name.removeprefix('localhost/')}"


def _reader(environment: Mapping[str, str]) -> Identity | None:
    keys = [environment.get(f"TOWPATH_S3_READER_{part}_KEY", "") for part in ("ACCESS", "SECRET")]
    return Identity(*keys) if all(keys) else None
