"""A step's code: its digest, which the plan holds and `stage-in` compares, and the parameters that it reads.

Standard library only.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Mapping

_PARAM = re.compile(r"TOWPATH_PARAM_([A-Z0-9_]*)")
# The one key of a ConfigMap whose code has folders, or is no text: an archive, which nobody takes for a file.
ARCHIVE_KEY = "towpath-code.tar.gz"
# What comes out of an archive is held in memory, by the operator too.
MOST_FILES = 2_000
MOST_BYTES = 32 << 20
_CONTEXT = ("TOWPATH_CONTEXT", "get_context")


def code_digest(files: Mapping[str, bytes]) -> str:
    """The digest of code files by name.

    It is the SHA-256 of the canonical JSON (sorted keys, no spaces) of {file name: hex SHA-256 of its bytes}.
    """
    parts = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


class CodeArchiveError(ValueError):
    """An archive of code that cannot be read, or holds more than code."""


def pack_code(files: Mapping[str, bytes]) -> bytes:
    """The archive of code files by path: the same files give the same bytes, wherever zlib is the same."""
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in sorted(files):
            entry = tarfile.TarInfo(path)
            entry.size = len(files[path])
            archive.addfile(entry, io.BytesIO(files[path]))
    return packed.getvalue()


def unpack_code(archive: bytes, most_bytes: int = MOST_BYTES) -> dict[str, bytes]:
    """The files of an archive by path; CodeArchiveError for what is no archive, no plain file, or too much."""
    unzipped = _unzipped(archive, most_bytes)
    try:
        with tarfile.open(fileobj=io.BytesIO(unzipped), mode="r:") as entries:
            return _files_of(entries)
    except tarfile.TarError as error:
        raise CodeArchiveError(f"it is no tar archive: {error}") from error


def code_of(content: Mapping[str, bytes]) -> dict[str, bytes]:
    """The code files that the keys of a ConfigMap hold: as they are, or in the one archive."""
    return unpack_code(content[ARCHIVE_KEY]) if set(content) == {ARCHIVE_KEY} else dict(content)


def _unzipped(archive: bytes, most_bytes: int) -> bytes:
    # Headers and padding of tar come on top of the files themselves.
    most = most_bytes + (MOST_FILES + 1) * 2048
    unzip = zlib.decompressobj(wbits=31)
    try:
        data = unzip.decompress(archive, most)
    except zlib.error as error:
        raise CodeArchiveError(f"it is not zipped: {error}") from error
    if not unzip.eof:
        raise CodeArchiveError(f"it is cut, or holds more than {most_bytes:,} bytes")
    return data


def _files_of(entries: tarfile.TarFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for entry in entries:
        content = entries.extractfile(entry) if entry.isfile() else None
        if content is None or entry.name in files:
            raise CodeArchiveError(f"{entry.name!r} is no plain file, or is there twice")
        if len(files) == MOST_FILES:
            raise CodeArchiveError(f"it holds more than {MOST_FILES:,} files")
        files[entry.name] = content.read()
    return files


def params_read(texts: Iterable[str]) -> frozenset[str]:
    """The parameters that code reads from its environment, in capitals; an empty one stands for all of them.

    Only what is written out can be seen: a name that is put together, or the run's context, may be any.
    """
    found: set[str] = set()
    for text in texts:
        found |= set(_PARAM.findall(text))
        if any(word in text for word in _CONTEXT):
            found.add("")
    return frozenset(found)
