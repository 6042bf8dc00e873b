"""The user's cache of what was downloaded, by digest: content never changes, so it is fetched once and shared.

inventories/<sha256>/data/…      the files of one inventory, complete and verified; nobody may write there
inventories/<sha256>.partial/    a fetch that is under way, or was killed and is taken up again
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from towpath.errors import UserErrorException

CACHE_VARIABLE = "TOWPATH_CACHE"


class CachedInventory(NamedTuple):
    """Where the files of one inventory are kept, or will be."""

    folder: Path

    @property
    def data(self) -> Path:
        """The files; this folder is there when all of them are."""
        return self.folder / "data"

    @property
    def partial(self) -> Path:
        """What a fetch has brought so far."""
        return self.folder.with_name(f"{self.folder.name}.partial")


def cache_folder(environ: Mapping[str, str]) -> Path:
    """TOWPATH_CACHE, else `towpath` in the user's cache folder."""
    if given := environ.get(CACHE_VARIABLE):
        return Path(given)
    above = environ.get("XDG_CACHE_HOME")
    return (Path(above) if above else Path.home() / ".cache") / "towpath"


def cached_inventory(digest: str, folder: Path) -> CachedInventory:
    """The place of an inventory in a cache; `digest` is the canonical one, `sha256:…`."""
    method, _, value = digest.partition(":")
    if method != "sha256" or len(value) != 64 or not value.isalnum():
        raise UserErrorException(f"{digest!r} is not the digest of an inventory.")
    return CachedInventory(folder / "inventories" / value)


@contextmanager
def fetching(place: CachedInventory) -> Iterator[Path]:
    """The partial folder of a fetch, which becomes the cached one at the end; one process at a time fetches.

    After a failure the partial folder stays, for the next fetch to go on from.
    """
    place.folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(place.folder.with_name(f"{place.folder.name}.lock")):
        if not place.data.is_dir():
            (place.partial / "data").mkdir(parents=True, exist_ok=True)
            yield place.partial
            os.rename(place.partial, place.folder)  # noqa: PTH104 - whole, or not at all
        else:
            yield place.folder


def forget(place: CachedInventory) -> None:
    """Remove what is cached of an inventory."""
    for folder in (place.folder, place.partial):
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("a") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
