"""What an input is pinned to and an output was accepted as: a finished set of files, by its inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class InventoryRef:
    """Where an inventory lies: a key relative to the datastore's prefix, and its canonical digest."""

    datastore: str
    path: str
    digest: str


@dataclass(frozen=True)
class Content:
    """A finished set of files: a pinned version, or an accepted output. Sizes are in bytes.

    `file` is the one file's path in the inventory where `directory` is false. `format` is how rows are written, in
    the API's form, where the records are rows.
    """

    inventory: InventoryRef
    files: int
    bytes: int
    scratch_bytes: int
    directory: bool
    file: str | None = None
    datastores: tuple[str, ...] = ()
    format: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class PinnedVersion:
    """The dataset version that an input of this run reads, whatever is registered later."""

    dataset: str
    version: int
    content: Content


@dataclass(frozen=True)
class PinnedSource:
    """An unregistered dataset as it lay in its `sources` when the run started."""

    content: Content
    sources: tuple[Mapping[str, Any], ...] = ()


Pinned: TypeAlias = PinnedVersion | PinnedSource


@dataclass(frozen=True)
class Counted:
    """What a view holds, as a mover counted it before the run began. Sizes are in bytes."""

    files: int
    bytes: int
    scratch_bytes: int
