"""The mover `mount`, as the FUSE sidecar runs it: a real rclone mounts a real S3 server, and whoever reads there sees what
a download would bring; what is lost is told, and a step that read it publishes nothing. Needs root and /dev/fuse."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from cluster.store import Identity
from cluster.waiting import wait_until
from mover.pods import Pod, datastore, output
from mover.test_mounted_inputs import FILES, PARTS, publish, seen, split, staged
from towpath.flow.documents import datastore_document
from towpath_mover.exits import Exit
from towpath_mover.mount import detach
from towpath_mover.mounted_places import FusePlace

pytestmark = pytest.mark.fault

SECONDS = 60.0


@pytest.fixture(autouse=True)
def _can_mount() -> None:
    if os.geteuid() != 0 or not Path("/dev/fuse").exists() or shutil.which("fusermount3") is None:
        pytest.skip("needs root, /dev/fuse and Debian's fuse3")


@pytest.fixture
def published(local_s3: Space, tmp_path: Path) -> dict[str, Any]:
    """Where the inventory of an output with these files lies."""
    return publish(local_s3, tmp_path)


class Sidecar:
    """The container, as a process of this machine; it can be started again as a kubelet would."""

    def __init__(self, pod: Pod, identity: Identity | None = None, **location: Any) -> None:
        self.root = pod.root
        described = replace(pod.datastore, location={**pod.datastore.location, **location})
        order = {"formatVersion": 1, "datastore": datastore_document(described), "cacheBytes": 0}
        (self.root / "fuse").mkdir(exist_ok=True)
        keys = self.root
        if identity:
            # Its own Secret: what stage-in is given is right.
            keys = pod.root.with_name(f"{pod.root.name}-sidecar")
            Pod(keys, pod.datastore, identity)
            (keys / "fuse").symlink_to(self.root / "fuse")
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environ = {**pod.environ, "PATH": path, "TOWPATH_ORDER": json.dumps(order)}
        self._environ |= {"TOWPATH_ROOT": str(keys), "TOWPATH_TERMINATION_LOG": str(keys / "sidecar-log")}
        self.place = FusePlace(self.root / "fuse", pod.datastore.name)
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        """Start it, perhaps once more."""
        command = [sys.executable, "-m", "towpath_mover", "mount"]
        self.process = subprocess.Popen(command, env=self._environ)
        return self.process

    def rclone(self) -> int:
        """The process that serves the mount."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(child) for child in children if b"rclone" in Path(f"/proc/{child}/cmdline").read_bytes())

    def until(self, is_so: Callable[[FusePlace], object]) -> None:
        """Wait for what it says."""
        assert wait_until(lambda: bool(is_so(self.place)), SECONDS, pause=0.02)


@contextmanager
def beside(pod: Pod, identity: Identity | None = None, **location: Any) -> Iterator[Sidecar]:
    """A sidecar beside the pod's other containers, until they have ended."""
    sidecar = Sidecar(pod, identity, **location)
    try:
        yield sidecar
    finally:
        sidecar.process.kill()
        sidecar.process.wait()
        detach(sidecar.place.folder)


def reading(space: Space, folder: Path, inventory: dict[str, Any], **given: Any) -> Pod:
    pod, _ = staged(space, folder / "mounted", inventory, mounted=True, has_sidecar=True, **given)
    return pod


@pytest.mark.parametrize("chain", [[], [split("train", PARTS)]])
def test_what_the_sidecar_mounts_is_what_a_download_brings(
    local_s3: Space, tmp_path: Path, published: dict[str, Any], chain: list[dict[str, Any]]
) -> None:
    pod = reading(local_s3, tmp_path, published, transforms=chain)
    down, _ = staged(local_s3, tmp_path / "down", published, transforms=chain)
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        ends = [one.stage_in() for one in (pod, down)]
        assert [one.code for one in ends] == [0, 0], ends
        assert seen(pod.root) == seen(down.root)
        assert len(seen(pod.root)) == ends[1].report["files"] > 0
        assert ends[0].report["verified"] == "Listing"
        link = next(file for file in (pod.root / "inputs/data").rglob("*") if file.is_symlink())
        assert str(sidecar.place.folder) in str(link.readlink())
        with pytest.raises(OSError, match="Read-only"):
            link.write_bytes(b"mine")


def test_it_ends_when_it_is_told_to_and_takes_its_mount_with_it_though_somebody_reads_there(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published)
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        assert pod.stage_in().code == 0
        held = os.open(pod.root / "inputs/data/many/059", os.O_RDONLY)
        sidecar.process.terminate()
        assert sidecar.process.wait(30) == 0
        # Of a mount that is gone, closing says so, too.
        with suppress(OSError):
            os.close(held)
        assert not sidecar.place.is_mounted()
        assert list(sidecar.place.folder.iterdir()) == []


@pytest.mark.parametrize("said", ["0\n", "1\n"])
def test_a_step_whose_mount_died_publishes_nothing_however_it_ended(
    local_s3: Space, tmp_path: Path, published: dict[str, Any], said: str
) -> None:
    pod = reading(local_s3, tmp_path, published, outputs=[output("result")])
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        assert pod.stage_in().code == 0
        write_result(pod)
        os.kill(sidecar.rclone(), signal.SIGKILL)
        sidecar.until(FusePlace.lost)
        # It is mounted again, for whoever has not read yet.
        sidecar.until(FusePlace.is_mounted)
        ended = pod.publish(said)
    assert (ended.code, ended.report["reason"]) == (Exit.TRY_AGAIN, "MountLost"), ended
    assert "of Datastore default: rclone ended with -9" in ended.report["message"]


def test_a_sidecar_that_was_killed_mounts_again_and_tells_the_loss(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published, outputs=[output("result")])
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        assert pod.stage_in().code == 0
        write_result(pod)
        served = sidecar.rclone()
        sidecar.process.kill()
        sidecar.process.wait()
        os.kill(served, signal.SIGKILL)
        sidecar.start()
        sidecar.until(FusePlace.lost)
        sidecar.until(FusePlace.is_mounted)
        assert seen(pod.root)["plain.txt"] == (b"a", 0o100644)
        ended = pod.publish()
    assert (ended.code, ended.report["reason"]) == (Exit.TRY_AGAIN, "MountLost"), ended
    assert "its container was started again" in ended.report["message"]


def test_a_step_whose_mount_stayed_publishes(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published, outputs=[output("result")])
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        assert pod.stage_in().code == 0
        write_result(pod)
        ended = pod.publish()
        assert (ended.code, ended.report["outputs"][0]["files"]) == (0, 1)
        # And whose command failed by itself is told so.
        failed = pod.publish("3\n")
        assert (failed.code, failed.report["reason"]) == (Exit.NOT_PUBLISHED, "NotPublished")


def test_files_that_went_while_the_step_ran_are_a_loss(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = staged(local_s3, tmp_path / "mounted", published, mounted=True, shows_mount=True)
    data.parent.mkdir(parents=True)
    shutil.copytree(tmp_path / "first/outputs/all", data)
    assert pod.stage_in().code == 0
    shutil.rmtree(data)
    ended = pod.publish("1\n")
    assert (ended.code, ended.report["reason"]) == (Exit.TRY_AGAIN, "MountLost"), ended
    assert "MountEmpty: Input 'data': its mount has none" in ended.report["message"]


def test_a_wrong_key_is_said_in_the_store_s_words(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published)
    wrong = Identity(local_s3.s3.admin.access_key, "wrong-" * 5)
    with beside(pod, wrong) as sidecar:
        sidecar.until(lambda place: place.was_made() or place.failed())
        ended = pod.stage_in()
    assert (ended.code, ended.report["reason"]) == (Exit.TRY_AGAIN, "MountUnreadable"), ended
    assert "SignatureDoesNotMatch" in ended.report["message"]
    assert "wrong-" not in ended.report["message"]


def test_a_secret_that_is_missing_is_named(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published)
    with beside(pod, Identity("", "")) as sidecar:
        sidecar.until(FusePlace.failed)
        ended = pod.stage_in()
    assert (ended.code, ended.report["reason"]) == (Exit.TRY_AGAIN, "MountUnreadable"), ended
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in Secret 's3-creds'" in ended.report["message"]


def test_a_wrong_prefix_is_an_empty_mount(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published)
    with beside(pod, prefix=f"{local_s3.prefix}elsewhere/") as sidecar:
        sidecar.until(FusePlace.was_made)
        ended = pod.stage_in()
    assert (ended.code, ended.report["reason"]) == (Exit.REFUSED, "MountEmpty"), ended
    assert f"none of its {len(FILES)} files" in ended.report["message"]


def write_result(pod: Pod) -> None:
    (pod.root / "outputs/result").write_text("what the step computed")
