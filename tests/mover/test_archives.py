"""Archives become exactly the files that were put into them, as the standard library's readers see them too."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mover.archive_files import opened, unpacked
from mover.hostile_archives import ARCHIVE_TYPES, a_tar, a_zip, compressed_tar, packed
from mover.inventories import LAW, PATHS
from towpath_mover.archive_members import Bounds
from towpath_mover.archives import Archive
from towpath_mover.failures import MoverFailure, Reason

FILES = [("a.jpg", b"one"), ("cats/b.jpg", b"two" * 9999), ("cats/c.txt", b""), ("größe/日本.jpg", b"3")]
CONTENTS = st.lists(
    st.tuples(PATHS.filter(lambda path: "\\" not in path), st.binary(max_size=2000)),
    max_size=5,
    unique_by=lambda file: file[0],
)


@pytest.mark.parametrize("type_", ARCHIVE_TYPES)
def test_an_archive_gives_its_files(type_: str) -> None:
    assert unpacked(Archive(type_), packed(type_, FILES)) == dict(FILES)


@pytest.mark.parametrize("type_", ARCHIVE_TYPES)
def test_a_glob_selects_exactly_its_entries(type_: str) -> None:
    content = packed(type_, FILES)
    assert set(unpacked(Archive(type_, "**/*.jpg"), content)) == {"a.jpg", "cats/b.jpg", "größe/日本.jpg"}
    assert set(unpacked(Archive(type_, "cats/*"), content)) == {"cats/b.jpg", "cats/c.txt"}
    assert unpacked(Archive(type_, "*.png"), content) == {}


@pytest.mark.parametrize("type_", ARCHIVE_TYPES)
@pytest.mark.parametrize("chunk", [1, 511, 4096])
def test_it_does_not_matter_how_the_bytes_arrive(type_: str, chunk: int) -> None:
    assert unpacked(Archive(type_), packed(type_, FILES), chunk) == dict(FILES)


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@LAW
@given(files=CONTENTS)
def test_a_tar_of_any_layout_gives_what_was_put_into_it(layout: int, files: list[tuple[str, bytes]]) -> None:
    assert unpacked(Archive("Tar"), a_tar(files, layout)) == dict(files)


@pytest.mark.parametrize("layout", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_whole(layout: int) -> None:
    files = [("/".join(["long-name" * 20] * 9), b"1"), ("z" * 120, b"2")]
    assert unpacked(Archive("Tar"), a_tar(files, layout)) == dict(files)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@LAW
@given(files=CONTENTS)
def test_a_zip_of_any_method_gives_what_was_put_into_it(method: int, files: list[tuple[str, bytes]]) -> None:
    assert unpacked(Archive("Zip"), a_zip(files, method)) == dict(files)


def test_a_zip_written_as_a_stream_and_in_64_bits_is_read() -> None:
    buffer = io.BytesIO()

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            return buffer.write(data)

    with (
        zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a", "w", force_zip64=True) as entry,
    ):
        entry.write(b"streamed")
    assert unpacked(Archive("Zip"), buffer.getvalue()) == {"a": b"streamed"}


def test_a_zip_of_more_entries_than_16_bits_count_is_read() -> None:
    files = [(f"{number}", b"") for number in range(66_000)]
    assert sum(1 for _ in opened(Archive("Zip"), a_zip(files, zipfile.ZIP_STORED))) == 66_000


def test_a_zip_with_both_kinds_of_directory_ends_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python writes it from 2 GiB on.
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    assert unpacked(Archive("Zip"), a_zip(FILES)) == dict(FILES)


def test_who_may_execute_a_file_may_do_so_afterwards() -> None:
    tar, archive = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as written, zipfile.ZipFile(archive, "w") as zipped:
        for name, mode in (("run.sh", 0o755), ("data", 0o644)):
            member = tarfile.TarInfo(name)
            member.mode = mode
            written.addfile(member)
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFREG | mode) << 16
            zipped.writestr(entry, b"")
    for type_, content in (("Tar", tar.getvalue()), ("Zip", archive.getvalue())):
        found = {file.path: file.executable for file in opened(Archive(type_), content)}
        assert found == {"run.sh": True, "data": False}


@pytest.mark.parametrize("type_", ARCHIVE_TYPES)
@pytest.mark.parametrize(
    ("bounds", "setting"), [(Bounds(entries=3), "maxEntries"), (Bounds(bytes=20_000), "maxBytes")]
)
def test_bounds_are_held_and_named(type_: str, bounds: Bounds, setting: str) -> None:
    with pytest.raises(MoverFailure, match=rf"archive\.{setting}") as raised:
        unpacked(Archive(type_, bounds=bounds), packed(type_, FILES))
    assert raised.value.reason is Reason.ARCHIVE_TOO_LARGE


def test_what_is_not_selected_is_not_judged() -> None:
    content = a_zip([("../outside", b"x"), ("a.jpg", b"1")])
    assert unpacked(Archive("Zip", "*.jpg"), content) == {"a.jpg": b"1"}
    tar = a_tar([("/absolute", b"x"), ("a.jpg", b"1")])
    assert unpacked(Archive("Tar", "*.jpg"), tar) == {"a.jpg": b"1"}


def test_a_tar_of_another_compression_is_named() -> None:
    with pytest.raises(MoverFailure, match=r"archive\.type") as raised:
        unpacked(Archive("TarGz"), compressed_tar("TarXz", a_tar(FILES)))
    assert raised.value.reason is Reason.ARCHIVE_INVALID
