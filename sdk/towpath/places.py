"""The one grammar of places: a local path, `DATASTORE:/path`, `dataset:NAME[@VERSION]`, `run:NAME/STEP/OUTPUT`.

`parse_place(text)` speaks to nobody. A path of this machine that looks like another place is written with `./`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from towpath.errors import UserErrorException
from towpath.flow import names
from towpath_mover.failures import MoverFailure
from towpath_mover.paths import check_path

_DATASTORE = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]*):(/?)(.*)", re.DOTALL)
_DATASET = re.compile(r"([^@/:]+)(?:@(.*))?")
_GRAMMAR = "DATASTORE:/path, dataset:NAME[@VERSION], run:NAME/STEP/OUTPUT, or a path of this machine"


@dataclass(frozen=True)
class LocalPlace:
    """A file or folder of this machine; `is_folder` where it was written with a slash at its end."""

    path: Path
    is_folder: bool = False

    def __str__(self) -> str:
        """As it is written."""
        return str(self.path)


@dataclass(frozen=True)
class DatastorePlace:
    """An object, or all below a path, of a datastore; `is_folder` as above."""

    datastore: str
    path: str
    is_folder: bool = False

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.datastore}:/{self.path}"


@dataclass(frozen=True)
class DatasetPlace:
    """A version of a dataset; without a number the latest."""

    dataset: str
    version: int | None = None

    def __str__(self) -> str:
        """As it is written."""
        return f"dataset:{self.dataset}" + (f"@{self.version}" if self.version is not None else "")


@dataclass(frozen=True)
class OutputPlace:
    """A published output of a run."""

    run: str
    step: str
    output: str

    def __str__(self) -> str:
        """As it is written."""
        return f"run:{self.run}/{self.step}/{self.output}"


Place = LocalPlace | DatastorePlace | DatasetPlace | OutputPlace


def parse_place(text: str) -> Place:
    """The place that a text names; UserErrorException says what is wrong with it."""
    if not text:
        raise UserErrorException(f"An empty place was given: write {_GRAMMAR}.")
    if text.startswith("dataset:"):
        return _dataset(text, text.removeprefix("dataset:"))
    if text.startswith("run:"):
        return _output(text, text.removeprefix("run:"))
    found = _DATASTORE.fullmatch(text)
    # C:\data and C:/data are places of this machine, and no datastore has so short a name by accident.
    if found is None or len(found[1]) == 1:
        return LocalPlace(Path(text), text.endswith(("/", "\\")))
    if not found[2]:
        theirs, mine = f"{found[1]}:/{found[3]} for a datastore's", f"./{text} for a file of this machine"
        raise UserErrorException(f"{text!r} is no place: write {theirs}, or {mine}.")
    return _in_datastore(text, found[1], found[3])


def _in_datastore(text: str, datastore: str, path: str) -> DatastorePlace:
    plain = path.removesuffix("/")
    if plain:
        try:
            check_path(plain)
        except MoverFailure as refused:
            raise UserErrorException(f"{text!r} is no place. {refused.message}") from None
    return DatastorePlace(names.object_name(datastore), plain, path.endswith("/") or not path)


def _dataset(text: str, rest: str) -> DatasetPlace:
    found = _DATASET.fullmatch(rest)
    if found is None:
        raise UserErrorException(f"{text!r} is no place: write dataset:NAME or dataset:NAME@VERSION.")
    version = found[2]
    if version is None or version == "latest":
        return DatasetPlace(names.object_name(found[1]))
    number = version.removeprefix("v")
    if not number.isascii() or not number.isdigit() or int(number) < 1:
        raise UserErrorException(f"{text!r} is no place: a version is a number from 1 on, or `latest`.")
    return DatasetPlace(names.object_name(found[1]), int(number))


def _output(text: str, rest: str) -> OutputPlace:
    parts = rest.split("/")
    if len(parts) != 3 or not all(parts):
        raise UserErrorException(
            f"{text!r} is no place: write run:NAME/STEP/OUTPUT; `towpath describe run NAME` lists the outputs."
        )
    return OutputPlace(*parts)
