"""Files that were fetched, and a chain of transforms → the files that a step would get of them.

It is the movers' own code over the cache: so a sample here is the sample there, to the last row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from towpath.errors import UserErrorException
from towpath.fetched_files import place_files
from towpath.flow.transform_documents import read_chain
from towpath.flow.transforms import Transform, TransformError
from towpath.told import told
from towpath_mover.inventory import Entry
from towpath_mover.order import InputOrder, InventoryRef
from towpath_mover.pinned import Source
from towpath_mover.staged_rows import stage_rows
from towpath_mover.stores import Datastore, Kind, Places, open_store
from towpath_mover.view import View


class _HereView(View):
    """A view of files that lie in one folder as they are, wherever the inventory says that they came from."""

    def all_entries(self) -> Iterator[Entry]:
        """Yield all files; what pins them in their store means nothing here."""
        for entry in super().all_entries():
            yield entry._replace(root=0, pack=None, offset=None, etag=None, version=None)


def chain_of(transforms: Sequence[Mapping[str, Any]]) -> tuple[Transform, ...]:
    """Return a chain; a part that is drawn anew by each run cannot be shown."""
    for transform in transforms:
        [(kind, fields)] = transform.items()
        if kind in ("sample", "split") and "seed" not in fields:
            raise UserErrorException(
                f"This {kind} has no seed: each run draws its own, so here would be another one. Give seed=."
            )
    try:
        return read_chain(transforms)
    except TransformError as error:
        raise UserErrorException(f"The view cannot be: {error}") from error


def place_view(
    fetched: Path, version: Mapping[str, Any], transforms: Sequence[Mapping[str, Any]], target: Path
) -> None:
    """Place a view of fetched files in a folder that is not there yet."""
    inventory = fetched.parent / "inventory.jsonl.gz"
    view = _HereView((), chain_of(transforms), inventory, version["files"])
    with told():
        if version.get("format") is None:
            _place_files(view, fetched, target)
        else:
            with _here(fetched) as source:
                stage_rows(_order(version, transforms), version["format"], view, [source], target)


def _place_files(view: View, fetched: Path, target: Path) -> None:
    target.mkdir()
    for entry in view.entries():
        place = target / entry.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(fetched / entry.path)


def _order(version: Mapping[str, Any], transforms: Sequence[Mapping[str, Any]]) -> InputOrder:
    inventory = version["inventory"]
    return InputOrder(
        name=version["dataset"],
        path="",
        inventory=InventoryRef(inventory["datastore"], inventory["path"], inventory["digest"]),
        file=version.get("file"),
        allow_empty=True,
        origin={},
        files=version["files"],
        bytes=version["bytes"],
        transforms=tuple(transforms),
        format=version["format"],
    )


@contextmanager
def _here(folder: Path) -> Iterator[Source]:
    """The folder as a store, entered as a volume is."""
    with TemporaryDirectory(prefix="towpath-") as places:
        entrance = Places(*(Path(places) / part for part in ("credentials", "ca", "volumes")))
        entrance.volumes.mkdir()
        (entrance.volumes / "here").symlink_to(folder)
        datastore = Datastore("here", Kind.PERSISTENT_VOLUME_CLAIM, {"claimName": "here"}, read_only=True)
        yield Source(open_store(datastore, entrance), "")


__all__ = ["chain_of", "place_files", "place_view"]
