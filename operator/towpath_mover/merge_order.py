"""The documents in the pod of a merge → a frozen order: what all shards of a step have published, to be made one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from towpath.flow import store_keys
from towpath.flow.shard_status import shards_from
from towpath_mover.fields import OrderError, read_variable
from towpath_mover.order import (
    ATTEMPT_VARIABLE,
    OutputOrder,
    datastores_of,
    output_order,
    planned_documents,
    pod_uid,
)
from towpath_mover.pod_paths import PodPaths
from towpath_mover.stores import Datastore


class MergeOrder(NamedTuple):
    """What all shards of a step have published, to be made one: `parts` are their attempts, by shard."""

    attempt_id: str
    result_prefix: str
    datastores: Mapping[str, Datastore]
    outputs: tuple[OutputOrder, ...]
    parts: Mapping[int, str]


def merge_order(paths: PodPaths, environ: Mapping[str, str]) -> MergeOrder:
    """Return the order of `merge`."""
    attempt = read_variable(environ, ATTEMPT_VARIABLE)
    document, step = planned_documents(paths, attempt)
    count = step.child("shards").number("count")
    told = [(one.number("attempt"), one.text("done"), one.text("pods")) for one in attempt.children("parts")]
    parts = shards_from(told, count)
    if len(parts) != count:
        raise OrderError(f"{ATTEMPT_VARIABLE} names {len(parts)} parts of {count} shards.")
    return MergeOrder(
        attempt_id=store_keys.shard_attempt_id(attempt.number("attempt"), pod_uid(environ)),
        result_prefix=step.text("resultPrefix"),
        datastores=datastores_of(document),
        outputs=tuple(output_order(output) for output in step.children("outputs")),
        parts=parts,
    )
