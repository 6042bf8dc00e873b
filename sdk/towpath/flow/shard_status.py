"""Attempts that have published a part, by shard ↔ `status.steps[].shards`, and what the merging mover is told.

Standard library only: the mover reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from towpath.flow import store_keys
from towpath.flow.index_ranges import indexes_in, packed_uids, ranges_text, uids_in

Document = dict[str, Any]


def shards_document(published: Mapping[int, str]) -> list[Document]:
    """By attempt: which shards have published in it, and the UIDs of their pods in that order."""
    by_attempt: dict[int, dict[int, str]] = {}
    for shard, attempt_id in sorted(published.items()):
        attempt, uid = store_keys.parts_of_attempt_id(attempt_id)
        by_attempt.setdefault(attempt, {})[shard] = uid
    return [
        {"attempt": attempt, "done": ranges_text(uids), "pods": packed_uids(uids.values())}
        for attempt, uids in sorted(by_attempt.items())
    ]


def shards_from(documents: Iterable[tuple[int, str, str]], below: int) -> dict[int, str]:
    """What `shards_document` wrote, as (attempt, done, pods); ValueError if it is none."""
    published: dict[int, str] = {}
    for attempt, done, pods in documents:
        for shard, uid in zip(indexes_in(done, below), uids_in(pods), strict=True):
            published[shard] = store_keys.shard_attempt_id(attempt, uid)
    return published
