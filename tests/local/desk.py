"""A local workspace in a test's folder: pipelines in a few words, and an operator that ends with the test."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from towpath.backend import Container, Kind, Manifest
from towpath.local.backend import LocalBackend
from towpath.local.datastores import ensure_default
from towpath.local.places import FOLDER, LocalPlaces
from towpath.local.running import Wanted, follow_run, start_run
from towpath.local.waking import is_awake

DIGEST = "sha256:" + "5" * 64


@dataclass
class Desk:
    """What a test does at its workspace."""

    folder: Path
    backend: LocalBackend

    def put(self, path: str, data: bytes) -> None:
        """Write a file of the default datastore."""
        ensure_default(self.backend)
        with self.backend.open_store("default") as store:
            store.write(path, [data], len(data))

    def start(self, *manifests: Manifest, **wanted: Any) -> Manifest:
        """Begin a run of the pipeline among these manifests."""
        return start_run(self.backend, Wanted(manifests=manifests, **wanted)).run

    def run(self, *manifests: Manifest, **wanted: Any) -> Manifest:
        """Run it to its end."""
        return self.follow(self.start(*manifests, **wanted))

    def follow(self, run: Manifest) -> Manifest:
        """The run as it ended."""
        return follow_run(self.backend, run, lambda _: None)

    def said(self, run: Manifest, step: str, container: Container = Container.STEP) -> list[str]:
        """The lines of a step's log."""
        return [line.text for line in self.backend.logs(run, step, container)]

    def until(self, run: Manifest, step: str, words: str) -> None:
        """Wait until a step has said so."""
        deadline = time.monotonic() + 120
        while words not in self.said(run, step):
            assert time.monotonic() < deadline, f"step {step} never said {words!r}: {self.what_is()}"
            time.sleep(0.05)

    def what_is(self) -> str:
        """All that a failed wait may want to know."""
        log = self.backend.places.operator_log
        said = log.read_text()[-3000:] if log.exists() else "there is no operator's log"
        runs = [one.get("status") for one in self.backend.list_objects(Kind.PIPELINE_RUN)]
        return f"{json.dumps(runs, indent=1)}\n{said}"

    def step_of(self, run: Manifest, step: str) -> Mapping[str, Any]:
        """The status of a step of the run as it is now."""
        now = self.backend.get(Kind.PIPELINE_RUN, run["metadata"]["name"]) or {}
        found: Mapping[str, Any] = next(one for one in now["status"]["steps"] if one["name"] == step)
        return found

    def operator(self) -> int:
        """The process that reconciles the workspace."""
        return int(self.backend.places.operator_lock.read_text())


@contextmanager
def a_desk(folder: Path) -> Iterator[Desk]:
    """A workspace, whose operator is ended at last."""
    desk = Desk(folder, LocalBackend(LocalPlaces(folder / FOLDER)))
    try:
        yield desk
    finally:
        while is_awake(desk.backend.places):
            with suppress(ProcessLookupError, ValueError):
                os.kill(desk.operator(), signal.SIGTERM)
            time.sleep(0.02)


def pipeline(*steps: Mapping[str, Any], name: str = "tried", **spec: Any) -> Manifest:
    """A pipeline of these steps."""
    return {
        "apiVersion": "towpath.dev/v1alpha1",
        "kind": "Pipeline",
        "metadata": {"name": name},
        "spec": {"steps": list(steps)} | spec,
    }


def dataset(name: str, *paths: str, **spec: Any) -> Manifest:
    """A dataset of files of the default datastore."""
    return {
        "apiVersion": "towpath.dev/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": name},
        "spec": {"sources": [{"path": path, "hash": "Content"} for path in paths]} | spec,
    }


def step(name: str, code: str, *args: str, **more: Any) -> dict[str, Any]:
    """A step that runs a few lines of Python."""
    inline = {"inline": {"step.py": code}}
    return {"name": name, "command": ["python3", "step.py", *args], "code": inline} | more


def processes_of(folder: Path) -> list[int]:
    """The living processes that run in a folder, or were started with its path."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace")
                where = str((entry / "cwd").readlink())
                if str(folder) in words or where.startswith(str(folder)):
                    found.append(int(entry.name))
    return found


def names_of(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of objects."""
    return [str(item["metadata"]["name"]) for item in items]
