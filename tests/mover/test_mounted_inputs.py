"""stage-in of inputs whose datastore is mounted: names, bytes and modes as of a download, or a failure by name."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from flow.subset_records import split
from mover.pods import Ended, Pod, datastore, output, write_files
from towpath_mover.exits import Exit

pytestmark = pytest.mark.server

FILES = [
    ("plain.txt", b"a"),
    ("a folder/with space.csv", b"x,y\n1,2\n"),
    ("a folder/.hidden", b"h"),
    ("ünï/ço\u0301de.txt", "é".encode()),
    ("deep/" + "d/" * 20 + "end", b"end"),
    ("empty", b""),
    ("run.sh", b"#!/bin/sh\n"),
    *((f"many/{number:03}", bytes([number % 251]) * number) for number in range(60)),
]
PARTS: dict[str, int | str | None] = {"train": 50, "test": None}


@pytest.fixture
def published(local_s3: Space, tmp_path: Path) -> dict[str, Any]:
    """Where the inventory of an output with these files lies."""
    return publish(local_s3, tmp_path)


def publish(space: Space, folder: Path, **changes: Any) -> dict[str, Any]:
    first = Pod(folder / "first", datastore(space), space.s3.admin, outputs=[output("all", **changes)])
    write_files(folder / "first/outputs/all", FILES)
    (folder / "first/outputs/all/run.sh").chmod(0o755)
    [found] = first.publish().report["outputs"]
    inventory: dict[str, Any] = found["inventory"]
    return inventory


def staged(space: Space, root: Path, inventory: Mapping[str, Any], **given: Any) -> tuple[Pod, Path]:
    """A pod with this input, and where its datastore is mounted: at the mount the data lie as in the store."""
    pod = Pod(root, datastore(space), space.s3.admin, inputs=[("data", inventory)], **given)
    data = str(inventory["path"]).replace("inventory.jsonl.gz", "data")
    return pod, root / "mounts/default" / data


def mounted(space: Space, folder: Path, inventory: Mapping[str, Any], **given: Any) -> tuple[Pod, Path]:
    pod, data = staged(space, folder / "mounted", inventory, mounted=True, shows_mount=True, **given)
    data.parent.mkdir(parents=True)
    shutil.copytree(folder / "first/outputs/all", data)
    # As a mount of a bucket shows them.
    for file in data.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    return pod, data


def seen(root: Path) -> dict[str, tuple[bytes, int]]:
    """What a step finds: by path its bytes and mode, through links."""
    found = {}
    for folder, _, names in os.walk(root / "inputs/data"):
        for name in names:
            file = Path(folder, name)
            found[str(file.relative_to(root / "inputs/data"))] = (file.read_bytes(), file.stat().st_mode)
    return found


@pytest.mark.parametrize(
    "chain", [[], [split("train", PARTS)], [{"filter": {"path": "many/*"}}, {"take": {"count": 7}}]]
)
def test_a_mounted_input_is_what_a_download_of_it_is(
    local_s3: Space, tmp_path: Path, published: dict[str, Any], chain: list[dict[str, Any]]
) -> None:
    pod, _ = mounted(local_s3, tmp_path, published, transforms=chain)
    down, _ = staged(local_s3, tmp_path / "down", published, transforms=chain)

    ends = [one.stage_in() for one in (pod, down)]

    assert [one.code for one in ends] == [0, 0], ends
    assert seen(pod.root) == seen(down.root)
    assert len(seen(pod.root)) == ends[0].report["files"] == ends[1].report["files"] > 0
    assert [one.report["verified"] for one in ends] == ["Listing", "Bytes"]
    links = [file for file in (pod.root / "inputs/data").rglob("*") if file.is_symlink()]
    assert len(links) == len(seen(pod.root)) - ("run.sh" in seen(pod.root))


def test_what_came_into_the_folder_later_is_not_seen(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = mounted(local_s3, tmp_path, published)
    (data / "later.txt").write_text("later")
    assert pod.stage_in().code == 0
    assert sorted(seen(pod.root)) == sorted(path for path, _ in FILES)


def refused(pod: Pod, reason: str, exit_code: Exit) -> str:
    ended: Ended = pod.stage_in()
    assert (ended.code, ended.report["reason"]) == (exit_code, reason), ended
    assert not (pod.root / "inputs/data").exists()
    return str(ended.report["message"])


def test_an_empty_mount_is_a_failure_with_a_name(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = mounted(local_s3, tmp_path, published)
    shutil.rmtree(data)
    words = refused(pod, "MountEmpty", Exit.REFUSED)
    assert f"none of its {len(FILES)} files" in words


def test_files_that_are_missing_or_others_are_named(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = mounted(local_s3, tmp_path, published)
    (data / "many/007").unlink()
    (data / "plain.txt").write_bytes(b"more bytes")
    (data / "many/008").unlink()
    os.mkfifo(data / "many/008")
    words = refused(pod, "MountIncomplete", Exit.REFUSED)
    assert f"of its {len(FILES)} files 1 are not in its mount and 2 are others" in words
    assert "'many/007' is missing" in words
    assert "'plain.txt' (10 bytes, 1 were pinned)" in words
    assert "'many/008' (it is no file)" in words


def test_a_mount_that_cannot_be_looked_into_is_tried_again(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = mounted(local_s3, tmp_path, published)
    shutil.rmtree(data)
    data.symlink_to(data)
    assert "levels of symbolic links" in refused(pod, "MountUnreadable", Exit.TRY_AGAIN)


def test_what_can_be_executed_is_brought_from_the_store(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = mounted(local_s3, tmp_path, published)
    (data / "run.sh").write_bytes(b"#!/bin/no\n")
    assert pod.stage_in().code == 0
    assert seen(pod.root)["run.sh"] == (b"#!/bin/sh\n", 0o100755)


def test_a_link_in_a_mount_brings_nothing_of_the_movers(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = mounted(local_s3, tmp_path, published)
    secret = pod.root / "credentials/default/AWS_SECRET_ACCESS_KEY"
    for name in ("run.sh", "plain.txt"):
        (data / name).unlink()
        (data / name).symlink_to(secret)
    words = refused(pod, "MountIncomplete", Exit.REFUSED)
    assert "'plain.txt' (it is no file)" in words


def test_where_nothing_is_mounted_and_what_lies_in_packs_is_downloaded(
    local_s3: Space, tmp_path: Path
) -> None:
    packed = publish(local_s3, tmp_path, packed=True)
    pod, data = mounted(local_s3, tmp_path, packed)
    shutil.rmtree(data)
    assert pod.stage_in().code == 0
    assert seen(pod.root)["plain.txt"][0] == b"a"
    assert not any(file.is_symlink() for file in (pod.root / "inputs/data").rglob("*"))


def test_what_lies_in_packs_is_not_brought_where_it_has_no_room(local_s3: Space, tmp_path: Path) -> None:
    first = Pod(
        tmp_path / "first", datastore(local_s3), local_s3.s3.admin, outputs=[output("all", packed=True)]
    )
    large = [("large", bytes(18 << 20)), *((f"small-{number}", b"x") for number in range(9))]
    write_files(tmp_path / "first/outputs/all", large)
    inventory = first.publish().report["outputs"][0]["inventory"]
    pod, _ = staged(local_s3, tmp_path / "mounted", inventory, mounted=True, shows_mount=True)
    words = refused(pod, "MountIncomplete", Exit.REFUSED)
    assert "in packs of an earlier run" in words
    assert "Say mode: Download" in words


def test_an_input_whose_roots_are_not_mounted_is_downloaded(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, _ = staged(local_s3, tmp_path / "none", published, mounted=True)
    assert pod.stage_in().code == 0
    assert seen(pod.root)["many/059"][0] == bytes([59]) * 59


def test_a_pod_that_is_set_up_again_keeps_its_links(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, _ = mounted(local_s3, tmp_path, published)
    assert [pod.stage_in().code, pod.stage_in().code] == [0, 0]
    assert len(seen(pod.root)) == len(FILES)
