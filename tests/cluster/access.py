"""What a running cluster gives its users: a kubeconfig and an S3 server, also as files under .cluster/."""

from __future__ import annotations

import os
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
        _replace(kubeconfig, access.kubeconfig.read_text())
    lines = [f"{name}={shlex.quote(value)}" for name, value in access.s3.variables().items()]
    _replace(folder / "s3.env", "\n".join(lines) + "\n")
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


# Several processes of one test run write the same files, while others read them.
def _replace(file: Path, text: str) -> None:
    new = _beside(file)
    new.touch(0o600)
    new.write_text(text)
    new.replace(file)


def _link(link: Path, target: Path | None) -> None:
    if target is None:
        link.unlink(missing_ok=True)
        return
    new = _beside(link)
    new.symlink_to(target)
    new.replace(link)


def _beside(file: Path) -> Path:
    new = file.with_name(f".{file.name}-{os.getpid()}")
    new.unlink(missing_ok=True)
    return new
