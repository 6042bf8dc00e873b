"""The `kind` provider: Kubernetes in Docker, for machines where a Docker engine answers. The S3 server is a
container beside it, on the same network. Written against kind 0.33; it could not be tried on our machines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cluster.access import FOLDER, S3, Access
from cluster.cache import cache_folder
from cluster.native.base_image import BASE_IMAGE
from cluster.native.binary import find_go
from cluster.native.images import pin_image
from cluster.progress import ClusterError, long_work, run, say
from cluster.store import (
    SHARED_BUCKET,
    STORE_ENVIRONMENT,
    Ports,
    is_s3_ready,
    make_bucket,
    render_identities,
    store_command,
)
from cluster.waiting import wait_until

NAME = "towpath-tests"
STORE = "towpath-tests-s3"
STORE_IMAGE = "chrislusf/seaweedfs:4.48"
BASE_SOURCE = "python:3.11-slim"
KIND_VERSION = "v0.33.0"
# kind makes this Docker network; pods reach what is on it, and on Linux so does the host.
_NETWORK = "kind"
_PORTS = Ports(s3=8333, master=9333, volume=8340, filer=8888)
_DATA = Path("/data")


class KindProvider:
    """A kind cluster and a SeaweedFS container."""

    name = "kind"

    def up(self) -> Access:
        """Creates what is missing of cluster and store."""
        kubeconfig = FOLDER / "kubeconfig"
        FOLDER.mkdir(exist_ok=True)
        kind = find_kind()
        if NAME not in run([kind, "get", "clusters"]).split():
            with long_work("creating the kind cluster", "2 minutes with its image at hand"):
                run(create_command(kind, kubeconfig))
                _load_base(kind)
        run([kind, "export", "kubeconfig", "--name", NAME, "--kubeconfig", kubeconfig])
        return Access(kubeconfig=kubeconfig, s3=S3(endpoint=_ensure_store()))

    def has_image(self, name: str) -> bool:  # noqa: ARG002 - every provider is asked
        """Nobody knows: loading it again does no harm."""
        return False

    def load_image(self, archive: Path, name: str) -> str:
        """Brings an OCI archive, which must carry this name, to the cluster's node."""
        run([find_kind(), "load", "image-archive", archive, "--name", NAME])
        return name

    def pinned(self, name: str) -> str:
        """The image's name by its digest, which the node's runtime is told."""
        ctr = ["docker", "exec", f"{NAME}-control-plane", "ctr", "--namespace", "k8s.io"]
        return pin_image(ctr, name)

    def status(self) -> str:
        """Whether cluster and store are there."""
        cluster = "up" if NAME in run([find_kind(), "get", "clusters"]).split() else "down"
        return f"kind: cluster {NAME} {cluster}, S3 container {STORE} {'up' if _store_address() else 'down'}"

    def down(self) -> None:
        """Deletes both."""
        run([find_kind(), "delete", "cluster", "--name", NAME])
        if _is_there(STORE):
            run(["docker", "rm", "--force", "--volumes", STORE])


def find_kind() -> str:
    """The path of `kind`, built from its module if there is none."""
    on_path = shutil.which("kind")
    if on_path is not None:
        return on_path
    folder = cache_folder() / f"kind-{KIND_VERSION}"
    if not (folder / "kind").exists():
        say("building kind from its Go module, about a minute, once")
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        run([find_go(), "install", f"sigs.k8s.io/kind@{KIND_VERSION}"], environment=environment)
    return str(folder / "kind")


def create_command(kind: str, kubeconfig: Path) -> list[str | Path]:
    """How the cluster is made."""
    return [kind, "create", "cluster", "--name", NAME, "--kubeconfig", kubeconfig, "--wait", "180s"]


def run_store_command(identities: Path) -> list[str | Path]:
    """How the S3 container is started, with the same settings as everywhere else."""
    environment = [word for pair in STORE_ENVIRONMENT.items() for word in ("--env", "=".join(pair))]
    mounts = ["--volume", f"{identities}:{_DATA / 's3.json'}:ro"]
    inside = store_command(Path("weed"), _DATA, STORE, "0.0.0.0", _PORTS)  # noqa: S104
    start = ["docker", "run", "--detach", "--name", STORE, "--network", _NETWORK]
    return [*start, *environment, *mounts, "--entrypoint", inside[0], STORE_IMAGE, *inside[1:]]


def _load_base(kind: str) -> None:
    # The same name as on the native node, so that the same manifests run.
    run(["docker", "pull", BASE_SOURCE])
    run(["docker", "tag", BASE_SOURCE, BASE_IMAGE.name])
    run([kind, "load", "docker-image", BASE_IMAGE.name, "--name", NAME])


def _ensure_store() -> str:
    if not _store_address():
        if _is_there(STORE):
            run(["docker", "rm", "--force", "--volumes", STORE])
        identities = cache_folder() / "kind-s3.json"
        identities.parent.mkdir(parents=True, exist_ok=True)
        identities.write_text(render_identities())
        run(run_store_command(identities))
    address = _store_address()
    endpoint = f"http://{address}:{_PORTS.s3}"
    if not wait_until(lambda: is_s3_ready(endpoint), 60):
        said = run(["docker", "logs", "--tail", "20", STORE])
        raise ClusterError(
            f"S3 does not answer at {endpoint} after 60 s. Can this host reach containers by address? "
            f"(Docker Desktop cannot: use TOWPATH_CLUSTER=existing there.)\n{said}"
        )
    make_bucket(f"http://{address}:{_PORTS.filer}", SHARED_BUCKET)
    return endpoint


def _store_address() -> str:
    # Both are empty for a container that has stopped.
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    return run(["docker", "inspect", "--format", template, STORE]).strip() if _is_there(STORE) else ""


def _is_there(container: str) -> bool:
    names = run(["docker", "ps", "--all", "--format", "{{.Names}}"]).split()
    return container in names
