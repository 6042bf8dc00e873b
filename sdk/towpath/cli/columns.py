"""An object → its line in a table: what kubectl shows, in words for people. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from towpath.backend import Kind, Manifest
from towpath.cli.sizes import age, duration, seconds_between, size_for_people

Line = tuple[str, ...]
Row = Callable[[Manifest, datetime], Line]

HEADS: Mapping[Kind, Line] = {
    Kind.PIPELINE_RUN: ("NAME", "STATE", "STEPS", "IN", "OUT", "TOOK", "AGE", "MESSAGE"),
    Kind.DATASET: ("NAME", "READY", "VERSION", "FILES", "SIZE", "AGE", "MESSAGE"),
    Kind.DATASET_VERSION: ("NAME", "DATASET", "VERSION", "FILES", "SIZE", "FROM", "AGE"),
    Kind.PIPELINE: ("NAME", "READY", "STEPS", "AGE", "MESSAGE"),
    Kind.DATASTORE: ("NAME", "READY", "PLACE", "AGE", "MESSAGE"),
}
_PLACES = {
    "s3": ("s3://", "bucket"),
    "azureBlob": ("azure://", "container"),
    "gcs": ("gs://", "bucket"),
    "persistentVolumeClaim": ("claim ", "claimName"),
}


def line_of(kind: Kind, manifest: Manifest, now: datetime) -> Line:
    """The cells of an object, one for each head."""
    return _ROWS[kind](manifest, now)


def place_of(datastore: Manifest) -> str:
    """Where a Datastore's bytes lie, such as s3://ml-data/team-a/."""
    spec = datastore.get("spec") or {}
    for kind, (scheme, field) in _PLACES.items():
        if kind in spec:
            location = spec[kind]
            below = location.get("prefix") or location.get("subPath") or ""
            return f"{scheme}{location.get(field, '')}/{below}"
    return ", ".join(sorted(spec))


def condition_of(manifest: Manifest, type_: str) -> Mapping[str, Any]:
    """What is said of an object under this word; nothing where nobody has looked."""
    conditions = (manifest.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == type_), {})


def why_not_ready(manifest: Manifest) -> str:
    """Reason and message where an object is not Ready; empty where it is."""
    ready = condition_of(manifest, "Ready")
    if not ready:
        return "nobody has looked at it yet"
    return "" if ready.get("status") == "True" else f"{ready.get('reason')}: {ready.get('message')}"


def _run(run: Manifest, now: datetime) -> Line:
    status = run.get("status") or {}
    took = seconds_between(status.get("startTime"), status.get("completionTime"))
    said = status.get("message") or ""
    return (
        run["metadata"]["name"],
        status.get("state") or "New",
        status.get("progress") or "",
        size_for_people(status.get("bytesIn") or 0),
        size_for_people(status.get("bytesOut") or 0),
        duration(took),
        _age(run, now),
        "" if status.get("state") == "Succeeded" else said,
    )


def _dataset(dataset: Manifest, now: datetime) -> Line:
    status = dataset.get("status") or {}
    version = status.get("latestVersion")
    return (
        dataset["metadata"]["name"],
        _ready(dataset),
        "" if version is None else str(version),
        _count(status.get("files")),
        _size(status.get("bytes")),
        _age(dataset, now),
        why_not_ready(dataset),
    )


def _version(version: Manifest, now: datetime) -> Line:
    spec = version["spec"]
    maker = spec.get("producedBy")
    made = f"run:{maker['run']}/{maker['step']}/{maker['output']}" if maker else "sources"
    return (
        version["metadata"]["name"],
        spec["dataset"],
        str(spec["version"]),
        _count(spec.get("files")),
        _size(spec.get("bytes")),
        made,
        _age(version, now),
    )


def _pipeline(pipeline: Manifest, now: datetime) -> Line:
    steps = (pipeline.get("spec") or {}).get("steps") or ()
    return (
        pipeline["metadata"]["name"],
        _ready(pipeline),
        str(len(steps)),
        _age(pipeline, now),
        why_not_ready(pipeline),
    )


def _datastore(datastore: Manifest, now: datetime) -> Line:
    return (
        datastore["metadata"]["name"],
        _ready(datastore),
        place_of(datastore),
        _age(datastore, now),
        why_not_ready(datastore),
    )


def _ready(manifest: Manifest) -> str:
    return str(condition_of(manifest, "Ready").get("status", "Unknown"))


def _age(manifest: Manifest, now: datetime) -> str:
    return age(manifest["metadata"].get("creationTimestamp"), now)


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _size(number: int | None) -> str:
    return "" if number is None else size_for_people(number)


_ROWS: Mapping[Kind, Row] = {
    Kind.PIPELINE_RUN: _run,
    Kind.DATASET: _dataset,
    Kind.DATASET_VERSION: _version,
    Kind.PIPELINE: _pipeline,
    Kind.DATASTORE: _datastore,
}
