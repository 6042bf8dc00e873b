"""Where fetched and built things are kept, and by which key: the user's cache folder, one entry per
digest of what an entry was built from. A changed input is a new entry; an unchanged one costs nothing."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds every cached thing of the test cluster."""
    base = environment.get("XDG_CACHE_HOME") or str(
        Path(environment.get("HOME", "~")).expanduser() / ".cache"
    )
    return Path(base) / "towpath"


def digest_of(parts: Iterable[str | bytes | Path]) -> str:
    """A short key from texts, bytes and the contents of files, in the order given."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part
        data = content.encode() if isinstance(content, str) else content
        # The length keeps ("ab", "c") and ("a", "bc") apart.
        total.update(f"{len(data)}:".encode() + data)
    return total.hexdigest()[:16]


def files_below(folder: Path) -> list[str | Path]:
    """Each file below a folder, as its relative name and its content, in a stable order."""
    parts: list[str | Path] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        parts += [path.relative_to(folder).as_posix(), path]
    return parts


@contextmanager
def one_at_a_time(name: str) -> Iterator[Path]:
    """The cache folder, for work that must not be done twice at once on this machine."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
