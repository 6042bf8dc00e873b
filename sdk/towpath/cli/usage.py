"""Versions and runs → how many bytes lie where, and whose they are. Pure: from what objects say, not from stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from towpath.backend import Manifest
from towpath.flow import store_keys


@dataclass(frozen=True)
class Held:
    """What one dataset or run holds in one datastore; `own` is false of data that Towpath did not write."""

    owner: str
    datastore: str
    items: int
    files: int
    bytes: int
    own: bool = True


def usage(versions: Iterable[Manifest], runs: Iterable[Manifest]) -> list[Held]:
    """What versions hold, by dataset, and what runs hold that is no version; the largest first.

    An inventory counts once, whoever refers to it. Versions of files in place count as what they name.
    """
    held: dict[tuple[str, str, bool], list[tuple[int, int]]] = {}
    seen: set[tuple[str, str]] = set()
    for owner, datastore, inventory, facts, own in (*_of_versions(versions), *_of_runs(runs)):
        if (datastore, inventory) not in seen:
            seen.add((datastore, inventory))
            held.setdefault((owner, datastore, own), []).append(facts)
    found = [
        Held(owner, datastore, len(facts), sum(one[0] for one in facts), sum(one[1] for one in facts), own)
        for (owner, datastore, own), facts in held.items()
    ]
    return sorted(found, key=lambda one: (-one.bytes, one.owner, one.datastore))


_Fact = tuple[str, str, str, tuple[int, int], bool]


def _of_versions(versions: Iterable[Manifest]) -> Iterator[_Fact]:
    for version in versions:
        spec = version["spec"]
        inventory = spec["inventory"]
        facts = spec["files"], spec["bytes"]
        own = bool(spec.get("producedBy"))
        yield f"dataset:{spec['dataset']}", inventory["datastore"], inventory["path"], facts, own


def _of_runs(runs: Iterable[Manifest]) -> Iterator[_Fact]:
    for run in runs:
        for step in (run.get("status") or {}).get("steps") or ():
            for output in step.get("outputs") or ():
                if _is_its_own(run, output):
                    facts = output["files"], output["bytes"]
                    owner = f"run:{run['metadata']['name']}"
                    yield owner, output["datastore"], output["inventory"], facts, True


def _is_its_own(run: Manifest, output: Mapping[str, Any]) -> bool:
    """Whether the run wrote it: what it took of another one is that one's."""
    meta = run["metadata"]
    folder = store_keys.run_folder(meta["name"], meta.get("uid") or "")
    attempt = store_keys.attempt_at(meta.get("namespace") or "", output["inventory"])
    return attempt is None or store_keys.run_folder_of(attempt) == folder
