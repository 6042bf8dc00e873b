"""A place of its own in an S3 bucket for one test, with the minio client as judge of what is there."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from minio import Minio
from minio.deleteobjects import DeleteObject

from cluster.access import S3
from cluster.store import Identity


@dataclass(frozen=True)
class Space:
    """A fresh prefix in the shared bucket; keys are relative to it."""

    s3: S3
    prefix: str
    client: Minio

    @property
    def bucket(self) -> str:
        return self.s3.bucket

    def put(self, key: str, content: bytes) -> None:
        """Stores an object."""
        self.client.put_object(self.bucket, self.prefix + key, io.BytesIO(content), len(content))

    def get(self, key: str) -> bytes:
        """The content of an object."""
        answer = self.client.get_object(self.bucket, self.prefix + key)
        try:
            return bytes(answer.read())
        finally:
            answer.close()
            answer.release_conn()

    def keys(self, below: str = "") -> list[str]:
        """The keys that are there, in order."""
        found = self.client.list_objects(self.bucket, self.prefix + below, recursive=True)
        return sorted(str(entry.object_name).removeprefix(self.prefix) for entry in found)

    def clear(self) -> None:
        """Deletes everything in the space."""
        doomed = [DeleteObject(self.prefix + key) for key in self.keys()]
        problems = list(self.client.remove_objects(self.bucket, doomed))
        if problems:
            raise RuntimeError(f"could not delete {len(problems)} objects below {self.prefix}: {problems[0]}")


def client_for(s3: S3, identity: Identity | None = None) -> Minio:
    """A minio client, as the administrator unless told otherwise."""
    who = identity or s3.admin
    url = urlsplit(s3.endpoint)
    return Minio(
        url.netloc,
        access_key=who.access_key,
        secret_key=who.secret_key,
        region=s3.region,
        secure=url.scheme == "https",
    )


def new_space(s3: S3) -> Space:
    """A new prefix, of a server that goes with all that is in it."""
    client = client_for(s3)
    if not client.bucket_exists(s3.bucket):
        client.make_bucket(s3.bucket)
    return Space(s3, f"{secrets.token_hex(6)}/", client)


@contextmanager
def fresh_space(s3: S3) -> Iterator[Space]:
    """A new prefix, emptied at the end."""
    space = new_space(s3)
    try:
        yield space
    finally:
        space.clear()
