"""The mover `mount`, as the FUSE sidecar runs it: a real rclone mounts a real S3 server, and whoever reads there sees
what a download would bring; what is lost is told, and a step that read it publishes nothing. Needs root, /dev/fuse."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from cluster.space import Space
from cluster.store import Identity
from flow.subset_records import split
from mover.breaking_proxy import Break, Request, breaking_proxy
from mover.pods import Ended, Pod, output
from mover.pods import ended as how_it_ended
from mover.sidecar import Sidecar, beside
from mover.test_mounted_inputs import FILES, PARTS, publish, seen, staged
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.mount_look import look_at
from towpath_mover.mounted_places import FusePlace

pytestmark = pytest.mark.fault


@pytest.fixture(autouse=True)
def _can_mount() -> None:
    if os.geteuid() != 0 or not Path("/dev/fuse").exists() or shutil.which("fusermount3") is None:
        pytest.skip("needs root, /dev/fuse and Debian's fuse3")


@pytest.fixture
def published(local_s3: Space, tmp_path: Path) -> dict[str, Any]:
    """Where the inventory of an output with these files lies."""
    return publish(local_s3, tmp_path)


@contextmanager
def staged_beside(pod: Pod, **location: Any) -> Iterator[Sidecar]:
    """A sidecar whose mount is there, beside a pod whose input was staged from it."""
    with beside(pod, **location) as sidecar:
        sidecar.until(FusePlace.was_made)
        assert pod.stage_in().code == 0
        yield sidecar


def lost(ended: Ended) -> str:
    """What a mover said that ended for a mount that was lost."""
    assert (ended.code, ended.report["reason"]) == (Exit.TRY_AGAIN, "MountLost"), ended
    return str(ended.report["message"])


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
    with staged_beside(pod) as sidecar:
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
    with staged_beside(pod) as sidecar:
        write_result(pod)
        os.kill(sidecar.rclone(), signal.SIGKILL)
        sidecar.until(FusePlace.lost)
        # It is mounted again, for whoever has not read yet.
        sidecar.until(FusePlace.is_mounted)
        ended = pod.publish(said)
    assert "of Datastore default: rclone ended with -9" in lost(ended)


def test_a_sidecar_that_was_killed_mounts_again_and_tells_the_loss(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published, outputs=[output("result")])
    with staged_beside(pod) as sidecar:
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
    assert "its container was started again" in lost(ended)


def test_a_step_whose_mount_stayed_publishes(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published, outputs=[output("result")])
    with staged_beside(pod):
        write_result(pod)
        ended = pod.publish()
        assert (ended.code, ended.report["outputs"][0]["files"]) == (0, 1)
        # And whose command failed by itself is told so.
        failed = pod.publish("3\n")
        assert (failed.code, failed.report["reason"]) == (Exit.NOT_PUBLISHED, "NotPublished")


def test_where_there_is_no_mount_nothing_is_said_of_the_data(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    """As when the sidecar is started again while stage-in looks: its folder is empty for a moment."""
    pod = reading(local_s3, tmp_path, published)
    (pod.root / "fuse").mkdir()
    FusePlace(pod.root / "fuse", "default").prepare()
    ended = pod.stage_in()
    assert (ended.code, ended.report["reason"]) == (Exit.TRY_AGAIN, "MountUnreadable"), ended


def test_what_was_lost_before_the_step_begins_is_told_at_once(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published)
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        os.kill(sidecar.rclone(), signal.SIGKILL)
        sidecar.until(FusePlace.lost)
        sidecar.until(FusePlace.is_mounted)
        ended = pod.stage_in()
    lost(ended)


def test_files_that_went_while_the_step_ran_are_a_loss(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod, data = staged(local_s3, tmp_path / "mounted", published, mounted=True, shows_mount=True)
    data.parent.mkdir(parents=True)
    shutil.copytree(tmp_path / "first/outputs/all", data)
    assert pod.stage_in().code == 0
    shutil.rmtree(data)
    ended = pod.publish("1\n")
    assert "MountEmpty: Input 'data': its mount has none" in lost(ended)


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


def test_a_wrong_prefix_is_an_empty_mount(local_s3: Space, tmp_path: Path, published: dict[str, Any]) -> None:
    pod = reading(local_s3, tmp_path, published)
    with beside(pod, prefix=f"{local_s3.prefix}elsewhere/") as sidecar:
        sidecar.until(FusePlace.was_made)
        ended = pod.stage_in()
    assert (ended.code, ended.report["reason"]) == (Exit.REFUSED, "MountEmpty"), ended
    assert f"none of its {len(FILES)} files" in ended.report["message"]


def test_a_bucket_that_was_emptied_is_an_empty_mount(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published)
    below = str(published["path"]).replace("inventory.jsonl.gz", "data/")
    replace(local_s3, prefix=f"{local_s3.prefix}{below}").clear()
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        ended = pod.stage_in()
    assert (ended.code, ended.report["reason"]) == (Exit.REFUSED, "MountEmpty"), ended


def test_a_mount_that_never_answers_is_given_up(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    pod = reading(local_s3, tmp_path, published)
    with beside(pod) as sidecar:
        sidecar.until(FusePlace.was_made)
        served = sidecar.rclone()
        os.kill(served, signal.SIGSTOP)
        try:
            with pytest.raises(MoverFailure, match=r"has not answered for 0\.501 s") as raised:
                look_at("data", [Entry("a", 1)], sidecar.path_of, tmp_path / "list", 0.5)
        finally:
            # It frees the process that looks, too.
            os.kill(served, signal.SIGCONT)
        assert raised.value.reason is Reason.MOUNT_HANGS
        assert not (tmp_path / "list").exists()


@pytest.mark.parametrize("said", ["0\n", "1\n"])
def test_a_read_that_the_store_refused_in_mid_step_is_a_loss_in_its_words(
    local_s3: Space, tmp_path: Path, published: dict[str, Any], said: str
) -> None:
    taken_away = Event()

    def rule(request: Request) -> Break | None:
        is_read = request.method == "GET" and "list-type" not in request.query
        return Break(status=403, code="AccessDenied") if taken_away.is_set() and is_read else None

    pod = reading(local_s3, tmp_path, published, outputs=[output("result")])
    with (
        breaking_proxy(local_s3.s3.endpoint, rule) as proxy,
        staged_beside(pod, endpoint=proxy.endpoint) as sidecar,
    ):
        taken_away.set()
        # What a step makes of it is its own affair: some take it for the end of the file.
        with pytest.raises(OSError, match="Input/output error"):
            (pod.root / "inputs/data/many/058").read_bytes()
        write_result(pod)
        sidecar.until(FusePlace.lost)
        taken_away.clear()
        ended = pod.publish(said)
    words = lost(ended)
    assert "a read failed" in words
    assert "403" in words


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_store_that_was_stopped_is_told_before_user_code(
    local_s3: Space, tmp_path: Path, published: dict[str, Any]
) -> None:
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        gone = proxy.endpoint
    # A port that nobody listens at any more.
    early = reading(local_s3, tmp_path, published)
    with beside(early, endpoint=gone) as sidecar:
        sidecar.until(lambda place: place.was_made() or place.failed())
        staging = early.start("stage-in")
        said, errors = staging.communicate(timeout=300)
    told = how_it_ended(early.root, staging.returncode, errors, said)
    assert told.code == Exit.TRY_AGAIN
    assert told.report["reason"] in ("MountHangs", "MountUnreadable"), told


def write_result(pod: Pod) -> None:
    (pod.root / "outputs/result").write_text("what the step computed")
