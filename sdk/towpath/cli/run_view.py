"""A run's object and its plan → one picture of it, for `describe`, `why`, `lineage` and the report. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from towpath.backend import Manifest
from towpath.cli.sizes import moment
from towpath.flow import graph
from towpath.flow.contents import PinnedVersion
from towpath.flow.documents import UnreadablePlanError
from towpath.flow.planned import Plan, PlannedInput, PlannedOutput, PlannedStep, StepOutputRef
from towpath.flow.restore import restore

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Data:
    """How much data, and which; None where nobody knows yet."""

    files: int | None = None
    bytes: int | None = None
    digest: str | None = None


@dataclass(frozen=True)
class InputView:
    """What a step reads: a version of a dataset, an output of another step (`step`), or sources in place."""

    name: str
    words: str
    data: Data = Data()
    dataset: str | None = None
    version: int | None = None
    step: str | None = None
    output: str | None = None
    transforms: tuple[Json, ...] = ()


@dataclass(frozen=True)
class OutputView:
    """What a step writes, and the version that it became; `dataset` is what it is, or was, to be registered as."""

    name: str
    datastore: str
    data: Data = Data()
    seconds: float | None = None
    dataset: str | None = None
    version: int | None = None
    inventory: str | None = None
    export: str | None = None


@dataclass(frozen=True)
class StepView:
    """One step as planned and as it went; `status` is its entry in the run's status."""

    name: str
    status: Json
    inputs: tuple[InputView, ...] = ()
    outputs: tuple[OutputView, ...] = ()
    after: tuple[str, ...] = ()
    planned: PlannedStep | None = None

    @property
    def state(self) -> str:
        """Where it stands."""
        return str(self.status.get("state") or "Pending")

    @property
    def started(self) -> datetime | None:
        """When its latest attempt started."""
        return moment(self.status.get("startTime"))

    @property
    def ended(self) -> datetime | None:
        """When it ended."""
        return moment(self.status.get("completionTime"))

    @property
    def seconds(self) -> float | None:
        """How long its latest attempt took, transfers and all; nothing of a step that was taken from earlier work."""
        if self.started is None or self.ended is None or self.status.get("reusedFrom"):
            return None
        return (self.ended - self.started).total_seconds()


@dataclass(frozen=True)
class RunView:
    """One run."""

    manifest: Manifest
    plan: Plan | None
    steps: tuple[StepView, ...] = ()
    notes: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its object's name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def status(self) -> Json:
        """Its status, empty where nobody has looked at it yet."""
        return self.manifest.get("status") or {}

    @property
    def pipeline(self) -> str:
        """The Pipeline that it runs, or what it has in its place."""
        spec = self.manifest.get("spec") or {}
        given = (spec.get("pipelineRef") or {}).get("name") or (self.plan.pipeline if self.plan else "")
        retried = (spec.get("retryOf") or {}).get("name")
        return given or (f"of run {retried}" if retried else "its own")

    def step(self, name: str) -> StepView | None:
        """The step of this name."""
        return next((step for step in self.steps if step.name == name), None)


def view_of(run: Manifest, documents: Mapping[str, Manifest] | None) -> RunView:
    """The picture of a run; a plan that is gone or of another release leaves out what only it says."""
    plan = _restored(documents)
    status = run.get("status") or {}
    entries = {entry["name"]: entry for entry in status.get("steps") or ()}
    if plan is None:
        return RunView(run, None, tuple(_unplanned(entry) for entry in entries.values()))
    steps = tuple(_step(step, entries.get(step.name) or {"name": step.name}, entries) for step in plan.steps)
    return RunView(run, plan, steps, plan.notes, plan.params)


def source_words(given: PlannedInput) -> str:
    """Where an input comes from: iris@3, step prep output clean, raw/*.csv in default."""
    source = given.source
    if isinstance(source, StepOutputRef):
        return f"{source.step}/{source.output}"
    if isinstance(source, PinnedVersion):
        return f"{source.dataset}@{source.version}"
    return ", ".join(_place(one) for one in source.sources) or "its source"


def _restored(documents: Mapping[str, Manifest] | None) -> Plan | None:
    try:
        return restore(documents) if documents else None
    except UnreadablePlanError:
        return None


def _step(step: PlannedStep, entry: Json, entries: Mapping[str, Json]) -> StepView:
    written = {output["name"]: output for output in entry.get("outputs") or ()}
    return StepView(
        name=step.name,
        status=entry,
        inputs=tuple(_input(given, entries) for given in step.inputs),
        outputs=tuple(_output(output, written.get(output.name) or {}) for output in step.outputs),
        after=tuple(sorted(graph.upstream(step))),
        planned=step,
    )


def _unplanned(entry: Json) -> StepView:
    outputs = entry.get("outputs") or ()
    return StepView(entry["name"], entry, outputs=tuple(_published(one["name"], one) for one in outputs))


def _input(given: PlannedInput, entries: Mapping[str, Json]) -> InputView:
    words, source = source_words(given), given.source
    if isinstance(source, StepOutputRef):
        written = _written(entries.get(source.step) or {}, source.output)
        made = _data(written)
        return InputView(given.name, words, made, None, None, source.step, source.output, given.transforms)
    held = given.counted or source.content
    data = Data(held.files, held.bytes, source.content.inventory.digest)
    if isinstance(source, PinnedVersion):
        return InputView(given.name, words, data, source.dataset, source.version, transforms=given.transforms)
    return InputView(given.name, words, data, transforms=given.transforms)


def _written(entry: Json, output: str) -> Json:
    outputs: Iterable[Json] = entry.get("outputs") or ()
    return next((one for one in outputs if one.get("name") == output), {})


def _output(output: PlannedOutput, written: Json) -> OutputView:
    if written:
        dataset = output.register.dataset if output.register else None
        return _published(output.name, written, dataset)
    dataset = output.register.dataset if output.register else None
    return OutputView(output.name, output.datastore, dataset=dataset)


def _published(name: str, written: Json, dataset: str | None = None) -> OutputView:
    return OutputView(
        name=name,
        datastore=str(written.get("datastore") or ""),
        data=_data(written),
        seconds=written.get("seconds"),
        dataset=dataset,
        version=written.get("version"),
        inventory=written.get("inventory"),
        export=(written.get("export") or {}).get("state"),
    )


def _data(written: Json) -> Data:
    return Data(written.get("files"), written.get("bytes"), written.get("digest"))


def _place(source: Json) -> str:
    return str(source["url"]) if "url" in source else f"{source.get('path')} in {source.get('datastore')}"
