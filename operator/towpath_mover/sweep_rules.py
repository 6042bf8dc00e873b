"""What may go from a namespace's part of a datastore, by name alone: pure, so that laws can be held against it.

Thousands are told by marks (`store_keys.prefix_mark`): two that are alike only make one of them stay.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from towpath.flow import store_keys

# Anything else below these folders was not written by a step: perhaps another's place begins there.
_RUN = re.compile(r".+-[0-9a-f]{8}")
_ATTEMPT = re.compile(r"[0-9]+-.+")


class Rules(NamedTuple):
    """What stays: folders of the `runs`, attempts that are `kept` (marks both), and what is read `in_place`.

    `in_place` are beginnings of keys, with the datastore's own prefix. What was written for one of the `datasets` goes
    with its version; what was written for others stays, unless it never was a version. `inventories` are those of
    sources that stay, and `sources` those whose whole copies stay, by their prefixes (marks both).
    """

    namespace: str
    datasets: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    in_place: tuple[str, ...] = ()
    inventories: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()

    def is_looked_into(self, folder: str) -> bool:
        """Return whether anything of the run with this folder may go."""
        return _RUN.fullmatch(folder) is not None and store_keys.prefix_mark(folder) not in self.runs

    def may_go(self, attempt: str, own_prefix: str = "") -> bool:
        """Return whether an attempt of such a run may go, by its prefix; `own_prefix` is the datastore's."""
        if not _ATTEMPT.fullmatch(attempt.split("/")[-2]) or store_keys.prefix_mark(attempt) in self.kept:
            return False
        return not self.is_read_in_place(own_prefix + attempt)

    def is_read_in_place(self, whole: str) -> bool:
        """Return whether a source reads this key or prefix, or what lies below it, as files in place."""
        return any(whole.startswith(base) or base.startswith(whole) for base in self.in_place)

    def keeps_inventory(self, key: str) -> bool:
        """Return whether something refers to an inventory of sources."""
        return store_keys.prefix_mark(key) in self.inventories

    def keeps_copies(self, copies: str) -> bool:
        """Return whether the whole copies of a source stay, by the prefix of all that is copied of it."""
        return store_keys.prefix_mark(copies) in self.sources

    def goes_with_its_version(self, attempt: str) -> bool:
        """Return whether an attempt may go although it may have been a version."""
        _, kind, dataset, *_ = attempt.removeprefix(self.namespace).split("/")
        return kind == "runs" or dataset in self.datasets

    def is_of_nobody(self, key: str) -> bool:
        """Return whether an object that is being written below this key belongs to a run that may be swept."""
        attempt = store_keys.attempt_at(self.namespace, key)
        return attempt is not None and self.is_looked_into(store_keys.run_folder_of(attempt))


class Fate(StrEnum):
    """What a sweep does with an inventory or a copy of a source."""

    STAYS = "stays"
    FORGIVEN = "forgiven"
    YOUNG = "young"
    CONDEMNED = "condemned"
    GOES = "goes"


class Life(NamedTuple):
    """Whether something refers to it, when it was written, and since when it is condemned; in seconds since 1970."""

    is_wanted: bool
    written_since: float
    written_at: float
    condemned_at: float | None


def fate(life: Life, written_since: float, written_before: float, condemned_before: float) -> Fate:
    """Return what a sweep with these bounds does: what nothing refers to goes in two steps, by two sweeps."""
    if life.is_wanted:
        return Fate.STAYS if life.condemned_at is None else Fate.FORGIVEN
    if life.condemned_at is not None:
        return Fate.GOES if life.condemned_at < condemned_before else Fate.YOUNG
    if life.written_since < written_since:
        return Fate.STAYS
    return Fate.CONDEMNED if life.written_at < written_before else Fate.YOUNG
