"""Two inventories, in the order of their paths → what was added, removed and changed. Pure, and streams: a million
files are never held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from towpath_mover.inventory import Entry


class Change(StrEnum):
    """What became of a file."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Changed:
    """One file that differs; sizes in bytes, None on the side where it is not there."""

    change: Change
    path: str
    before: int | None = None
    after: int | None = None


@dataclass
class Tally:
    """How much differs and how much does not."""

    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything does."""
        return bool(self.added or self.removed or self.changed)

    def add(self, change: Change) -> None:
        """Count one file."""
        setattr(self, change, getattr(self, change) + 1)


def differences(before: Iterable[Entry], after: Iterable[Entry], tally: Tally) -> Iterator[Changed]:
    """What differs, by path; `tally` counts along.

    A file that one side knows by its bytes and the other by what a store reported counts as changed: nobody knows.
    """
    olds, news = iter(before), iter(after)
    old, new = next(olds, None), next(news, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old.path < new.path):
            assert old is not None  # noqa: S101  (for the type checker: one of them is there)
            tally.add(Change.REMOVED)
            yield Changed(Change.REMOVED, old.path, old.size)
            old = next(olds, None)
        elif old is None or new.path < old.path:
            tally.add(Change.ADDED)
            yield Changed(Change.ADDED, new.path, None, new.size)
            new = next(news, None)
        else:
            if _identity(old) == _identity(new):
                tally.same += 1
            else:
                tally.add(Change.CHANGED)
                yield Changed(Change.CHANGED, new.path, old.size, new.size)
            old, new = next(olds, None), next(news, None)


def _identity(entry: Entry) -> tuple[object, ...]:
    return entry.size, entry.sha256, entry.etag, entry.version, entry.executable
