"""What movers that belong to no step are told: inventories to take, views to count, outputs to copy, what to
sweep, results to find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from towpath.flow.contents import Content, InventoryRef
from towpath.flow.planned import PlannedExport
from towpath.flow.planned_datastores import PlannedDatastore


@dataclass(frozen=True)
class Listing:
    """One inventory to take: of which sources, in which datastore it is written, and how to enter what is named.

    `format` is how rows are written, in the API's form, where the records are rows: then their columns are taken too.
    """

    type: str
    sources: tuple[Mapping[str, Any], ...]
    into: str
    datastores: tuple[PlannedDatastore, ...]
    format: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class View:
    """A part of an inventory; `transforms` are canonical documents, seeds included.

    Where it is shared out among `shards`, files are those of all, bytes and disk those of the largest share.
    """

    inventory: InventoryRef
    transforms: tuple[Mapping[str, Any], ...]
    shards: int = 1


@dataclass(frozen=True)
class InventorySurvey:
    """A Job of a run that takes inventories of what its inputs name as `source`: one container for each.

    `ask` tells it from every other; `inputs` names those that each listing is for, as messages call them.
    """

    ask: str
    listings: tuple[Listing, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class CountSurvey:
    """A Job of a run that counts views of its inputs, before anything starts; `inputs` says whose each is."""

    ask: str
    views: tuple[View, ...]
    datastores: tuple[PlannedDatastore, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Verification:
    """A Job of a run that looks whether outputs of earlier steps are still there; `ask` tells it from every other."""

    ask: str
    outputs: tuple[Content, ...]
    datastores: tuple[PlannedDatastore, ...]


@dataclass(frozen=True)
class Sweep:
    """What a sweep of one datastore may delete, and the records that it writes before.

    Of attempts only what was written in the window, in seconds since 1970. Nothing of the `runs` and none of the
    `kept` attempts: both are `store_keys.prefix_mark`s. `datasets` let go what was written for versions that are gone.
    `in_place` are beginnings of keys, with the datastore's own prefix, that sources of Datasets read. The
    `inventories` of sources stay, and whole copies of the `sources` (marks both); of others what was condemned before
    `condemned_before` goes; where that is None, all stay.
    """

    datastore: PlannedDatastore
    cluster_id: str
    datasets: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()
    written_since: int = 0
    written_before: int = 0
    is_dry: bool = False
    requested: str | None = None
    records: tuple[Mapping[str, Any], ...] = ()
    inventories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    condemned_before: int | None = None


@dataclass(frozen=True)
class Export:
    """An accepted output to be copied; `attempt` is the number of the mover that does."""

    step: str
    output: str
    attempt: int
    content: Content
    place: PlannedExport

    @property
    def ask(self) -> str:
        """What tells its Job from every other of the run."""
        return f"{self.step}/{self.output}/{self.attempt}"


@dataclass(frozen=True)
class FindResult:
    """The `result` to be found of an attempt whose pod is gone; `number` is the mover's, from 1."""

    step: str
    attempt: int
    number: int
    is_merge: bool = False

    @property
    def ask(self) -> str:
        """What tells its Job from every other of the run."""
        return f"{self.step}/{self.attempt}/{self.number}"


Survey: TypeAlias = InventorySurvey | CountSurvey
