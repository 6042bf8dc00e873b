"""Inventories and copies of sources in a namespace's part of a datastore → which of them something refers to.

What nothing refers to goes in two steps. First it is condemned: an object beside it says so, and since when. Whoever
looks at sources takes up nothing that is condemned. A later sweep deletes it, once all have ended who may have looked
before, unless something refers to it by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import inf
from typing import NamedTuple

from towpath.flow import store_keys
from towpath_mover.failures import MoverFailure
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.objects import object_state
from towpath_mover.retry import patiently
from towpath_mover.stores import ANY_STATE, ListedObject, Span, Store
from towpath_mover.sweep_attempts import folders
from towpath_mover.sweep_rules import Life, Rules

_AT_ONCE = 16
# Anything else there was not written by us.
_SOURCE, _COPY = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{32}")
_INVENTORY = re.compile(r"[0-9a-f]{64}(-[0-9a-f]{8})?\.jsonl\.gz")
_CONDEMNED = store_keys.condemned_inventory_key("")
# A header of one root takes 200 bytes; those of more are read again.
_BEGINNING, _HEADER = 64 << 10, 4 << 20


class Leftover(NamedTuple):
    """An inventory or a copy: its key or prefix, what of it is deleted first, and what says that it is condemned.

    `counted_as` is its word in a report.
    """

    name: str
    counted_as: str
    life: Life
    note: str
    objects: int = 0
    bytes: int = 0
    commits: tuple[ListedObject, ...] = ()


def leftovers(store: Store, rules: Rules) -> Iterator[Leftover]:
    """Yield every inventory, and then every copy, that something refers to or not."""
    listed = _inventories(store, rules)
    yield from listed
    wanted = [one.name for one in listed if one.life.is_wanted]
    roots: frozenset[str] | None = None
    for source in folders(store, store_keys.all_copies_prefix(rules.namespace)):
        if not _SOURCE.fullmatch(_last(source)) or rules.is_read_in_place(store.datastore.prefix + source):
            continue
        copies = [one for one in folders(store, source) if _COPY.fullmatch(_last(one))]
        if copies and roots is None:
            roots = _roots(store, wanted)
            if roots is None:
                return
        looked = [_copy(store, source, copy, rules, roots or frozenset()) for copy in copies]
        # Some stores go on showing a folder of which all is deleted.
        there = [
            one for one in looked if one.life.is_wanted or one.objects or one.life.condemned_at is not None
        ]
        yield from there or _latest(store, source, rules)


def _last(prefix: str) -> str:
    return prefix.split("/")[-2]


def _inventories(store: Store, rules: Rules) -> list[Leftover]:
    top = store_keys.source_inventories_prefix(rules.namespace)
    listed = {found.key: found for found in store.list_objects(top, recursive=False)}
    if f"{top}{store_keys.OWNER}" in listed:
        return []
    found = (key.removesuffix(_CONDEMNED) for key in listed)
    keys = sorted({key for key in found if _INVENTORY.fullmatch(key.removeprefix(top))})
    return [_inventory(store, key, listed, rules) for key in keys]


def _inventory(store: Store, key: str, listed: dict[str, ListedObject], rules: Rules) -> Leftover:
    found, note = listed.get(key), store_keys.condemned_inventory_key(key)
    is_wanted = rules.keeps_inventory(key) or rules.is_read_in_place(store.datastore.prefix + key)
    condemned_at = _time(listed[note]) if note in listed else None
    if found is None:
        return Leftover(key, "inventories", Life(is_wanted, inf, 0.0, condemned_at), note)
    life = Life(is_wanted, found.modified or 0, _time(found), condemned_at)
    return Leftover(key, "inventories", life, note, 1, found.size, (found,))


def _time(found: ListedObject) -> float:
    return found.modified or inf


def _copy(store: Store, source: str, copy: str, rules: Rules, roots: frozenset[str]) -> Leftover:
    note = store_keys.condemned_copy_key(source, _last(copy))
    if _is_wanted(store, source, copy, rules, roots):
        # It is not listed: a copy may be of a million files.
        said = 0.0 if object_state(store, note) is not None else None
        return Leftover(copy, "copies", Life(True, inf, 0.0, said), note)
    objects, size, since, at = 0, 0, inf, 0.0
    commits: list[ListedObject] = []
    condemned_at = None
    for found in store.list_objects(copy):
        if found.key == note:
            condemned_at = _time(found)
            continue
        objects, size = objects + 1, size + found.size
        since, at = min(since, found.modified or 0), max(at, _time(found))
        if found.key == store_keys.copy_inventory_key(source, _last(copy)):
            commits = [found]
    return Leftover(copy, "copies", Life(False, since, at, condemned_at), note, objects, size, tuple(commits))


def _is_wanted(store: Store, source: str, copy: str, rules: Rules, roots: frozenset[str]) -> bool:
    if store_keys.copy_data_prefix(source, _last(copy)) in roots:
        return True
    committed = store_keys.copy_inventory_key(source, _last(copy))
    return rules.keeps_copies(source) and object_state(store, committed) is not None


def _latest(store: Store, source: str, rules: Rules) -> Iterator[Leftover]:
    """What names the latest copy of a source that has none any more: as good as condemned since it was written."""
    key = store_keys.latest_copy_key(source)
    found = next((one for one in store.list_objects(source) if one.key == key), None)
    if found is not None and not rules.keeps_copies(source):
        life = Life(False, found.modified or 0, _time(found), _time(found))
        yield Leftover(key, "", life, key, 1, found.size, (found,))


def _roots(store: Store, inventories: Sequence[str]) -> frozenset[str] | None:
    """Return where the files of these inventories lie; None where that cannot be read of each."""
    try:
        with ThreadPoolExecutor(_AT_ONCE) as workers:
            found = list(workers.map(partial(_roots_of, store), inventories))
    except MoverFailure:
        return None
    return frozenset(prefix for prefixes in found for prefix in prefixes)


def _roots_of(store: Store, key: str) -> list[str]:
    state = object_state(store, key)
    if state is None:
        return []
    try:
        return _header(store, key, min(state.size, _BEGINNING))
    except MoverFailure:
        return _header(store, key, min(state.size, _HEADER))


def _header(store: Store, key: str, size: int) -> list[str]:
    content = patiently(store, lambda: bytes(store.read(key, ANY_STATE, Span(0, size)).whole()))
    return [root.prefix for root in InventoryReader([content]).roots]
