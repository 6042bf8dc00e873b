"""Files that somebody goes on writing while they are published, and files that are stranger than they look.

The proxy stops at a request of the upload, and the files change then: no real server waits for that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from cluster.space import Space
from mover.breaking_proxy import Break, Request, breaking_proxy
from mover.pods import Ended, Pod, content_of, datastore, output
from mover.transfers import MiB, behind

pytestmark = [pytest.mark.server, pytest.mark.fault]

# More than is read before its first part has arrived.
SIZE = 64 * MiB


def changing(space: Space, root: Path, change: Callable[[Path], object], packed: bool = False) -> Ended:
    """Publish an output that has a large file, changed as soon as its first part arrives; packed: two small ones."""
    changed: list[int] = []

    def rule(request: Request) -> Break | None:
        if request.method != "PUT" or changed:
            return None
        changed.append(1)
        return Break(beforehand=partial(change, root / "outputs/model"))

    with breaking_proxy(space.s3.endpoint, rule) as proxy:
        place = datastore(behind(space, proxy.endpoint))
        pod = Pod(root, place, space.s3.admin, outputs=[output("model", packed=packed)])
        (root / "outputs/model").mkdir()
        with (root / "outputs/model/large").open("wb") as file:
            file.truncate(SIZE)
        ended = pod.publish()
    assert changed
    return ended


def resize(size: int, folder: Path) -> None:
    os.truncate(folder / "large", size)


def rewrite(folder: Path) -> None:
    with (folder / "large").open("r+b") as file:
        file.write(b"others")


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "it grows": (partial(resize, SIZE + 1), f"it had {SIZE} bytes, now more than {SIZE}"),
    "it shrinks": (partial(resize, SIZE - 1), f"it had {SIZE} bytes, now only {SIZE - 1}"),
    "it is written over": (rewrite, "something wrote into it"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_file_that_changes_while_it_is_read_gets_no_inventory(
    local_s3: Space, tmp_path: Path, case: str
) -> None:
    change, words = CHANGES[case]
    ended = changing(local_s3, tmp_path, change)
    assert (ended.code, ended.report["reason"]) == (42, "OutputChanged")
    assert f"'large' changed while it was published: {words}" in ended.report["message"]
    assert not [key for key in local_s3.keys("team-a") if "inventory" in key or "result" in key]


def test_a_file_that_is_removed_while_it_is_read_is_published_as_it_was(
    local_s3: Space, tmp_path: Path
) -> None:
    ended = changing(local_s3, tmp_path, lambda folder: (folder / "large").unlink())
    assert ended.code == 0, ended.errors
    [out] = ended.report["outputs"]
    folder = out["inventory"]["path"].rpartition("/")[0]
    found = local_s3.client.stat_object(local_s3.bucket, f"{local_s3.prefix}{folder}/data/large")
    assert (out["bytes"], found.size) == (SIZE, SIZE)


@pytest.mark.parametrize("packed", [False, True])
def test_hard_links_and_sparse_files_are_files_like_any_other(
    local_s3: Space, tmp_path: Path, packed: bool
) -> None:
    first = Pod(
        tmp_path / "1", datastore(local_s3), local_s3.s3.admin, outputs=[output("model", packed=packed)]
    )
    folder = tmp_path / "1/outputs/model"
    folder.mkdir()
    (folder / "one").write_bytes(b"the same")
    (folder / "two").hardlink_to(folder / "one")
    with (folder / "sparse").open("wb") as file:
        file.truncate(9 * MiB)
        file.seek(5 * MiB)
        file.write(b"an island")
    assert (folder / "sparse").stat().st_blocks * 512 < MiB
    [out] = first.publish().report["outputs"]
    assert (out["files"], out["bytes"]) == (3, 9 * MiB + 16)
    second = Pod(tmp_path / "2", datastore(local_s3), local_s3.s3.admin, inputs=[("model", out["inventory"])])
    assert second.stage_in().code == 0
    assert content_of(tmp_path / "2/inputs/model") == content_of(folder)


def test_only_the_parts_that_were_cut_are_sent_again(local_s3: Space, tmp_path: Path) -> None:
    sent: list[tuple[str, str]] = []

    def rule(request: Request) -> Break | None:
        if "partNumber" not in request.query and "uploads" not in request.query:
            return None
        before = sent.count((request.method, request.query))
        sent.append((request.method, request.query))
        # Of each second part the connection is reset once, when its answer is on its way.
        is_cut = request.method == "PUT" and len(set(sent)) % 2 and not before
        return Break(reset=True) if is_cut else None

    with breaking_proxy(local_s3.s3.endpoint, rule) as proxy:
        place = datastore(behind(local_s3, proxy.endpoint))
        pod = Pod(tmp_path, place, local_s3.s3.admin, outputs=[output("model")])
        (tmp_path / "outputs/model").write_bytes(os.urandom(4 * MiB) * 10)
        published = pod.publish()
        assert published.code == 0, published.errors
        assert proxy.broken >= 2
    # One upload, five parts, and those again that were cut.
    assert len([method for method, _ in sent if method == "POST"]) == 1
    assert len({query for method, query in sent if method == "PUT"}) == 5
    assert len(sent) == 6 + proxy.broken
    [out] = published.report["outputs"]
    second = Pod(
        tmp_path / "2",
        datastore(local_s3),
        local_s3.s3.admin,
        inputs=[("model", out["inventory"])],
        file="model",
    )
    assert second.stage_in().code == 0
    assert (tmp_path / "2/inputs/model/model").read_bytes() == (tmp_path / "outputs/model").read_bytes()
