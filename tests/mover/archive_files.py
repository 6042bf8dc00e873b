"""What comes out of an archive, in one call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from towpath_mover.archives import Archive, ArchivedFile, files_of_stream, files_of_zip


class Content(NamedTuple):
    """The bytes of an archive, as what a reader can read anywhere; it never reads much at once."""

    whole: bytes

    @property
    def size(self) -> int:
        return len(self.whole)

    def read(self, start: int, size: int) -> bytes:
        assert start >= 0
        assert size <= 1 << 20
        return self.whole[start : start + size]


def opened(archive: Archive, content: bytes, chunk: int = 64 << 10) -> Iterator[ArchivedFile]:
    """The selected files of an archive that comes in chunks of this size."""
    if archive.type == "Zip":
        return files_of_zip(archive, Content(content))
    chunks = (content[start : start + chunk] for start in range(0, len(content), chunk))
    return files_of_stream(archive, chunks)


def unpacked(archive: Archive, content: bytes, chunk: int = 64 << 10) -> dict[str, bytes]:
    """The selected files by their paths; MoverFailure if the archive is refused."""
    return {file.path: b"".join(file.pieces()) for file in opened(archive, content, chunk)}
