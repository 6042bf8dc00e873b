"""`merge`: the parts that all shards of a step have published → one output each, and the attempt's result.

Nothing is copied: an inventory is written that says where each file lies. The parts' own results say which digests
their inventories must have.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from towpath.flow import store_keys
from towpath_mover import ahead, report
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root, Summary
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.inventory_sort import in_order
from towpath_mover.inventory_writer import write_sorted
from towpath_mover.merge_order import MergeOrder, merge_order
from towpath_mover.objects import commit_object, open_inventory, read_object
from towpath_mover.open_stores import OpenStores
from towpath_mover.order import OutputOrder
from towpath_mover.paths import shown
from towpath_mover.pod_paths import PodPaths, pod_paths
from towpath_mover.shard_metrics import united
from towpath_mover.stores import Store
from towpath_mover.transfer import WHOLE, MiB, Work

_RESULT = MiB


class _Part(NamedTuple):
    """What one shard has published of one output."""

    shard: int
    roots: tuple[Root, ...]
    inventory: str
    digest: str
    files: int
    directory: bool


def run(arguments: Sequence[str], environ: Mapping[str, str]) -> report.Report:  # noqa: ARG001 - every mover has both
    """Unite the parts of every output, write the result, and report both."""
    started = time.monotonic()
    paths = pod_paths(environ)
    order = merge_order(paths, environ)
    # One for all: it holds the connections of those who fetch at once.
    stores = OpenStores(order.datastores, paths.places)
    parts, metrics = _published(order, stores)
    written = [output for output in order.outputs if parts[output.name]]
    outputs = [_merge(output, parts[output.name], order, stores, paths) for output in written]
    result: report.Report = {"attempt": order.attempt_id, "outputs": outputs}
    result["metrics"] = united(metrics)
    result["seconds"] = round(time.monotonic() - started, 3)
    store = stores.store(order.outputs[0].datastore)
    key = store_keys.result_key(order.result_prefix, order.attempt_id)
    commit_object(store, key, report.encode(report.success(result)))
    return result


def _published(order: MergeOrder, stores: OpenStores) -> tuple[dict[str, list[_Part]], list[object]]:
    """Return the parts of each output, and what the shards say of their metrics, in the order of the shards."""
    store = stores.store(order.outputs[0].datastore)
    found: dict[str, list[_Part]] = {output.name: [] for output in order.outputs}
    metrics: list[object] = []
    work = Work[tuple[int, str], dict[str, Any]](lambda _: _RESULT, lambda part: _result(store, order, *part))
    for (shard, attempt), result in ahead.in_order(sorted(order.parts.items()), work):
        metrics.append(result["metrics"])
        for output in order.outputs:
            if output.name in result["outputs"]:
                found[output.name].append(_part(output, shard, attempt, result["outputs"][output.name]))
    return found, metrics


def _result(store: Store, order: MergeOrder, shard: int, attempt: str) -> dict[str, Any]:
    """What a shard's result says: of its outputs by name, and of its metrics."""
    key = store_keys.result_key(order.result_prefix, attempt)
    try:
        result = json.loads(read_object(store, key))
        if (result["attempt"], result["shard"]) == (attempt, shard):
            outputs = {output["name"]: output for output in result["outputs"]}
            return {"outputs": outputs, "metrics": result.get("metrics")}
    except (ValueError, TypeError, KeyError):
        pass
    message = (
        f"{store.where(key)} is not the result of shard {shard}: it was changed since the shard wrote it."
    )
    raise MoverFailure(Reason.OUTPUT_CHANGED, message)


def _part(output: OutputOrder, shard: int, attempt: str, told: Mapping[str, Any]) -> _Part:
    return _Part(
        shard=shard,
        roots=_roots(output, attempt),
        inventory=store_keys.output_inventory_key(output.prefix, attempt, output.name),
        digest=told["inventory"]["digest"],
        files=told["files"],
        directory=told["directory"],
    )


def _roots(output: OutputOrder, attempt: str) -> tuple[Root, ...]:
    """Where the files of a part lie, as its publisher says it too."""
    place = (output.prefix, attempt, output.name)
    prefixes = [
        store_keys.output_data_prefix(*place),
        *([store_keys.output_packs_prefix(*place)] if output.packed else []),
    ]
    return tuple(Root(output.datastore, prefix) for prefix in prefixes)


def _merge(
    output: OutputOrder, parts: Sequence[_Part], order: MergeOrder, stores: OpenStores, paths: PodPaths
) -> dict[str, Any]:
    started = time.monotonic()
    directory = _is_directory(output, parts)
    store = stores.store(output.datastore)
    key = store_keys.output_inventory_key(output.prefix, order.attempt_id, output.name)
    file = paths.scratch / f"merged-{os.getpid()}-{output.name}"
    try:
        summary = _write(file, parts, store, paths.scratch)
        commit_object(store, key, file)
    finally:
        file.unlink(missing_ok=True)
    return report.written_output(
        output, key, summary, directory=directory, seconds=time.monotonic() - started
    )


def _is_directory(output: OutputOrder, parts: Sequence[_Part]) -> bool:
    """Whether the whole is a folder: it is a file only where one shard wrote it, and no other wrote anything."""
    files = [part.shard for part in parts if not part.directory]
    if len(files) > 1:
        raise _duplicate(output.path, files[0], files[1])
    others = [part.shard for part in parts if part.directory and part.files]
    if files and others:
        message = (
            f"Output {output.name!r}: shard {files[0]} wrote a file at {shown(output.path)}, and shard {others[0]} a"
            " folder. Let every shard write a folder."
        )
        raise MoverFailure(Reason.OUTPUT_WRONG_KIND, message)
    return not files


def _write(file: Path, parts: Sequence[_Part], store: Store, scratch: Path) -> Summary:
    written = [part for part in parts if part.files] or parts[:1]
    entries = in_order(_entries(written, store, scratch), file.parent)
    roots = [root for part in written for root in part.roots]
    return write_sorted(file, roots, _each_once(entries, written)).summary


def _entries(parts: Sequence[_Part], store: Store, scratch: Path) -> Iterator[Entry]:
    work = Work[_Part, InventoryReader](
        lambda _: WHOLE, lambda part: open_inventory(store, part.inventory, part.digest, scratch)
    )
    before = 0
    for part, reader in ahead.in_order(parts, work):
        _check_roots(part, reader)
        for entry in reader.entries():
            yield entry._replace(root=before + entry.root)
        before += len(part.roots)


def _check_roots(part: _Part, reader: InventoryReader) -> None:
    if reader.roots != part.roots:
        message = (
            f"The inventory of shard {part.shard} says that its files lie elsewhere than that shard wrote."
        )
        raise MoverFailure(Reason.OUTPUT_CHANGED, message)


def _each_once(entries: Iterable[Entry], parts: Sequence[_Part]) -> Iterator[Entry]:
    roots = len(parts[0].roots)
    last: Entry | None = None
    for entry in entries:
        if last is not None and last.path == entry.path:
            first, second = sorted(parts[one.root // roots].shard for one in (last, entry))
            raise _duplicate(entry.path, first, second)
        last = entry
        yield entry


def _duplicate(path: str, first: int, second: int) -> MoverFailure:
    message = (
        f"Shards {first} and {second} both wrote the file {shown(path)}, and an output can hold it once. Let each write"
        " into the output's folder under names of its own, such as with its number in TOWPATH_SHARD."
    )
    return MoverFailure(Reason.DUPLICATE_PATH, message)
