"""A step's pod without a kubelet: its folders below another root, and its containers as processes of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from cluster.store import Identity
from mover.loaded import patient
from towpath.flow import documents, names, store_keys
from towpath.flow.contents import Content, InventoryRef, PinnedVersion
from towpath.flow.planned import (
    Plan,
    PlannedCode,
    PlannedInput,
    PlannedOutput,
    PlannedShards,
    PlannedStep,
    RunIdentity,
    StepOutputRef,
)
from towpath.flow.planned_datastores import PlannedDatastore
from towpath.flow.shard_status import shards_document
from towpath_mover.launcher import IMAGE_BUSYBOX, launcher_command, publish_command

NAMESPACE = "team-a"
RUN = RunIdentity("iris", "0123abcd-0000-0000-0000-000000000000", NAMESPACE)
POD_UID = "99999999-0000-0000-0000-000000000000"
ATTEMPT_ID = f"1-{POD_UID}"
UNREACHABLE = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Ended:
    """How a container ended: exit code, termination message, and what it logged."""

    code: int
    report: dict[str, Any]
    errors: str
    output: str


@dataclass
class Pod:
    """One attempt of one step, or of the shard at a place among those that it runs.

    `root` stands for /towpath; `transforms`, `allow_empty`, `mounted`, `format` and `file` are of
    every input, which with a format is a version of a Tabular dataset, and otherwise an output of another step. With
    `shows_mount` or `has_sidecar` the pod mounts the datastore."""

    root: Path
    datastore: PlannedDatastore
    identity: Identity | None
    inputs: Sequence[tuple[str, Mapping[str, Any]]] = ()
    outputs: Sequence[PlannedOutput] = ()
    code: PlannedCode | None = None
    transforms: Sequence[Mapping[str, Any]] = ()
    allow_empty: bool = False
    mounted: bool = False
    shows_mount: bool = False
    has_sidecar: bool = False
    format: Mapping[str, Any] | None = None
    file: str | None = None
    shards: PlannedShards | None = None
    running: str = ""
    place: int = 0
    uid: str = POD_UID
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not Path(IMAGE_BUSYBOX).exists():
            pytest.skip("needs Debian's busybox-static")
        for folder in ("plan", "outputs", "inputs", "bin", "context", "tmp"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        if self.identity:
            self.give_keys(self.identity)
        packed = documents.pack(documents.write(self.plan()))
        (self.root / "plan/run.json.gz").write_bytes(packed["run"])
        (self.root / "plan/step.json.gz").write_bytes(packed["step-prep"])
        self.environ = self.environment()

    def give_keys(self, identity: Identity) -> None:
        """Mount the Secret, or replace what is in it."""
        folder = self.root / "credentials" / self.datastore.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "AWS_ACCESS_KEY_ID").write_text(identity.access_key)
        (folder / "AWS_SECRET_ACCESS_KEY").write_text(identity.secret_key)

    def plan(self) -> Plan:
        step = PlannedStep(
            name="prep",
            image="image",
            command=("true",),
            args=(),
            inputs=tuple(
                PlannedInput(
                    name,
                    f"{names.CONTAINER_INPUTS}/{name}",
                    self._source(inventory),
                    allow_empty=self.allow_empty,
                    transforms=tuple(self.transforms),
                    is_mounted=self.mounted,
                )
                for name, inventory in self.inputs
            ),
            outputs=tuple(self.outputs),
            depends_on=(),
            result_prefix=store_keys.result_prefix(NAMESPACE, RUN.name, RUN.uid, "prep"),
            contract={},
            code=self.code,
            shards=self.shards,
        )
        return Plan(RUN, "iris", {"share": "80"}, (step,), (self.datastore,), "mover", "cluster")

    def _source(self, inventory: Mapping[str, Any]) -> PinnedVersion | StepOutputRef:
        if self.format is None:
            return StepOutputRef("before", "out")
        place, file = InventoryRef(**inventory), self.file
        return PinnedVersion("rows", 1, Content(place, 1, 1, 1, file is None, file, format=self.format))

    def environment(self) -> dict[str, str]:
        file = {"file": self.file} if self.file else {}
        given = [{"name": name, "inventory": dict(inventory)} | file for name, inventory in self.inputs]
        attempt: dict[str, Any] = {"attempt": 1, "inputs": given}
        attempt |= {"shards": self.running} if self.shards else {}
        attempt |= {"mounted": [self.datastore.name]} if self.shows_mount else {}
        attempt |= {"mountedAt": {self.datastore.name: self.sidecar_folder}} if self.has_sidecar else {}
        return {
            "PATH": os.environ["PATH"],
            "TOWPATH_ROOT": str(self.root),
            "TOWPATH_TERMINATION_LOG": str(self.root / "termination-log"),
            "TOWPATH_POD_UID": self.uid,
            "TOWPATH_ATTEMPT": json.dumps(attempt),
            "COVERAGE_PROCESS_START": "",
            **({names.INDEX_VARIABLE: str(self.place)} if self.shards else {}),
        }

    @property
    def sidecar_folder(self) -> str:
        """Where a FUSE sidecar mounts the datastore."""
        return f"{names.CONTAINER_FUSE}/mounts/{self.datastore.name}"

    def stage_in(self) -> Ended:
        """Run the init container to its end."""
        return self._run("stage-in")

    def publish(self, said: str = "0\n") -> Ended:
        """Run `publish` as if this had come through the FIFO."""
        return self._run("publish", f"{said}.")

    def merge(self, parts: Mapping[int, str]) -> Ended:
        """Make one output of what these attempts have published, by shard, as another attempt."""
        told = {"attempt": 9, "parts": shards_document(parts)}
        self.environ = self.environ | {"TOWPATH_ATTEMPT": json.dumps(told)}
        return self._run("merge")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a mover, for who stops it or reads what it says meanwhile."""
        return self._start([sys.executable, "-m", "towpath_mover", *arguments])

    def run_step(self, *command: str) -> tuple[int, Ended]:
        """Run `step` and `publish` beside each other, as in the pod; the step's exit code, and how publish ended."""
        waiting = self._start(publish_command(f"{self.root}/bin/alive", sys.executable))
        launched = launcher_command(command, None, 5, f"{self.root}/bin")
        code = subprocess.run(launched, cwd=self.root / "work", check=False).returncode
        return code, self.end(waiting)

    def end(self, process: subprocess.Popen[str]) -> Ended:
        output, errors = process.communicate(timeout=60)
        return ended(self.root, process.returncode, errors, output)

    def _run(self, *arguments: str) -> Ended:
        code, errors, held = patient().run(arguments, self.environ)
        return ended(self.root, code, errors, str(held))

    def _start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environ, stdout=pipe, stderr=pipe, text=True)


def ended(root: Path, code: int, errors: str, output: str = "") -> Ended:
    """What a container that ended so left behind."""
    log = root / "termination-log"
    message = log.read_bytes() if log.exists() else b""
    assert len(message) <= 4096
    log.unlink(missing_ok=True)
    return Ended(code, json.loads(message) if message else {}, errors, output)


def datastore(space: Space, **location: Any) -> PlannedDatastore:
    """The datastore whose prefix is a test's space; `location` changes where it is."""
    s3 = space.s3
    described = {"bucket": s3.bucket, "prefix": space.prefix, "endpoint": s3.endpoint, "region": s3.region}
    return PlannedDatastore("default", described | location, credentials_secret="s3-creds")


def output(name: str, **changes: Any) -> PlannedOutput:
    """An output at its usual place."""
    prefix = store_keys.result_prefix(NAMESPACE, RUN.name, RUN.uid, "prep")
    planned = PlannedOutput(name, f"{names.CONTAINER_OUTPUTS}/{name}", "default", prefix)
    return replace(planned, **changes)


def inventory_of(report: Mapping[str, Any], name: str) -> InventoryRef:
    """Where a report says that an output's inventory lies."""
    found = next(output for output in report["outputs"] if output["name"] == name)["inventory"]
    return InventoryRef(found["datastore"], found["path"], found["digest"])


def content_of(folder: Path) -> dict[str, tuple[bytes, bool]]:
    """Every file below a folder, and whether it may be executed."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(file.relative_to(folder)): (file.read_bytes(), os.access(file, os.X_OK)) for file in files}


def write_files(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files and the folders that they need."""
    for name, content in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
