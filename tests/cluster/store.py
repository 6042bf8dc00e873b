"""The S3 server of the tests: SeaweedFS as one process, how it is configured and who may do what with it.
Used on the node, and alone on loopback for tests that need no cluster."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHARED_BUCKET = "towpath-tests"
REGION = "us-east-1"
# gRPC ports are the others plus 10,000.
_GRPC = 10_000


@dataclass(frozen=True)
class Identity:
    """A key pair."""

    access_key: str
    secret_key: str


@dataclass(frozen=True)
class Ports:
    """Where the parts of one server listen."""

    s3: int
    master: int
    volume: int
    filer: int

    def all(self) -> list[int]:
        """Every port the server takes."""
        own = [self.s3, self.master, self.volume, self.filer]
        return own + [port + _GRPC for port in own]


# Known keys: the server listens on loopback or on the node's own network only.
ADMIN = Identity("towpath-admin", "towpath-admin-secret")
READER = Identity("towpath-reader", "towpath-reader-secret")


def render_identities(reader_bucket: str = SHARED_BUCKET, only: Sequence[str] = ()) -> str:
    """Two identities: one may do everything, the other only read one bucket (so a 403 is a real one).

    For each combination of actions in `only`, such as "List+Write", there is one more who may do nothing else.
    """
    everything = ["Admin", "Read", "Write", "List", "Tagging"]
    reading = [f"Read:{reader_bucket}", f"List:{reader_bucket}"]
    identities = [_identity("admin", ADMIN, everything), _identity("reader", READER, reading)]
    identities += [_identity(actions, who_may(actions), actions.split("+")) for actions in only]
    return json.dumps({"identities": identities}, indent=1)


def who_may(actions: str) -> Identity:
    """The one who may do only this."""
    return Identity(f"may-{actions}", f"secret-of-{actions}")


def _identity(name: str, who: Identity, actions: list[str]) -> dict[str, Any]:
    keys = {"accessKey": who.access_key, "secretKey": who.secret_key}
    return {"name": name, "credentials": [keys], "actions": actions}


def store_command(weed: Path, folder: Path, address: str, bind: str, ports: Ports) -> list[str]:
    """The server's command line; its folder holds data, sockets and the identities file (s3.json)."""
    settings = {
        "dir": folder,
        "ip": address,
        "ip.bind": bind,
        "master.port": ports.master,
        "volume.port": ports.volume,
        "filer.port": ports.filer,
        "s3.port": ports.s3,
        "s3.config": folder / "s3.json",
        # A typo in a bucket's name must be an error, also for the administrator.
        "s3.autoCreateBucket": "false",
        # Extra listeners, on ports that CoreDNS and others want.
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        # Sockets in /tmp, named by port, would be shared between network namespaces.
        "s3.localSocket": folder / "s3.sock",
        "filer.localSocket": folder / "filer.sock",
        # Each bucket takes several volumes: as many as the disk holds, and small ones.
        "volume.max": 0,
        "master.volumeSizeLimitMB": 64,
        "master.telemetry": "false",
        "volume.preStopSeconds": 1,
    }
    return [str(weed), "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in settings.items())]


# Read by the server as its master.toml: three volumes for a new bucket instead of seven.
STORE_ENVIRONMENT = {"WEED_MASTER_VOLUME_GROWTH_COPY_1": "3"}


def is_s3_ready(endpoint: str) -> bool:
    """Whether the S3 server serves."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{endpoint}/status", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def make_bucket(filer: str, name: str) -> None:
    """Makes a bucket, or keeps the one that is there; to the server it is a folder of its own file tree."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{filer}/buckets/{name}/", method="POST")  # noqa: S310
    opener.open(request, timeout=10).close()
