"""Whoever shares a volume may plant anything on it: nothing outside is read, written or removed, and nothing hangs."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.waiting import wait_until
from mover.deep import removed_at_the_end
from mover.movers import run_mover
from mover.pods import Ended, Pod, content_of, output
from mover.test_volume_store import refused
from mover.volumes import LOCATION, a_claim, a_volume, keys_of, mounted
from towpath.flow.documents import datastore_document
from towpath_mover.exits import Exit
from towpath_mover.failures import Reason
from towpath_mover.volume_folder import PARTIAL

SECRET = b"from outside the volume"


def taken(root: Path, *paths: str) -> Ended:
    """What an inventory of these sources on the volume comes to."""
    order = {
        "dataset": "flowers",
        "sources": [{"path": path, "datastore": "default"} for path in paths],
        "into": "default",
        "datastores": [datastore_document(a_claim())],
    }
    return run_mover("take-inventory", order, root)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not on the volume."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_bytes(SECRET)
    return folder


def test_a_link_is_never_followed_to_read_to_write_or_to_delete(tmp_path: Path, outside: Path) -> None:
    store, volume = a_volume(tmp_path), mounted(tmp_path)
    (volume / "folder").symlink_to(outside)
    (volume / "file").symlink_to(outside / "file")
    (volume / "deep").mkdir()
    (volume / "deep/up").symlink_to("../..")
    for key in ("file", "folder/file", "deep/up/outside/file"):
        failed = refused(lambda key=key: store.read(key))
        assert (failed.reason, failed.exit) == (Reason.UNSAFE_FILE, Exit.REFUSED)
        assert "a symbolic link" in failed.message
        assert refused(lambda key=key: store.state(key)).reason is Reason.UNSAFE_FILE
    for key in ("folder/file", "folder/new", "folder/new/er", "deep/up/outside/new"):
        assert refused(lambda key=key: store.write(key, b"x")).reason is Reason.UNSAFE_FILE
    assert refused(lambda: store.delete("folder/file")).reason is Reason.UNSAFE_FILE
    store.write("file", b"in the place of the link")
    store.delete("deep/up")
    assert content_of(outside) == {"file": (SECRET, False)}
    assert bytes(store.read("file").whole()) == b"in the place of the link"


def test_a_listing_says_what_is_no_file_and_goes_through_no_link(tmp_path: Path, outside: Path) -> None:
    store, volume = a_volume(tmp_path), mounted(tmp_path)
    _plant(volume, outside)
    assert {found.key: found.unfit for found in store.list_objects("")} == {
        "fifo": "a FIFO",
        "file": None,
        "folder": "a symbolic link",
        "loop": "a symbolic link",
        "nowhere": "a symbolic link",
        "socket": "a socket",
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fifo", "a FIFO"),
        ("folder", "a symbolic link"),
        ("socket", "a socket"),
        ("device", "a character device"),
    ],
)
def test_a_source_with_what_is_no_file_is_refused_by_name_and_nothing_hangs(
    tmp_path: Path, outside: Path, name: str, words: str
) -> None:
    volume = mounted(tmp_path)
    (volume / "data").mkdir()
    _plant(volume / "data", outside)
    if name == "device":
        _make_device(volume / "data/device")
    for path in (f"data/{name}", f"data/{name[:-1]}?"):
        ended = taken(tmp_path, path)
        assert (ended.code, ended.report["reason"]) == (41, "UnsafeFile"), ended.errors
        assert f"data/{name}" in ended.report["message"]
        assert words in ended.report["message"]
    ended = taken(tmp_path, "data/f*e")
    assert (ended.code, ended.report["files"]) == (0, 1), ended.errors


def _plant(folder: Path, outside: Path) -> None:
    (folder / "file").write_bytes(b"x")
    (folder / "folder").symlink_to(outside)
    (folder / "loop").symlink_to(".")
    (folder / "nowhere").symlink_to("/nothing/here")
    os.mkfifo(folder / "fifo")
    _make_socket(folder / "socket")


def _make_socket(place: Path) -> None:
    """A socket's address holds 107 bytes, and a test's path may be longer: by its folder's descriptor it fits."""
    folder = os.open(place.parent, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{folder}/{place.name}")
    finally:
        os.close(folder)


def _make_device(place: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root may make a device")
    os.mknod(place, 0o600 | 0o020000, os.makedev(1, 5))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"not-utf8-\xff", "UnsafeKey"),
        (b"new\nline", "UnsafeKey"),
        (b"n" * 255, None),
        ("é".encode() * 127, None),
        (b"back\\slash", None),
    ],
)
def test_names_that_a_disk_can_hold_are_taken_or_refused_by_name(
    tmp_path: Path, name: bytes, reason: str | None
) -> None:
    (mounted(tmp_path) / "data").mkdir()
    (mounted(tmp_path) / "data" / os.fsdecode(name)).write_bytes(b"x")
    ended = taken(tmp_path, "data")
    assert ended.report.get("reason") == reason, ended.errors
    if reason is None:
        pod = Pod(tmp_path, a_claim(), None, inputs=[("data", ended.report["inventory"])])
        assert pod.stage_in().code == 0
        assert content_of(tmp_path / "inputs/data") == {os.fsdecode(name): (b"x", False)}


def test_a_name_that_is_too_long_for_the_disk_is_refused_by_name(tmp_path: Path) -> None:
    failed = refused(lambda: a_volume(tmp_path).write(f"a/{'n' * 256}", b"x"))
    assert (failed.reason, failed.exit) == (Reason.UNSAFE_PATH, Exit.REFUSED)


def test_a_tree_deeper_than_any_path_is_refused_by_name_and_one_that_is_not_is_listed(tmp_path: Path) -> None:
    with removed_at_the_end(mounted(tmp_path)) as volume:
        store, deep = a_volume(tmp_path), "/".join(["d"] * 2000)
        store.write(f"{deep}/file", b"x")
        assert keys_of(store) == [f"{deep}/file"]
        folder = os.open(volume, os.O_RDONLY)
        for _ in range(2100):
            _step_down(folder, "d")
        os.close(folder)
        # Looked up from the top, each of them, they would take minutes: the test's own time limit would end it.
        failed = refused(lambda: keys_of(store))
    assert failed.reason is Reason.UNSAFE_PATH
    assert "4095" in failed.message


def _step_down(folder: int, name: str) -> None:
    if name not in os.listdir(folder):
        os.mkdir(name, dir_fd=folder)
    below = os.open(name, os.O_RDONLY, dir_fd=folder)
    os.dup2(below, folder)
    os.close(below)


def test_a_publish_that_is_killed_in_its_middle_leaves_nothing_to_see(tmp_path: Path) -> None:
    pod = Pod(tmp_path, a_claim(), None, outputs=[output("model")])
    store, volume = a_volume(tmp_path), mounted(tmp_path)
    (tmp_path / "outputs/model").mkdir()
    (tmp_path / "outputs/model/small").write_bytes(b"x")
    with (tmp_path / "outputs/model/weights").open("wb") as file:
        file.truncate(4 << 30)
    publishing = pod.start("publish", "0\n.")
    assert wait_until(lambda: any(volume.rglob(f"{PARTIAL}*")), 120)
    publishing.send_signal(signal.SIGKILL)
    publishing.communicate()
    assert any(volume.rglob(f"{PARTIAL}*"))
    assert not any("weights" in key or "inventory" in key or "result" in key for key in keys_of(store))


def test_a_step_publishes_to_a_volume_and_the_next_one_reads_it(tmp_path: Path) -> None:
    first = Pod(tmp_path / "first", a_claim(), None, outputs=[output("model"), output("note")])
    (tmp_path / "volumes").mkdir()
    _share(tmp_path, "first")
    assert first.stage_in().code == 0
    (tmp_path / "first/outputs/model/deep").mkdir(parents=True)
    (tmp_path / "first/outputs/model/deep/weights").write_bytes(os.urandom(9 << 20))
    (tmp_path / "first/outputs/model/run.sh").write_text("#!/bin/sh\n")
    (tmp_path / "first/outputs/model/run.sh").chmod(0o755)
    (tmp_path / "first/outputs/note").write_text("one file")
    published = first.publish()
    assert published.code == 0, published.errors
    inventories = [(found["name"], found["inventory"]) for found in published.report["outputs"]]
    second = Pod(tmp_path / "second", a_claim(), None, inputs=inventories)
    _share(tmp_path, "second")
    staged = second.stage_in()
    assert staged.code == 0, staged.errors
    assert content_of(tmp_path / "second/inputs/model") == content_of(tmp_path / "first/outputs/model")
    assert (tmp_path / "second/inputs/note/note").read_text() == "one file"


def _share(root: Path, pod: str) -> None:
    (root / pod / "volumes").symlink_to(root / "volumes")
    (root / "volumes/default").mkdir(exist_ok=True)


def _replace(file: Path) -> None:
    file.unlink()
    file.mkdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "overwritten": lambda file: file.write_bytes(b"after!"),
    "truncated": lambda file: os.truncate(file, 2),
    "deleted": Path.unlink,
    "replaced": _replace,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_of_a_dataset_that_changed_is_input_drift_and_its_name_is_told(
    tmp_path: Path, change: str
) -> None:
    file = mounted(tmp_path) / "data/moves.csv"
    file.parent.mkdir()
    file.write_bytes(b"before")
    (file.parent / "stays.csv").write_bytes(b"same")
    inventory = taken(tmp_path, "data/*.csv").report["inventory"]
    CHANGES[change](file)
    staged = Pod(tmp_path, a_claim(), None, inputs=[("data", inventory)]).stage_in()
    assert (staged.code, staged.report["reason"]) == (42, "InputDrift")
    assert "data/moves.csv" in staged.report["message"]
    assert LOCATION["claimName"] in staged.report["message"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/a.csv", {"a.csv"}),
        ("data", {"a.csv", "run.sh", "deep/b.csv"}),
        ("data/**/*.csv", {"a.csv", "deep/b.csv"}),
    ],
)
def test_a_source_on_a_volume_is_staged_as_the_files_that_it_means(
    tmp_path: Path, path: str, expected: set[str]
) -> None:
    volume = mounted(tmp_path)
    for name in ("data/a.csv", "data/deep/b.csv", "data/run.sh", "other/c.csv"):
        (volume / name).parent.mkdir(parents=True, exist_ok=True)
        (volume / name).write_bytes(name.encode())
    (volume / "data/run.sh").chmod(0o755)
    report = taken(tmp_path, path).report
    assert report["files"] == len(expected)
    assert taken(tmp_path, path).report == report
    pod = Pod(tmp_path, a_claim(), None, inputs=[("data", report["inventory"])])
    assert pod.stage_in().code == 0
    assert content_of(tmp_path / "inputs/data") == {
        name: (f"data/{name}".encode(), name == "run.sh") for name in expected
    }


def test_a_view_of_a_dataset_on_a_volume_takes_its_part(tmp_path: Path) -> None:
    (mounted(tmp_path) / "data").mkdir()
    for number in range(10):
        (mounted(tmp_path) / f"data/{number}").write_bytes(b"x")
    inventory = taken(tmp_path, "data").report["inventory"]
    pod = Pod(tmp_path, a_claim(), None, inputs=[("data", inventory)], transforms=[{"take": {"count": 3}}])
    staged = pod.stage_in()
    assert staged.report.get("files") == 3, staged.errors
    assert len(content_of(tmp_path / "inputs/data")) == 3
