"""`towpath run --local`: manifests and folders → a run of a local workspace, followed to its end."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from towpath.backend import Kind, Manifest
from towpath.errors import InvalidObjectError, UserErrorException
from towpath.flow import names
from towpath.local.backend import LocalBackend
from towpath.local.datastores import apply_folder, ensure_default, is_of_this_machine
from towpath.local.descendants import started_at
from towpath.local.support import notes_on, pipeline_spec_of

_MOMENT_SECONDS = 0.2
_NO_TARGET: Mapping[str, Any] = {"template": {"spec": {"containers": []}}}


@dataclass(frozen=True)
class Wanted:
    """What to run, and how. `folders` are datastores by name and the folder that stands for each.

    `engine` is a container engine that runs the steps' images; without one, steps are processes.
    """

    manifests: Sequence[Manifest] = ()
    pipeline: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)
    reuse: bool = True
    engine: str | None = None


@dataclass(frozen=True)
class Started:
    """A run that was created, and what will not be as on a cluster."""

    run: Manifest
    notes: tuple[str, ...]


def start_run(backend: LocalBackend, wanted: Wanted) -> Started:
    """Apply what the manifests define and create the run; it is cancelled when this process ends before it."""
    by_kind = _by_kind(wanted.manifests)
    notes = list(_apply_datastores(backend, by_kind, wanted.folders))
    for kind in (Kind.CONFIG_MAP, Kind.SECRET, Kind.POD_TEMPLATE, Kind.DATASET, Kind.PIPELINE):
        for manifest in by_kind.get(kind, ()):
            backend.apply(manifest)
    made = _run_of(wanted, by_kind)
    make_targets(backend, made)
    _annotate(made, {names.LOCAL_ENGINE_ANNOTATION: wanted.engine} if wanted.engine else {})
    notes += notes_on(made, backend)
    told = {names.LOCAL_FOLLOWER_ANNOTATION: f"{os.getpid()}/{started_at(os.getpid())}"}
    told |= {names.LOCAL_NOTES_ANNOTATION: json.dumps(notes)} if notes else {}
    _annotate(made, told)
    return Started(backend.create(made), tuple(notes))


def _annotate(made: Manifest, told: Mapping[str, str]) -> None:
    made["metadata"]["annotations"] = dict(made["metadata"].get("annotations") or {}) | dict(told)


def follow_run(backend: LocalBackend, run: Manifest, seen: Callable[[Manifest], None]) -> Manifest:
    """Tell of each change until the run has ended. Ctrl-C cancels it, and this waits until nothing of it runs."""
    name, version = str(run["metadata"]["name"]), ""
    with _noting_signals() as noted:
        while (item := _next(backend, name, version)) is not None:
            if item["metadata"]["resourceVersion"] != version:
                version = item["metadata"]["resourceVersion"]
                seen(item)
            if (item.get("status") or {}).get("completionTime"):
                return item
            if noted.is_set():
                noted.clear()
                backend.patch(Kind.PIPELINE_RUN, name, {"spec": {"cancel": True}})
    raise UserErrorException(f"PipelineRun {name} was deleted while it ran.")


def run_pipeline(
    backend: LocalBackend, wanted: Wanted, seen: Callable[[Manifest], None] = lambda _: None
) -> Manifest:
    """Start a run and follow it; the run as it ended."""
    return follow_run(backend, start_run(backend, wanted).run, seen)


def _next(backend: LocalBackend, name: str, version: str) -> Manifest | None:
    """The run when it has changed, or as it is after a moment; None if it is gone."""
    watched = backend.watch(Kind.PIPELINE_RUN, name, _MOMENT_SECONDS)
    return next((item for item in watched if item["metadata"]["resourceVersion"] != version), None) or (
        backend.get(Kind.PIPELINE_RUN, name)
    )


@contextmanager
def _noting_signals() -> Iterator[Event]:
    # Only noted: whatever it interrupts may hold the lock that a cancelling write needs.
    noted = Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: noted.set()) for number in numbers}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _by_kind(manifests: Iterable[Manifest]) -> dict[Kind, list[Manifest]]:
    found: dict[Kind, list[Manifest]] = {}
    for manifest in manifests:
        try:
            found.setdefault(Kind(str(manifest.get("kind"))), []).append(manifest)
        except ValueError:
            words = f"A run cannot make a {manifest.get('kind')!r}; it knows {', '.join(Kind)}."
            raise InvalidObjectError(words) from None
    return found


def _apply_datastores(
    backend: LocalBackend, by_kind: Mapping[Kind, list[Manifest]], folders: Mapping[str, Path]
) -> Iterator[str]:
    for name, folder in folders.items():
        apply_folder(backend, name, folder)
    for manifest in by_kind.get(Kind.DATASTORE, ()):
        name = str(manifest["metadata"]["name"])
        if name in folders or is_of_this_machine(backend, name):
            continue
        if name != names.DEFAULT_DATASTORE:
            raise UserErrorException(
                f"Datastore {name} is a place of a cluster's. Say which folder stands for it here: "
                f"--datastore {name}=FOLDER"
            )
        yield f"Datastore {name}: here it is the folder {backend.places.store}."
    ensure_default(backend)


def _run_of(wanted: Wanted, by_kind: Mapping[Kind, list[Manifest]]) -> Manifest:
    runs, pipelines = by_kind.get(Kind.PIPELINE_RUN, []), by_kind.get(Kind.PIPELINE, [])
    if len(runs) > 1:
        raise UserErrorException(f"There are {len(runs)} PipelineRuns in the file: leave one.")
    if runs:
        made = json.loads(json.dumps(runs[0]))
    else:
        name = wanted.pipeline or _only(pipelines)
        made = {
            "apiVersion": names.API_VERSION,
            "kind": str(Kind.PIPELINE_RUN),
            "metadata": {"generateName": f"{name}-"},
            "spec": {"pipelineRef": {"name": name}},
        }
    if wanted.params:
        made["spec"]["params"] = dict(made["spec"].get("params") or {}) | dict(wanted.params)
    if not wanted.reuse:
        made["spec"]["reuse"] = False
    return dict(made)


def _only(pipelines: Sequence[Manifest]) -> str:
    if len(pipelines) == 1:
        return str(pipelines[0]["metadata"]["name"])
    known = ", ".join(str(one["metadata"]["name"]) for one in pipelines) or "none"
    raise UserErrorException(f"Say which pipeline to run; the file holds {known}.")


def make_targets(backend: LocalBackend, run: Mapping[str, Any]) -> None:
    """Let the compute targets that steps name exist: a process has no use for what they say."""
    spec = pipeline_spec_of(run, backend)
    steps = [spec.get("stepDefaults") or {}, *(spec.get("steps") or ())]
    for target in {step["computeTarget"] for step in steps if step.get("computeTarget")}:
        if backend.get(Kind.POD_TEMPLATE, target) is None:
            template = {"apiVersion": "v1", "kind": str(Kind.POD_TEMPLATE), "metadata": {"name": target}}
            backend.create({**template, **_NO_TARGET})
