"""What a step may leave at an output's path: whatever is no plain file is refused by name, and never opened."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mover.pods import output
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.order import OutputOrder
from towpath_mover.outputs import FoundOutput
from towpath_mover.owed import Owed, look
from towpath_mover.pod_paths import PodPaths


def declared(name: str = "model", **changes: bool) -> OutputOrder:
    planned = output(name, **changes)
    return OutputOrder(
        planned.name,
        planned.path,
        planned.datastore,
        planned.prefix,
        planned.optional,
        planned.allow_empty,
        planned.directory,
        planned.make_directory,
    )


def looked_at(root: Path, order: OutputOrder | None = None) -> list[Owed]:
    return look([order or declared()], PodPaths(root))


def refusal(root: Path, order: OutputOrder | None = None) -> MoverFailure:
    with pytest.raises(MoverFailure) as refused:
        looked_at(root, order)
    assert refused.value.exit is Exit.REFUSED
    return refused.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "outputs/model"
    folder.mkdir(parents=True)
    (folder / "good").write_text("good")
    return folder


def make_socket(path: Path) -> None:
    # A socket's path may have 108 bytes only.
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(path.parent, os.O_RDONLY)
        listening.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)


def make_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("making a device needs root")


HOSTILE: list[tuple[str, Callable[[Path], object]]] = [
    ("a symbolic link", lambda path: path.symlink_to("/proc/self/environ")),
    ("a symbolic link", lambda path: path.symlink_to("good")),
    ("a symbolic link", lambda path: path.symlink_to("/proc")),
    ("a symbolic link", lambda path: path.symlink_to("no-such-file")),
    ("a FIFO", os.mkfifo),
    ("a socket", make_socket),
    ("a character device", make_device),
]


@pytest.mark.parametrize(("kind", "make"), HOSTILE)
@pytest.mark.parametrize("place", ["evil", "deep/er/evil"])
def test_what_is_no_plain_file_is_refused_by_name(
    folder: Path, kind: str, make: Callable[[Path], object], place: str
) -> None:
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    make(folder / place)
    refused = refusal(folder.parents[1])
    assert refused.reason is Reason.UNSAFE_FILE
    assert f"'/towpath/outputs/model/{place}' is {kind}" in refused.message


@pytest.mark.parametrize(("kind", "make"), HOSTILE)
def test_an_output_that_is_no_plain_file_itself_is_refused(
    tmp_path: Path, kind: str, make: Callable[[Path], object]
) -> None:
    (tmp_path / "outputs").mkdir()
    make(tmp_path / "outputs/model")
    refused = refusal(tmp_path)
    assert refused.reason is Reason.UNSAFE_FILE
    assert f"'/towpath/outputs/model' is {kind}" in refused.message


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"tab\there", Reason.UNSAFE_PATH),
        (b"new\nline", Reason.UNSAFE_PATH),
        (b"\x7f", Reason.UNSAFE_PATH),
        (b"caf\xe9", Reason.UNDECODABLE_NAME),
    ],
)
def test_a_name_that_no_store_can_hold_is_refused_by_name(folder: Path, name: bytes, reason: Reason) -> None:
    os.close(os.open(os.fsencode(folder) + b"/" + name, os.O_CREAT | os.O_WRONLY))
    refused = refusal(folder.parents[1])
    assert refused.reason is reason
    assert "Output 'model'" in refused.message
    refused.message.encode()


def test_folders_deeper_than_any_path_may_be_are_refused(folder: Path) -> None:
    name = "n" * 200
    here = os.open(folder, os.O_RDONLY)
    for _ in range(22):
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    refused = refusal(folder.parents[1])
    assert refused.reason is Reason.UNSAFE_PATH
    assert "longer than 4095 bytes" in refused.message


def test_hard_links_are_ordinary_files(folder: Path) -> None:
    (folder / "twin").hardlink_to(folder / "good")
    assert looked_at(folder.parents[1])[0].files == 2


def test_a_file_swapped_for_a_link_after_it_was_seen_is_not_followed(folder: Path) -> None:
    [owed] = looked_at(folder.parents[1])
    (folder / "good").unlink()
    (folder / "good").symlink_to("/proc/self/environ")
    with pytest.raises(MoverFailure) as refused:
        owed.found.open_file("good")
    assert refused.value.reason is Reason.UNREADABLE_FILE


def test_a_file_swapped_for_a_fifo_does_not_hang(folder: Path) -> None:
    [owed] = looked_at(folder.parents[1])
    (folder / "good").unlink()
    os.mkfifo(folder / "good")
    with pytest.raises(MoverFailure) as refused:
        owed.found.open_file("good")
    assert refused.value.reason is Reason.UNSAFE_FILE


def test_a_folder_swapped_for_a_link_after_it_was_seen_is_not_entered(folder: Path, tmp_path: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub/file").write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("secret")
    [owed] = looked_at(tmp_path)
    (folder / "sub/file").unlink()
    (folder / "sub").rmdir()
    (folder / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(MoverFailure) as refused:
        owed.found.open_file("sub/file")
    assert refused.value.reason is Reason.UNREADABLE_FILE


def test_a_link_on_the_way_to_an_output_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real/model").mkdir(parents=True)
    (tmp_path / "real/model/file").write_text("x")
    (tmp_path / "outputs").symlink_to(tmp_path / "real")
    assert refusal(tmp_path).reason is Reason.OUTPUT_MISSING


def test_an_open_file_is_the_one_that_was_found(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep/er").write_text("deep words")
    [owed] = looked_at(folder.parents[1])
    descriptor = owed.found.open_file("deep/er")
    assert os.read(descriptor, 100) == b"deep words"
    os.close(descriptor)


def test_a_single_file_goes_by_the_outputs_name(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs/model").write_text("weights")
    (tmp_path / "outputs/model").chmod(0o755)
    found = FoundOutput("model", tmp_path / "outputs/model", "/towpath/outputs/model")
    assert [tuple(file) for file in found.files()] == [("model", 7, True)]
    descriptor = found.open_file("model")
    assert os.read(descriptor, 100) == b"weights"
    os.close(descriptor)


@pytest.mark.parametrize(("is_folder", "directory"), [(True, False), (False, True)])
def test_an_output_of_the_wrong_kind_is_named(tmp_path: Path, is_folder: bool, directory: bool) -> None:
    (tmp_path / "outputs").mkdir()
    place = tmp_path / "outputs/model"
    place.mkdir() if is_folder else place.write_text("x")
    refused = refusal(tmp_path, declared(directory=directory))
    assert refused.reason is Reason.OUTPUT_WRONG_KIND
    assert f"directory: {str(directory).lower()}" in refused.message


def test_an_optional_output_may_be_missing_or_an_empty_folder_that_was_made_for_it(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    assert looked_at(tmp_path, declared(optional=True)) == []
    (tmp_path / "outputs/model").mkdir()
    assert looked_at(tmp_path, declared(optional=True, make_directory=True)) == []


def test_a_file_of_no_bytes_is_an_output(tmp_path: Path) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs/model").touch()
    [owed] = looked_at(tmp_path)
    assert (owed.files, owed.bytes) == (1, 0)
