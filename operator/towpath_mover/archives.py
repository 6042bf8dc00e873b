"""An archive → the files that a dataset takes of it: hostile entries are refused, each with a reason of its own.

Only what `entryGlob` selects is judged and taken; bounds hold for the whole archive. Folders are no files, nested
archives are files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from towpath.flow.globs import parse
from towpath_mover.archive_members import Bounds, Expansion, Kind, Member, Piece
from towpath_mover.byte_source import ByteRanges
from towpath_mover.decompress import decompressed
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.paths import check_path, shown
from towpath_mover.tar_reader import read_tar
from towpath_mover.zip_reader import read_zip

ZIP = "Zip"
_CODECS = {"Tar": None, "TarGz": "gzip", "TarZst": "zstd", "TarBz2": "bzip2", "TarXz": "xz"}
_REFUSED = {
    Kind.SYMBOLIC_LINK: Reason.ARCHIVE_LINK,
    Kind.HARD_LINK: Reason.ARCHIVE_LINK,
    Kind.DEVICE: Reason.ARCHIVE_DEVICE,
    Kind.FIFO: Reason.ARCHIVE_DEVICE,
    Kind.SPARSE: Reason.ARCHIVE_INVALID,
    Kind.UNKNOWN: Reason.ARCHIVE_INVALID,
}
_ADVICE = "Leave it out by `archive.entryGlob`, or make the archive again without it."


class Archive(NamedTuple):
    """What a source says of its archive: how it is packed, which entries are taken, and how much it may hold."""

    type: str
    entry_glob: str | None = None
    bounds: Bounds = Bounds()


class ArchivedFile(NamedTuple):
    """One selected file. `pieces` is taken before the next file is asked for, or not at all."""

    path: str
    size: int
    executable: bool
    pieces: Callable[[], Iterator[Piece]]


def files_of_stream(archive: Archive, chunks: Iterable[bytes]) -> Iterator[ArchivedFile]:
    """Yield the selected files of a tar, compressed or not, while it streams by."""
    expansion = Expansion(archive.bounds)
    codec = _CODECS[archive.type]
    taken = expansion.taken(iter(chunks))
    plain = expansion.given(decompressed(taken, codec) if codec else taken)
    return _selected(archive, read_tar(plain), expansion)


def files_of_zip(archive: Archive, content: ByteRanges) -> Iterator[ArchivedFile]:
    """Yield the selected files of a zip, in its directory's order."""
    expansion = Expansion(archive.bounds)
    return _selected(archive, read_zip(content, expansion), expansion)


def _selected(archive: Archive, members: Iterator[Member], expansion: Expansion) -> Iterator[ArchivedFile]:
    glob = parse(archive.entry_glob) if archive.entry_glob else None
    for member in members:
        expansion.entry()
        if member.kind is Kind.FOLDER:
            _check_folder(member)
            continue
        # `tar -C folder .` writes it before every name.
        path = member.name.removeprefix("./")
        if glob is None or glob.fits(path):
            _check(member, path)
            yield ArchivedFile(path, member.size, member.executable, member.pieces)


def _check_folder(member: Member) -> None:
    if member.size:
        message = f"the entry {shown(member.name)} is a folder and has {member.size} bytes. {_ADVICE}"
        raise MoverFailure(Reason.ARCHIVE_INVALID, message)


def _check(member: Member, path: str) -> None:
    check_path(path)
    if "\\" in path:
        message = f"the path {shown(path)} is refused: some stores take its backslash for a slash. {_ADVICE}"
        raise MoverFailure(Reason.UNSAFE_PATH, message)
    if member.kind in _REFUSED:
        message = f"the entry {shown(path)} is {member.kind}. {_ADVICE}"
        raise MoverFailure(_REFUSED[member.kind], message)
    if member.is_encrypted:
        message = f"the entry {shown(path)} is encrypted. Make the archive again without a password."
        raise MoverFailure(Reason.ARCHIVE_ENCRYPTED, message)
