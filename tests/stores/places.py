"""A place in a real store for one test: how a mover enters it, and a judge of what is there that is not obstore."""

from __future__ import annotations

import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from azure.storage.blob import BlobServiceClient, ContainerClient
from minio import Minio

from stores.gcs_server import GcsServer
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.stores import TRANSFER, Datastore, Kind, Patience, Places, Store, open_store
from towpath_mover.volume_folder import PARTIAL


class Judge(Protocol):
    """What is really in a bucket or container; keys are whole, and any that the server takes can be put."""

    def put(self, key: str, content: bytes) -> None: ...
    def get(self, key: str) -> bytes: ...
    def begin(self, key: str) -> None: ...
    def begun(self, prefix: str) -> list[str]: ...
    def keys(self, prefix: str) -> list[str]: ...


@dataclass(frozen=True)
class Place:
    """A datastore as the plan describes it, and the values of its Secret; `ca` is in its ConfigMap."""

    kind: str
    location: Mapping[str, Any]
    judge: Judge
    secret: Mapping[str, str] | None = None
    ca: bytes | None = None
    # Keys that obstore refuses, and this server takes.
    hostile: tuple[str, ...] = field(default=())

    @property
    def prefix(self) -> str:
        return str(self.location["prefix"])

    def fresh(self) -> Place:
        """The same place with a prefix of its own."""
        return replace(self, location={**self.location, "prefix": f"{secrets.token_hex(6)}/"})

    def elsewhere(self, **location: Any) -> Place:
        """The same place with another bucket, endpoint or the like."""
        return replace(self, location={**self.location, **location})

    def planned(self, name: str = "default") -> PlannedDatastore:
        """The datastore for a mover's order."""
        secret, ca = ("keys" if self.secret is not None else None), ("ca" if self.ca else None)
        return PlannedDatastore(name, self.location, self.kind, credentials_secret=secret, ca_config_map=ca)

    def mount(self, root: Path, name: str = "default") -> None:
        """Lay the Secret and the ConfigMap where a pod has them."""
        for key, value in (self.secret or {}).items():
            file = root / "credentials" / name / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(value + "\n")
        if self.ca:
            (root / "ca" / name).mkdir(parents=True, exist_ok=True)
            (root / "ca" / name / "ca.crt").write_bytes(self.ca)

    def open(self, root: Path, patience: Patience = TRANSFER) -> Store:
        """An open store, as in a pod whose /towpath is `root`."""
        self.mount(root)
        planned = self.planned()
        datastore = Datastore(
            "default",
            Kind(self.kind),
            self.location,
            self.prefix,
            planned.credentials_secret,
            planned.ca_config_map,
        )
        return open_store(datastore, self.places(root), patience)

    def places(self, root: Path) -> Places:
        """Where a mover finds what it needs of the pod whose /towpath is `root`."""
        return Places(root / "credentials", root / "ca")

    def put(self, key: str, content: bytes) -> None:
        """Put an object, by the judge."""
        self.judge.put(self.prefix + key, content)

    def get(self, key: str) -> bytes:
        """What the judge finds."""
        return self.judge.get(self.prefix + key)

    def begin(self, key: str) -> None:
        """Begin an upload that nobody completes."""
        self.judge.begin(self.prefix + key)

    def begun(self) -> list[str]:
        """The keys of uploads that nobody completed."""
        return sorted(key.removeprefix(self.prefix) for key in self.judge.begun(self.prefix))

    def keys(self) -> list[str]:
        """The keys that the judge finds, in order."""
        return sorted(key.removeprefix(self.prefix) for key in self.judge.keys(self.prefix))


@dataclass(frozen=True)
class Volume:
    """A folder that stands for a claim's volume in a pod; whoever shares it writes there directly."""

    folder: Path
    kind: str = Kind.PERSISTENT_VOLUME_CLAIM
    hostile: tuple[str, ...] = ("tab\there", "new\nline", "del\x7f")

    def fresh(self) -> Volume:
        """An empty volume."""
        return replace(self, folder=self.folder / secrets.token_hex(6))

    def open(self, root: Path, patience: Patience = TRANSFER) -> Store:
        """An open store, as in a pod that has the volume."""
        self._file("").mkdir(parents=True)
        datastore = Datastore("default", Kind.PERSISTENT_VOLUME_CLAIM, {"claimName": "data"})
        return open_store(datastore, self.places(root), patience)

    def places(self, root: Path) -> Places:
        return Places(root, root, self.folder)

    def put(self, key: str, content: bytes) -> None:
        self._file(key).parent.mkdir(parents=True, exist_ok=True)
        self._file(key).write_bytes(content)

    def get(self, key: str) -> bytes:
        return self._file(key).read_bytes()

    def begin(self, key: str) -> None:
        self.put(f"{key}/{PARTIAL}0123456789abcdef", b"half")

    def begun(self) -> list[str]:
        parts = (file.parent for file in self._file("").rglob(f"{PARTIAL}*"))
        return sorted(str(part.relative_to(self._file(""))) for part in parts)

    def keys(self) -> list[str]:
        files = (file for file in self._file("").rglob("*") if file.is_file())
        return sorted(str(file.relative_to(self._file(""))) for file in files)

    def _file(self, key: str) -> Path:
        return self.folder / "default" / key


@dataclass(frozen=True)
class S3Judge:
    client: Minio
    bucket: str

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(self.bucket, key, io.BytesIO(content), len(content))

    def get(self, key: str) -> bytes:
        answer = self.client.get_object(self.bucket, key)
        try:
            return bytes(answer.read())
        finally:
            answer.close()
            answer.release_conn()

    def begin(self, key: str) -> None:
        upload = self.client._create_multipart_upload(self.bucket, key, {})
        self.client._upload_part(self.bucket, key, b"half", {}, upload, 1)

    def begun(self, prefix: str) -> list[str]:
        found = self.client._list_multipart_uploads(self.bucket, prefix=prefix)
        return [str(upload.object_name) for upload in found.uploads]

    def keys(self, prefix: str) -> list[str]:
        found = self.client.list_objects(self.bucket, prefix=prefix, recursive=True)
        return [str(entry.object_name) for entry in found]


@dataclass(frozen=True)
class AzureJudge:
    container: ContainerClient

    def put(self, key: str, content: bytes) -> None:
        self.container.upload_blob(key, content, overwrite=True)

    def get(self, key: str) -> bytes:
        return self.container.download_blob(key).readall()

    def begin(self, key: str) -> None:
        """There is nothing to abort: the service drops blocks that nobody committed after a week."""

    def begun(self, prefix: str) -> list[str]:  # noqa: ARG002 - of every judge
        return []

    def keys(self, prefix: str) -> list[str]:
        return [blob.name for blob in self.container.list_blobs(name_starts_with=prefix)]


@dataclass(frozen=True)
class GcsJudge:
    server: GcsServer

    def put(self, key: str, content: bytes) -> None:
        self.server.put(key, content)

    def get(self, key: str) -> bytes:
        return self.server.objects[key].content

    def begin(self, key: str) -> None:
        name = f"upload-{next(self.server.numbers)}"
        self.server.uploads[name], self.server.begun[name] = {1: b"half"}, key

    def begun(self, prefix: str) -> list[str]:
        there = (key for name, key in self.server.begun.items() if name in self.server.uploads)
        return [key for key in there if key.startswith(prefix)]

    def keys(self, prefix: str) -> list[str]:
        return [key for key in self.server.objects if key.startswith(prefix)]


def azure_service(endpoint: str, account: str, key: str, ca: Path | None = None) -> BlobServiceClient:
    """Azure's own client."""
    credential = {"account_name": account, "account_key": key}
    return BlobServiceClient(endpoint, credential=credential, connection_verify=str(ca) if ca else True)
