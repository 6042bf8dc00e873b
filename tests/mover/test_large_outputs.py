"""The largest outputs, published by the real publisher within the memory of its container: one file, and very many."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.local_store import running_store
from cluster.space import Space, client_for
from mover.loaded import patient
from mover.pods import Ended, Pod, datastore, ended, output
from mover.transfers import MiB

pytestmark = [pytest.mark.server, pytest.mark.long, pytest.mark.timeout(1800)]

# The container's limit is 256 MiB, and the page cache lives in it too.
MOST = 200 * MiB


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Space]:
    """A server of its own: what it holds is removed at once, by whoever knows where it lies."""
    try:
        with running_store(tmp_path / "store") as s3:
            client = client_for(s3)
            client.make_bucket(s3.bucket)
            yield Space(s3, "large/", client)
    finally:
        shutil.rmtree(tmp_path)


def publish(pod: Pod) -> tuple[Ended, int]:
    """Run the publisher; how it ended, and how much memory it held at most."""
    code, errors, held = patient().run(("publish", "0\n."), pod.environ, timeout=1500)
    return ended(pod.root, code, errors), held


def test_a_sparse_file_of_8_gib_is_published_within_its_memory(space: Space, tmp_path: Path) -> None:
    pod = Pod(tmp_path / "pod", datastore(space), space.s3.admin, outputs=[output("model")])
    size = 8 << 30
    with (tmp_path / "pod/outputs/model").open("wb") as file:
        file.truncate(size)
    published, memory = publish(pod)
    assert published.code == 0, published.errors
    assert memory < MOST, f"{memory // MiB} MiB"
    [out] = published.report["outputs"]
    folder = out["inventory"]["path"].rpartition("/")[0]
    there = space.client.stat_object(space.bucket, f"{space.prefix}{folder}/data/model")
    assert (out["bytes"], there.size) == (size, size)


@pytest.mark.parametrize("packed", [False, True])
def test_fifty_thousand_files_are_published_within_their_memory(
    space: Space, tmp_path: Path, packed: bool
) -> None:
    pod = Pod(tmp_path / "pod", datastore(space), space.s3.admin, outputs=[output("model", packed=packed)])
    for number in range(50_000):
        file = tmp_path / f"pod/outputs/model/{number % 50}/{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(number.to_bytes(4, "big") * 500)
    published, memory = publish(pod)
    assert published.code == 0, published.errors
    assert memory < MOST, f"{memory // MiB} MiB"
    [out] = published.report["outputs"]
    assert (out["files"], out["bytes"]) == (50_000, 50_000 * 2000)
