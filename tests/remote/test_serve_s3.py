"""What only a store of objects shows: `serve` and `--direct` against a real S3 server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from cli.memory import MemoryBackend
from cluster.space import Space
from remote.serving import Processes
from towpath.backend import Store
from towpath.cluster.link import Ask
from towpath.cluster.remote_store import served_by
from towpath.copying import copy
from towpath.errors import ChangedError, NotFoundError, UserErrorException
from towpath.flow import store_keys
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.opened_store import OpenedStore
from towpath_mover.fields import Fields
from towpath_mover.stores import Places, datastore_from, open_store

pytestmark = pytest.mark.server

MiB = 1 << 20


@pytest.fixture
def pods(local_s3: Space, tmp_path: Path) -> Iterator[Processes]:
    """Servers of a prefix of the S3 server."""
    keys = tmp_path / "credentials/default"
    keys.mkdir(parents=True)
    (keys / "AWS_ACCESS_KEY_ID").write_text(local_s3.s3.admin.access_key)
    (keys / "AWS_SECRET_ACCESS_KEY").write_text(local_s3.s3.admin.secret_key)
    location = {
        "endpoint": local_s3.s3.endpoint,
        "bucket": local_s3.bucket,
        "prefix": local_s3.prefix,
        "region": local_s3.s3.region,
    }
    made = Processes(PlannedDatastore("default", location, "s3", credentials_secret="keys"), tmp_path)
    yield made
    for process in made.processes:
        process.kill()


def chunks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), MiB):
        yield content[start : start + MiB]


def test_a_large_object_goes_there_in_parts_and_comes_back_and_a_killed_server_loses_none_of_them(
    pods: Processes, local_s3: Space
) -> None:
    content = os.urandom(60 * MiB + 3)

    def killing() -> Iterator[bytes]:
        for number, chunk in enumerate(chunks(content)):
            if number == 40:
                pods.kill()
            yield chunk

    with pods.open() as store:
        written = store.write("large", killing(), len(content))
        assert written.size == len(content)
        assert b"".join(store.read("large")) == content
        assert local_s3.get("large") == content
        assert local_s3.keys(store_keys.upload_parts_prefix("team-a")) == []
        assert pods.memory_peak() < 256 * MiB
        store.write("small", [b"x"], 1)
        assert [found.path for found in store.list_files("")] == ["large", "small"]
        with pytest.raises(NotFoundError):
            store.state("none")
        etag = store.state("small").etag
        store.write("small", [b"y"], 1)
        with pytest.raises(ChangedError):
            list(store.read("small", etag=etag))
    assert len(pods.processes) == 2


def test_what_goes_wrong_in_the_server_is_told_and_not_tried_again(pods: Processes) -> None:
    asked = Ask("GET", "/v1/block", {"path": "a", "start": "no number", "end": "1"})
    (pods.root / "tmp").mkdir()
    with served_by(pods) as store, pytest.raises(UserErrorException, match="no number"):
        store._json(asked)


class Direct(MemoryBackend):
    """Datastores that are entered from here, by keys of this test."""

    space: Space
    root: Path

    def open_store(self, datastore: str, direct: bool = False) -> AbstractContextManager[Store]:
        assert direct
        location: dict[str, Any] = {
            "endpoint": self.space.s3.endpoint,
            "bucket": self.space.bucket,
            "prefix": f"{self.space.prefix}{datastore}/",
            "region": self.space.s3.region,
        }
        described = datastore_from(Fields({"name": "default", "s3": location, "credentialsSecret": "k"}, "x"))
        opened = open_store(described, Places(self.root / "credentials"))
        return nullcontext(OpenedStore(opened, self.namespace))


def test_objects_of_any_size_are_copied_between_two_datastores_that_are_entered_directly(
    pods: Processes, local_s3: Space
) -> None:
    large = os.urandom(30 * MiB)
    local_s3.put("one/raw/large", large)
    local_s3.put("one/raw/small", b"x")
    backend = Direct()
    backend.space, backend.root = local_s3, pods.root
    assert copy(backend, "one:/raw", "two:/kept", direct=True).files == 2
    assert local_s3.get("two/kept/large") == large
    assert copy(backend, "one:/raw", "two:/kept", direct=True).same == 2
