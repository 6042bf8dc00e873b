"""A volume as a store: what is written appears whole, what is listed is in order, what changed is not given."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mover.volumes import a_file_system, a_volume, as_nobody, keys_of, mounted
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.stores import Parts, Pin, Span
from towpath_mover.volume_folder import PARTIAL

MiB = 1 << 20
PARTS = Parts(8 * MiB, 4)


def refused(action: object) -> MoverFailure:
    assert callable(action)
    with pytest.raises(MoverFailure) as raised:
        action()
    return raised.value


def test_what_was_written_is_read_back_whole_in_spans_and_in_pieces(tmp_path: Path) -> None:
    store, content = a_volume(tmp_path), os.urandom(3 * MiB + 7)
    store.write_parts(
        "a/b/large", (content[start : start + MiB] for start in range(0, len(content), MiB)), PARTS
    )
    store.write("a/b/large.2", content[:10])
    assert bytes(store.read("a/b/large").whole()) == content
    assert b"".join(store.read("a/b/large").pieces()) == content
    assert bytes(store.read("a/b/large", span=Span(5, MiB + 9)).whole()) == content[5 : MiB + 9]
    assert b"".join(store.read("a/b/large", span=Span(MiB, 3 * MiB)).pieces()) == content[MiB : 3 * MiB]
    assert store.state("a/b/large").size == len(content)
    store.write("a/b/large", b"another")
    assert bytes(store.read("a/b/large").whole()) == b"another"


@given(
    paths=st.sets(
        st.lists(st.sampled_from(["a", "b", "a-", "a.b", "é", "z"]), min_size=1, max_size=4).map("/".join)
    )
)
@settings(max_examples=30, deadline=None)
def test_a_listing_is_in_the_order_of_keys_for_every_prefix(
    tmp_path_factory: pytest.TempPathFactory, paths: set[str]
) -> None:
    store = a_volume(tmp_path_factory.mktemp("volume"))
    files = {path for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
    for path in files:
        store.write(path, path.encode())
    for prefix in ("", "a", "a/", "a/b", "é/", "nothing/", "a//", "../"):
        assert keys_of(store, prefix) == sorted(path for path in files if path.startswith(prefix))


def test_a_flat_listing_has_folders_by_a_slash_and_no_etag(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    for key in ("top", "in/deep/1", "in/2"):
        store.write(key, b"x")
    assert [(found.key, found.etag is None) for found in store.list_objects("", recursive=False)] == [
        ("in/", True),
        ("top", False),
    ]
    assert [found.key for found in store.list_objects("in/", recursive=False)] == ["in/2", "in/deep/"]


def test_deleting_the_last_file_removes_the_folders_above_it_and_no_other(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    store.write("ns/runs/a/1", b"x")
    store.write("ns/runs/b/1", b"x")
    store.delete("ns/runs/a/1")
    store.delete("ns/runs/a/1")
    store.delete("never/was/there")
    store.delete("ns/runs/b")
    assert sorted(path.name for path in (mounted(tmp_path) / "ns/runs").iterdir()) == ["b"]
    store.delete("ns/runs/b/1")
    assert list(mounted(tmp_path).iterdir()) == []


def test_files_are_written_while_others_empty_their_folder(tmp_path: Path) -> None:
    store = a_volume(tmp_path)

    def write_and_delete(number: int) -> None:
        for turn in range(50):
            store.write(f"a/b/{number}", str(turn).encode())
            assert bytes(store.read(f"a/b/{number}").whole()) == str(turn).encode()
            store.delete(f"a/b/{number}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write_and_delete, range(4)))
    assert list(mounted(tmp_path).iterdir()) == []


def test_the_executable_bit_is_kept_and_a_group_may_write_into_what_was_made(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    mounted(tmp_path).chmod(0o2775)
    store.write("bin/run", b"#!", executable=True)
    store.write("bin/read", b"text")
    assert {found.key: found.executable for found in store.list_objects("")} == {
        "bin/read": False,
        "bin/run": True,
    }
    assert store.state("bin/run").executable
    assert stat.S_IMODE((mounted(tmp_path) / "bin").stat().st_mode) & 0o2070 == 0o2070
    assert stat.S_IMODE((mounted(tmp_path) / "bin/run").stat().st_mode) == 0o755


def test_a_file_beside_a_folder_of_its_name_is_refused_by_name(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    store.write("x/y", b"1")
    store.write("f", b"1")
    for key in ("x", "f/g", "f/g/h"):
        failed = refused(lambda key=key: store.write(key, b"2"))
        assert (failed.reason, failed.exit) == (Reason.FILE_AND_FOLDER, Exit.REFUSED)
        assert repr(key) in failed.message
    for key in ("x", "f/g", "nothing", "a//b", "../x", "", "."):
        assert refused(lambda key=key: store.read(key)).reason is Reason.OBJECT_NOT_FOUND
        assert refused(lambda key=key: store.state(key)).reason is Reason.OBJECT_NOT_FOUND
    assert keys_of(store) == ["f", "x/y"]


def test_what_is_being_written_is_in_no_listing_and_goes_when_its_pieces_fail(tmp_path: Path) -> None:
    store = a_volume(tmp_path)

    def pieces() -> Iterator[bytes]:
        yield b"half"
        assert keys_of(store) == []
        assert [path.name[: len(PARTIAL)] for path in (mounted(tmp_path) / "a").iterdir()] == [PARTIAL]
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        store.write_parts("a/b", pieces(), PARTS)
    assert list((mounted(tmp_path) / "a").iterdir()) == []


def test_what_killed_movers_left_goes_with_the_last_file_beside_it_once_it_is_old(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    for folder, age in (("old", 2 * 24 * 3600), ("young", 60)):
        store.write(f"{folder}/file", b"x")
        leftover = mounted(tmp_path) / folder / f"{PARTIAL}0123"
        leftover.write_bytes(b"half")
        os.utime(leftover, (time.time() - age,) * 2)
        store.delete(f"{folder}/file")
    assert [path.name for path in mounted(tmp_path).iterdir()] == ["young"]


@pytest.mark.parametrize("change", ["overwrite", "replace", "truncate", "grow", "touch"])
def test_a_file_that_changed_since_it_was_pinned_is_drift(tmp_path: Path, change: str) -> None:
    store, file = a_volume(tmp_path), mounted(tmp_path) / "data.csv"
    file.write_bytes(b"before")
    pin = Pin(store.state("data.csv").etag)
    assert bytes(store.read("data.csv", pin).whole()) == b"before"
    _change(file, change)
    failed = refused(lambda: store.read("data.csv", pin))
    assert (failed.reason, failed.exit) == (Reason.INPUT_DRIFT, Exit.DATA_CHANGED)
    assert "'data.csv' in folder 'team-a' of claim 'data' (Datastore default)" in failed.message


@pytest.mark.parametrize("change", ["overwrite", "truncate", "grow"])
@pytest.mark.parametrize("way", ["whole", "pieces"])
def test_a_file_that_changes_while_it_is_read_is_drift(tmp_path: Path, change: str, way: str) -> None:
    store, file = a_volume(tmp_path), mounted(tmp_path) / "data.csv"
    file.write_bytes(b"before" * MiB)
    body = store.read("data.csv", Pin(store.state("data.csv").etag))
    if way == "whole":
        _change(file, change)
        assert refused(body.whole).reason is Reason.INPUT_DRIFT
        return
    pieces = body.pieces()
    next(pieces)
    _change(file, change)
    assert refused(lambda: list(pieces)).reason is Reason.INPUT_DRIFT


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(tmp_path: Path) -> None:
    store, file = a_volume(tmp_path), mounted(tmp_path) / "data.csv"
    file.write_bytes(b"before")
    body = store.read("data.csv", Pin(store.state("data.csv").etag))
    _change(file, "replace")
    assert bytes(body.whole()) == b"before"


def _change(file: Path, change: str) -> None:
    before = file.stat()
    if change == "replace":
        new = file.with_name("new")
        new.write_bytes(b"b" * before.st_size)
        os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
        new.rename(file)
        return
    if change == "overwrite":
        with file.open("r+b") as opened:
            opened.write(b"after!")
    if change == "truncate":
        os.truncate(file, 3)
    if change == "grow":
        os.truncate(file, before.st_size + 1)
    # The clock of files may stand still for some milliseconds.
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def test_a_volume_that_can_only_be_read_says_so_with_what_to_do(tmp_path: Path) -> None:
    with a_file_system(mounted(tmp_path), "ro"):
        store = a_volume(tmp_path)
        store.try_list()
        failed = refused(lambda: store.write("a/b", b"x"))
        assert (failed.reason, failed.exit) == (Reason.READ_ONLY, Exit.REFUSED)
        assert "readOnly: true" in failed.message


def test_a_full_volume_says_so_with_the_numbers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with a_file_system(mounted(tmp_path), f"size={MiB}"):
        store = a_volume(tmp_path)
        failed = refused(lambda: store.write("a/b", bytes(2 * MiB)))
        assert (failed.reason, failed.exit) == (Reason.STORE_FULL, Exit.REFUSED)
        assert f"0 of {MiB} bytes" in failed.message
        assert list((mounted(tmp_path) / "a").iterdir()) == []
        store.write("a/b", b"fits")


def test_a_folder_that_belongs_to_another_user_is_named_with_who_was_refused(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    (mounted(tmp_path) / "theirs").mkdir(0o700)
    (mounted(tmp_path) / "theirs/file").write_bytes(b"x")
    with as_nobody():
        failures = [
            refused(lambda: store.write("theirs/new", b"x")),
            refused(lambda: store.read("theirs/file")),
            refused(lambda: keys_of(store)),
        ]
    for failed in failures:
        assert (failed.reason, failed.exit) == (Reason.PERMISSION_DENIED, Exit.CREDENTIALS_REFUSED)
        assert "theirs" in failed.message
        assert "as UID" in failed.message


def test_what_the_file_system_keeps_for_itself_is_no_file(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    (mounted(tmp_path) / "lost+found").mkdir(0o700)
    store.write("mine/lost+found/1", b"x")
    with as_nobody():
        assert keys_of(store) == ["mine/lost+found/1"]


def test_all_that_was_written_can_be_waited_for(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    store.write("a", b"x")
    store.sync()
    assert keys_of(store) == ["a"]
