"""How the files of an output lie in packs: a pure layout, the same whoever sends them and in whatever order.

Small files follow one another in the order of their paths, pack after pack; large ones stay objects of their own. So
an inventory, which has that order too, names the files of a pack as they lie in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, Protocol, TypeVar

MOST_IN_FILE = 1 << 20
# In one request, and in memory meanwhile: twice this is what a mover has on the way, whatever it sends.
MOST_IN_PACK = 32 << 20
# Files of a few bytes would fill the memory with their names before they fill a pack.
MOST_FILES = 10_000


class Sized(Protocol):
    """A file whose size is known."""

    @property
    def size(self) -> int:
        """Bytes."""


File = TypeVar("File", bound=Sized)


class Pack(NamedTuple, Generic[File]):
    """Files that are written one after another, from the first byte of one object to its last."""

    number: int
    files: list[File]
    size: int

    @property
    def name(self) -> str:
        """Its key below the packs' prefix: these sort as the numbers do."""
        return f"{self.number:08}"

    def placed(self) -> Iterator[tuple[File, int]]:
        """Yield each file and the place of its first byte."""
        offset = 0
        for file in self.files:
            yield file, offset
            offset += file.size


def lay_out(files: Iterable[File]) -> Iterator[File | Pack[File]]:
    """Yield large files as they are and small ones in packs; the files come in the order of their paths.

    What would be alone in a pack is yielded as it is too: it is one object either way.
    """
    number, size = 0, 0
    gathered: list[File] = []
    for file in files:
        if file.size > MOST_IN_FILE:
            yield file
            continue
        if size + file.size > MOST_IN_PACK or len(gathered) == MOST_FILES:
            yield _closed(number, gathered, size)
            number, size, gathered = number + 1, 0, []
        gathered.append(file)
        size += file.size
    if gathered:
        yield _closed(number, gathered, size)


def _closed(number: int, files: list[File], size: int) -> File | Pack[File]:
    return files[0] if len(files) == 1 else Pack(number, files, size)
