"""Builders for tests of transfers: open stores on a test server, files to send, and both directions in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from cluster.store import Identity
from towpath_mover.download import download
from towpath_mover.failures import MoverFailure
from towpath_mover.inventory import Entry
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.store_s3 import ACCESS_KEY, SECRET_KEY
from towpath_mover.stores import TRANSFER, Datastore, Kind, Patience, Places, Store, open_store
from towpath_mover.transfer import Limits
from towpath_mover.upload import LocalFile, upload

MiB = 1 << 20
LIMITS = Limits()
# Names that a client may get wrong, and that are files' names all the same.
AWKWARD = [
    "a b",
    "a+b",
    "50%",
    "%20",
    "größe/日本",
    "🦆",
    "what?",
    "#1",
    "*",
    "~",
    ".hidden",
    "a=b&c=d",
    "'\"<>",
]
# A test of lasting trouble should not wait as long as a mover does.
HASTE = TRANSFER._replace(read_timeout=2, request_timeout=10, retries=2, retry_timeout=3, tries=1)


def a_store(
    space: Space, folder: Path, patience: Patience = TRANSFER, identity: Identity | None = None
) -> Store:
    """An open store whose prefix is the test's space; its Secret is a folder, as in a pod."""
    write_secret(folder / "credentials" / "default", identity or space.s3.admin)
    place = {"bucket": space.s3.bucket, "endpoint": space.s3.endpoint, "region": space.s3.region}
    datastore = an_s3("default", place, prefix=space.prefix, credentials_secret="store-creds")
    return open_store(datastore, Places(folder / "credentials", folder / "ca"), patience)


def an_s3(name: str = "lake", location: Mapping[str, Any] | None = None, **facts: Any) -> Datastore:
    """A datastore of kind s3; in bucket `b` of AWS unless said otherwise."""
    return Datastore(name, Kind.S3, {"bucket": "b"} | dict(location or {}), **facts)


def write_secret(folder: Path, identity: Identity) -> None:
    """A mounted Secret, with the newline that `kubectl create secret --from-file` leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ACCESS_KEY).write_text(identity.access_key + "\n")
    (folder / SECRET_KEY).write_text(identity.secret_key + "\n")


def behind(space: Space, endpoint: str) -> Space:
    """The same space, entered by another endpoint; its judge stays where it is."""
    return replace(space, s3=replace(space.s3, endpoint=endpoint))


def files_in(folder: Path, contents: Mapping[str, bytes], executable: Iterable[str] = ()) -> list[LocalFile]:
    """These files on disk, ready to be sent."""
    files = []
    for path, content in contents.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        opened = partial(os.open, place, os.O_RDONLY)
        files.append(LocalFile(path, len(content), path in set(executable), opened))
    return files


def send(files: Iterable[LocalFile], store: Store, prefix: str = "out/data/") -> dict[str, Entry]:
    """Upload, and the entries by path."""
    return {entry.path: entry for entry in upload(files, store, prefix, Progress("up"), LIMITS)}


def fetch(entries: Iterable[Entry], store: Store, target: Path, prefix: str = "out/data/") -> Path:
    """Download from one root, sorted as an inventory is."""
    listed = sorted(entries, key=lambda entry: entry.path)
    download(listed, [Source(store, prefix)], target, Progress("down"), LIMITS)
    return target


def found_in(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def an_entry_of(path: str, content: bytes) -> Entry:
    """The entry of these bytes."""
    return Entry(path, len(content), sha256(content).hexdigest())


def noise(size: int) -> bytes:
    """Bytes that no two ranges share."""
    return os.urandom(size)


def failure_of(action: Callable[[], object]) -> MoverFailure:
    """How an action fails that must."""
    with pytest.raises(MoverFailure) as raised:
        action()
    return raised.value
