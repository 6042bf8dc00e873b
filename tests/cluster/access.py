"""What a running cluster gives its users: a kubeconfig and an S3 server, also as files under .cluster/."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from cluster.store import ADMIN, READER, REGION, SHARED_BUCKET, Identity

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / ".cluster"


@dataclass(frozen=True)
class S3:
    """An S3 server: the same endpoint serves the host and the pods."""

    endpoint: str
    region: str = REGION
    bucket: str = SHARED_BUCKET
    admin: Identity = ADMIN
    # May read the shared bucket only; None where the user's own server has no such identity.
    reader: Identity | None = READER

    def variables(self) -> dict[str, str]:
        """The server as environment variables, the names that .cluster/s3.env documents."""
        values = {
            "S3_ENDPOINT": self.endpoint,
            "S3_REGION": self.region,
            "S3_BUCKET": self.bucket,
            "S3_ACCESS_KEY": self.admin.access_key,
            "S3_SECRET_KEY": self.admin.secret_key,
        }
        if self.reader is not None:
            values["S3_READER_ACCESS_KEY"] = self.reader.access_key
            values["S3_READER_SECRET_KEY"] = self.reader.secret_key
        return values


@dataclass(frozen=True)
class Access:
    """Everything that a test needs of a cluster."""

    kubeconfig: Path
    s3: S3
    # The folder with kubectl and helm; None: those on the PATH.
    tools: Path | None = None
    # Where the API server notes each write; None where that cannot be read.
    audit_log: Path | None = None


def write_access(access: Access, folder: Path = FOLDER) -> Access:
    """Writes kubeconfig, s3.env and bin/ under .cluster/ and returns the access through them."""
    folder.mkdir(exist_ok=True)
    kubeconfig = folder / "kubeconfig"
    if access.kubeconfig.resolve() != kubeconfig.resolve():
        kubeconfig.touch(0o600)
        kubeconfig.write_bytes(access.kubeconfig.read_bytes())
    lines = [f"{name}={shlex.quote(value)}" for name, value in access.s3.variables().items()]
    (folder / "s3.env").write_text("\n".join(lines) + "\n")
    _link(folder / "audit.log", access.audit_log)
    if access.tools is not None:
        (folder / "bin").mkdir(exist_ok=True)
        for name in ("kubectl", "helm"):
            _link(folder / "bin" / name, access.tools / name)
    tools = folder / "bin" if access.tools else None
    return Access(kubeconfig=kubeconfig, s3=access.s3, tools=tools, audit_log=access.audit_log)


def remove_access(folder: Path = FOLDER) -> None:
    """Removes the files of a cluster that is no more; the tools stay."""
    for name in ("kubeconfig", "s3.env", "audit.log"):
        (folder / name).unlink(missing_ok=True)


def _link(link: Path, target: Path | None) -> None:
    link.unlink(missing_ok=True)
    if target is not None:
        link.symlink_to(target)
