"""The file that says where a workspace is: a namespace of a cluster, or a folder of this machine.

`.towpath/config.json` or `config.json`, looked for in the current directory and in all above it:
{"namespace": "team-a", "context": "kind-dev"} or {"local": "."}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from towpath.errors import NotFoundError, UserErrorException
from towpath.spelling import near

_FILES = (".towpath/config.json", "config.json")
_FIELDS = ("namespace", "context", "kubeconfig", "local")


@dataclass(frozen=True)
class Place:
    """Where a workspace is: `local` is a folder; else a namespace, of the kubeconfig's own choice where omitted."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None
    local: str | None = None


def read_place(path: str | Path | None, start: Path) -> Place:
    """Read a file, or look for one from a folder upwards; NotFoundError names every place that was looked at."""
    given = start if path is None else start / path
    if given.is_file():
        return _read(given)
    if not given.is_dir():
        raise NotFoundError(f"There is no file or folder {given}. `towpath init` writes a workspace's file.")
    looked = list(_candidates(given.resolve()))
    for file in looked:
        if file.is_file():
            return _read(file)
    shown = "\n  ".join(map(str, looked))
    raise NotFoundError(f"There is no workspace here: `towpath init` writes its file. Looked at:\n  {shown}")


def find_place(start: Path) -> Place | None:
    """Read the file that `towpath init` wrote in this folder or one above, if there is one.

    A bare config.json is not looked at: many tools have one, and only `Workspace.from_config` asks for it.
    """
    for folder in (start, *start.parents):
        if (folder / _FILES[0]).is_file():
            return _read(folder / _FILES[0])
    return None


def write_place(place: Place, folder: Path, file_name: str) -> Path:
    """Write the file and return its path."""
    fields = {name: value for name in _FIELDS if (value := getattr(place, name)) is not None}
    file = folder / ".towpath" / file_name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(fields, indent=2) + "\n")
    return file


def _candidates(folder: Path) -> Iterator[Path]:
    for place in (folder, *folder.parents):
        yield from (place / name for name in _FILES)


def _read(file: Path) -> Place:
    fields = _object(file)
    if "subscription_id" in fields:
        raise UserErrorException(
            f"{file} is the configuration of an Azure ML workspace, and Towpath's is a namespace of a cluster: run "
            "`towpath init`, which writes .towpath/config.json, or use Workspace.local()."
        )
    for name in fields:
        if name not in _FIELDS:
            raise UserErrorException(f"{file}: there is no field {name}. {near(name, _FIELDS)}")
    place = Place(**fields)
    # Relative to the project, wherever in it a programme is started.
    project = file.parent.parent if file.parent.name == ".towpath" else file.parent
    return place if place.local is None else Place(local=str((project / place.local).resolve()))


def _object(file: Path) -> dict[str, Any]:
    try:
        fields = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UserErrorException(f"{file} cannot be read: {error}") from error
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise UserErrorException(f'{file} is no object of texts such as {{"namespace": "team-a"}}.')
    return fields
