"""A datastore and what must stay in it → the attempts that nothing refers to, one after another.

Who writes in a place of his own below ours (a Datastore whose prefix lies there) has his `owner.json` in it: where one
is found on the way down, nothing below is touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from math import inf
from typing import NamedTuple

from towpath.flow import store_keys
from towpath_mover.failures import MoverFailure
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.objects import object_state, read_object
from towpath_mover.retry import patiently
from towpath_mover.stores import ANY_STATE, ListedObject, Span, Store
from towpath_mover.sweep_rules import Rules

# A header of 4,096 roots, as long as they may be, takes less.
_HEADER_BYTES = 4 << 20


class Attempt(NamedTuple):
    """What lies below an attempt's prefix. Times are in seconds since 1970; one that is not known is the latest.

    `commits` are the objects that make others count: they go first, so that nobody finds half of an output.
    """

    prefix: str
    objects: int
    bytes: int
    written_since: float
    written_at: float
    commits: tuple[ListedObject, ...]
    has_inventory: bool
    counted_as: str = "attempts"

    @property
    def name(self) -> str:
        """What it is told by."""
        return self.prefix


def attempts_of_nobody(store: Store, rules: Rules) -> Iterator[Attempt]:
    """Yield every attempt that may go, as far as names and what its neighbours refer to can tell."""
    namespace = rules.namespace
    for step in _steps(store, f"{namespace}/runs/", rules):
        yield from _in_step(store, step, rules)
    for dataset in folders(store, f"{namespace}/datasets/"):
        for step in _steps(store, dataset, rules):
            yield from _in_step(store, step, rules)


def _steps(store: Store, top: str, rules: Rules) -> Iterator[str]:
    for run in folders(store, top):
        if rules.is_looked_into(run[len(top) : -1]):
            yield from folders(store, run)


def _in_step(store: Store, step: str, rules: Rules) -> Iterator[Attempt]:
    listed = folders(store, step)
    shards = f"{step}{store_keys.SHARDS_FOLDER}"
    if shards in listed:
        listed.remove(shards)
        yield from _in_step(store, shards, rules)
    going = [one for one in listed if rules.may_go(one, store.datastore.prefix)]
    if not going:
        return
    read = _roots(store, [one for one in listed if one not in going])
    for prefix in going:
        if read is None or any(root.startswith(prefix) for root in read):
            continue
        attempt = look(store, prefix)
        if (
            attempt is not None
            and attempt.objects
            and (rules.goes_with_its_version(prefix) or _never_was(store, attempt, rules))
        ):
            yield attempt


def folders(store: Store, prefix: str) -> list[str]:
    """Return the folders below a prefix; none where it is another owner's place."""
    # All of one level before the next: a listing does not wait while others are made.
    listed = [found.key for found in store.list_objects(prefix, recursive=False)]
    if f"{prefix}{store_keys.OWNER}" in listed:
        return []
    return [key for key in listed if key.endswith("/") and key != prefix]


def look(store: Store, prefix: str) -> Attempt | None:
    """Return what lies below a prefix; None where it is another's place."""
    objects, size, since, at = 0, 0, inf, 0.0
    commits: list[ListedObject] = []
    has_inventory = False
    for found in store.list_objects(prefix):
        if found.key == f"{prefix}{store_keys.OWNER}":
            return None
        objects, size = objects + 1, size + found.size
        since, at = min(since, found.modified or 0), max(at, found.modified or inf)
        if _is_inventory(found.key, prefix):
            commits, has_inventory = [*commits, found], True
        elif found.key == f"{prefix}result":
            commits = [found, *commits]
    return Attempt(prefix, objects, size, since, at, tuple(commits), has_inventory)


def _is_inventory(key: str, prefix: str) -> bool:
    step, _, attempt = prefix.rstrip("/").rpartition("/")
    output = key[len(prefix) :].partition("/")[0]
    return key == store_keys.output_inventory_key(f"{step}/", attempt, output)


def _roots(store: Store, kept: Sequence[str]) -> list[str] | None:
    """Return where the files of these attempts lie, which may be beside them; None where that cannot be read.

    An output that several pods wrote has one inventory, and its files lie with each of them.
    """
    found: list[str] = []
    for prefix in kept:
        step, _, attempt = prefix.rstrip("/").rpartition("/")
        for output in folders(store, prefix):
            key = store_keys.output_inventory_key(f"{step}/", attempt, output[len(prefix) : -1])
            try:
                state = object_state(store, key)
                if state is not None:
                    beginning = Span(0, min(state.size, _HEADER_BYTES))
                    content = patiently(store, partial(_read, store, key, beginning))
                    found.extend(root.prefix for root in InventoryReader([content]).roots)
            except MoverFailure:
                return None
    return found


def _read(store: Store, key: str, span: Span) -> bytes:
    return bytes(store.read(key, ANY_STATE, span).whole())


def _never_was(store: Store, attempt: Attempt, rules: Rules) -> bool:
    """Return whether an attempt that wrote for a dataset never became a version: unfinished, or by its run's record."""
    if not attempt.has_inventory:
        return True
    try:
        key = store_keys.record_key(rules.namespace, store_keys.run_folder_of(attempt.prefix))
        registered = json.loads(read_object(store, key))["registered"]
        return attempt.prefix not in list(registered)
    except (MoverFailure, ValueError, KeyError, TypeError, RecursionError):
        return False
