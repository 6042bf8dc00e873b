"""What runs and versions say → the attempts in a datastore that no sweep may delete.

The order of checks that makes a sweep and a reuse safe at once (docs/reference/sweep.md, "Reuse beside a sweep"):
whoever takes up what another run wrote puts it into its own status first, and looks after that whether it is lost
(`why_lost`). What was not lost then was not for any sweep before, and every sweep after reads the status.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from towpath.flow import names, store_keys

Json = Mapping[str, Any]


def is_finished(run: Json) -> bool:
    """Whether a run has come to its end."""
    return bool((run.get("status") or {}).get("completionTime"))


def folder_of(run: Json) -> str:
    """The folder of a run in every store."""
    return store_keys.run_folder(run["metadata"]["name"], run["metadata"]["uid"])


def named_by(run: Json, versions: Collection[str]) -> Iterator[str]:
    """The attempts that a run's status names; `versions` are the names of those that exist.

    Whatever field names it: what it wrote, what it took from another run, what it is about to take. Of its own
    outputs those do not count whose version is gone.
    """
    namespace = run["metadata"]["namespace"]
    for step in _steps(run):
        gone = {output["inventory"] for output in _outputs(step) if not _is_there(run, output, versions)}
        own = step.get("attemptId")
        if own:
            prefix = store_keys.result_prefix(namespace, *_identity(run), step["name"])
            yield f"{prefix}{own}/"
        for text in _texts(step):
            attempt = store_keys.attempt_at(namespace, text)
            if attempt is not None and text not in gone:
                yield attempt


def folders_wanted_by(run: Json) -> Iterator[str]:
    """The folders of runs of which an unfinished run is about to take up a step: all of them stay meanwhile."""
    for step in () if is_finished(run) else _steps(run):
        source = step.get("reusedFrom") or {}
        if source.get("uid"):
            yield store_keys.run_folder(source["run"], source["uid"])


def is_settled(run: Json, versions: Collection[str]) -> bool:
    """Whether nothing in a run's folders can go as long as it exists: no attempt failed, no version is gone."""
    return is_finished(run) and all(
        _went_well_at_once(step) and all(_is_there(run, output, versions) for output in _outputs(step))
        for step in _steps(run)
    )


def why_lost(run: Json, step: Json, is_version: Callable[[str], bool]) -> str | None:
    """Why outputs of a step of a run that exists may be swept at this moment, so that nobody may take them up.

    None only as long as no sweep can have begun to delete them: each version is there that one of them was. `step` is
    its entry in the run's status.
    """
    for output in _outputs(step):
        name = version_of(run, output) if "version" in output else None
        if name and not is_version(name):
            return f"output {output['name']} was version {name}, which is deleted"
    return None


def _went_well_at_once(step: Json) -> bool:
    attempt = step.get("attempt", 0)
    return attempt == 0 or (attempt == 1 and step.get("state") == "Succeeded")


def _is_there(run: Json, output: Json, versions: Collection[str]) -> bool:
    """Whether an output is no version, or one that exists, or another run's, of which that run may say so."""
    if "version" not in output or version_of(run, output) in versions:
        return True
    attempt = store_keys.attempt_at(run["metadata"]["namespace"], output["inventory"])
    return attempt is None or store_keys.run_folder_of(attempt) != folder_of(run)


def version_of(run: Json, output: Json) -> str:
    """The name of the version that an output was registered as."""
    folder = f"{run['metadata']['namespace']}/datasets/"
    dataset = output["inventory"].removeprefix(folder).partition("/")[0]
    return names.version_name(dataset, output["version"])


def _identity(run: Json) -> tuple[str, str]:
    return run["metadata"]["name"], run["metadata"]["uid"]


def _steps(run: Json) -> Iterable[Json]:
    steps: Iterable[Json] = (run.get("status") or {}).get("steps") or ()
    return steps


def _outputs(step: Json) -> Iterable[Json]:
    outputs: Iterable[Json] = step.get("outputs") or ()
    return outputs


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
