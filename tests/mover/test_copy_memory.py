"""What copying holds in memory does not depend on the archive: measured from outside, on whole movers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, cast

import pytest
from backports import zstd

from cluster.space import Space
from mover.movers import take_sources
from mover.pods import datastore
from mover.web_server import Page, web_server

pytestmark = pytest.mark.server

MiB = 1 << 20
# The container's limit is 256 MiB, and the page cache lives in it too.
MOST = 200 * MiB
# What looks back at most: 128 MiB for zstd, 64 MiB for xz.
MOST_LOOKING_BACK = 240 * MiB
SMALL = 500
# More than any of them looks back.
BLOCK = 64 * MiB
Writer = Callable[[IO[bytes], int], None]


class Noise(io.RawIOBase):
    """Bytes that do not shrink, as many as asked for."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        count = min(size if size >= 0 else self._left, self._left, 4 * MiB)
        self._left -= count
        return os.urandom(count)


def write_tar(file: IO[bytes], size: int) -> None:
    with tarfile.open(fileobj=file, mode="w|") as archive:
        add_small(archive)
        archive.addfile(header_of("large", size), Noise(size))


def add_small(archive: tarfile.TarFile) -> None:
    for number in range(SMALL):
        archive.addfile(header_of(f"small/{number}", 20_000), Noise(20_000))


def header_of(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size = size
    return header


def write_zip(file: IO[bytes], size: int) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=0) as archive:
        for number in range(SMALL):
            archive.writestr(f"small/{number}", Noise(20_000).read())
        with archive.open("large", "w", force_zip64=True) as entry:
            noise = Noise(size)
            while piece := noise.read(4 * MiB):
                entry.write(piece)


def write_zst(file: IO[bytes], size: int) -> None:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.compression_level: 1,
    }
    with zstd.ZstdFile(file, "wb", options=options) as packed:
        write_tar(cast("IO[bytes]", packed), size)


def write_streams(file: IO[bytes], size: int, pack: Callable[[bytes], bytes]) -> None:
    """Compressed streams one after another, the same but for two: to pack 2 GiB of noise takes up to ten minutes."""
    head = io.BytesIO()
    with tarfile.open(fileobj=head, mode="w") as archive:
        add_small(archive)
        head.truncate(archive.offset)
        file.write(pack(head.getvalue() + header_of("large", size).tobuf()))
    block = pack(os.urandom(BLOCK))
    for _ in range(size // BLOCK):
        file.write(block)
    file.write(pack(bytes(1024)))


def pack_xz(content: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 * MiB}]
    return lzma.compress(content, filters=filters)


WRITERS: Mapping[str, tuple[Writer, int]] = {
    "Tar": (write_tar, MOST),
    "Zip": (write_zip, MOST),
    "TarZst": (write_zst, MOST_LOOKING_BACK),
    "TarXz": (partial(write_streams, pack=pack_xz), MOST_LOOKING_BACK),
    "TarGz": (partial(write_streams, pack=gzip.compress), MOST),
    "TarBz2": (partial(write_streams, pack=bz2.compress), MOST),
}


@pytest.mark.parametrize(("type_", "most"), [("Zip", 110 * MiB), ("TarZst", 200 * MiB)])
def test_an_archive_is_copied_in_bounded_memory(
    local_s3: Space, tmp_path: Path, type_: str, most: int
) -> None:
    """Who held all that is read would hold 55 MiB and these, and of the second what it looks back at once more."""
    copied_within(local_s3, tmp_path, type_, 80 * MiB, most)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("type_", WRITERS)
def test_an_archive_of_2_gib_is_copied_in_bounded_memory(local_s3: Space, tmp_path: Path, type_: str) -> None:
    copied_within(local_s3, tmp_path, type_, 2048 * MiB, WRITERS[type_][1])


def copied_within(space: Space, folder: Path, type_: str, size: int, most: int) -> None:
    write, _ = WRITERS[type_]
    with (folder / "archive").open("w+b") as file:
        write(file, size)
        file.flush()
        with (
            mmap(file.fileno(), 0, access=ACCESS_READ) as content,
            web_server({"/a": Page(content)}) as server,
        ):
            source = {"url": server.url("/a"), "archive": {"type": type_}}
            ended = take_sources(datastore(space), space.s3.admin, [source], folder / "root", timeout=1500)
    assert ended.code == 0, ended.errors
    assert (ended.report["files"], ended.report["bytes"]) == (SMALL + 1, SMALL * 20_000 + size)
    held = int(ended.output)
    print(f"{type_}: {held // MiB} MiB")
    assert held < most, f"{held // MiB} MiB"
