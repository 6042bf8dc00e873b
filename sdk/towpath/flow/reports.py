"""What movers say in their termination message → typed facts. It was written beside user code: nothing is believed.

Sizes are bounded, types checked, names must be declared, and keys must lie where the plan said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from towpath.flow import store_keys
from towpath.flow.columns import Columns, unpacked
from towpath.flow.conditions import brief
from towpath.flow.contents import Content, Counted, InventoryRef
from towpath.flow.planned import PlannedOutput, PlannedStep
from towpath.flow.recorded import PublishedOutput
from towpath.flow.report_fields import (
    LIMIT_BYTES,
    UnreadableReportError,
    digest_of,
    is_number,
    object_of,
    path_of,
    report_of,
    seconds_of,
    size_of,
    text_of,
)

METRICS_LIMIT = 32
_WORD = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_MARKS = re.compile(r"([0-9a-f]{12}(,[0-9a-f]{12})*)?")


@dataclass(frozen=True)
class PublishReport:
    """A publisher that ended well: which attempt it was, perhaps of which shard, and what it wrote."""

    attempt: str
    outputs: tuple[PublishedOutput, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)
    shard: int | None = None


@dataclass(frozen=True)
class StageInReport:
    """What was staged in."""

    bytes: int
    seconds: float


@dataclass(frozen=True)
class FailureReport:
    """Why a mover ended otherwise: one word, and a sentence."""

    reason: str
    message: str


@dataclass(frozen=True)
class ExportReport:
    """The digest of what was copied, and how long that took."""

    digest: str
    seconds: float


@dataclass(frozen=True)
class InventoryReport:
    """What `take-inventory` found; `columns` by name and type, where it was asked for them and they fit."""

    content: Content
    columns: Columns = ()


@dataclass(frozen=True)
class VerificationReport:
    """Which outputs are there and which are gone, by the marks of their inventories, and why one of them is."""

    there: frozenset[str]
    gone: frozenset[str]
    why: str


@dataclass(frozen=True)
class SweepReport:
    """What a sweep deleted, or would have where `is_dry`, and how much it left because that is too young.

    `refused` attempts hold keys that cannot be deleted; `is_cut`: its time was up. `names` are prefixes, some of them.
    """

    attempts: int
    objects: int
    bytes: int
    young: int
    uploads: int = 0
    records: int = 0
    refused: int = 0
    inventories: int = 0
    copies: int = 0
    is_dry: bool = False
    is_cut: bool = False
    requested: str | None = None
    names: tuple[str, ...] = ()


def read_publish(text: str | None, step: PlannedStep) -> PublishReport:
    """The report of a publisher of this step; UnreadableReportError if it is none."""
    report = report_of(text)
    attempt = text_of(report.get("attempt"), 128)
    declared = {output.name: output for output in step.outputs}
    entries = report.get("outputs", [])
    if not isinstance(entries, list) or len(entries) > len(declared):
        raise UnreadableReportError("outputs are not a list of declared ones")
    outputs = tuple(_output(entry, declared, attempt) for entry in entries)
    if len({output.name for output in outputs}) != len(outputs):
        raise UnreadableReportError("an output is named twice")
    shard = size_of(report["shard"]) if "shard" in report else None
    return PublishReport(attempt, outputs, _metrics(report.get("metrics", {})), shard)


def read_stage_in(text: str | None) -> StageInReport | None:
    """The report of a stage-in, or None: it is told for information only."""
    try:
        report = report_of(text)
        return StageInReport(size_of(report.get("bytes")), seconds_of(report.get("seconds")))
    except UnreadableReportError:
        return None


def read_failure(text: str | None) -> FailureReport | None:
    """Why a mover failed, in its own words; None if it left none."""
    try:
        report = report_of(text)
        reason, message = text_of(report.get("reason"), 64), text_of(report.get("message"), LIMIT_BYTES)
    except UnreadableReportError:
        return None
    return FailureReport(reason, brief(message, 1000)) if _WORD.fullmatch(reason) else None


def read_inventory(text: str | None) -> InventoryReport:
    """The report of a taken inventory; UnreadableReportError if it is none."""
    report = report_of(text)
    return InventoryReport(_content(report), _columns(report.get("columns")))


def read_counts(text: str | None, views: int) -> tuple[Counted, ...]:
    """What so many views hold, in their order; UnreadableReportError if that is not said of each."""
    listed = report_of(text).get("views")
    if not isinstance(listed, list) or len(listed) != views:
        raise UnreadableReportError("it does not count each view")
    if not all(isinstance(numbers, list) and len(numbers) == 3 for numbers in listed):
        raise UnreadableReportError("a view's count is not files, bytes and scratchBytes")
    return tuple(Counted(*map(size_of, numbers)) for numbers in listed)


def read_probe(text: str | None) -> str | None:
    """The sentence of a probe that found the datastore usable, or None."""
    try:
        report = report_of(text)
    except UnreadableReportError:
        return None
    message = report.get("message")
    return brief(message if isinstance(message, str) else "") if report.get("ready") is True else None


def read_export(text: str | None) -> ExportReport | None:
    """The report of an exporter that ended well, or None if it is none."""
    try:
        report = report_of(text)
        return ExportReport(digest_of(report.get("digest")), seconds_of(report.get("seconds", 0)))
    except UnreadableReportError:
        return None


def read_sweep(text: str | None) -> SweepReport:
    """The report of a sweep; UnreadableReportError if it is none."""
    report = report_of(text)
    counts = (
        "attempts",
        "objects",
        "bytes",
        "young",
        "uploads",
        "records",
        "refused",
        "inventories",
        "copies",
    )
    prefixes = report.get("names", [])
    if not isinstance(prefixes, list):
        raise UnreadableReportError("names are not a list")
    return SweepReport(
        **{name: size_of(report.get(name, 0)) for name in counts},
        is_dry=report.get("dryRun") is True,
        is_cut=report.get("left") is True,
        requested=text_of(report["requested"], 256) if "requested" in report else None,
        names=tuple(text_of(prefix, LIMIT_BYTES) for prefix in prefixes),
    )


def read_verification(text: str | None) -> VerificationReport:
    """The report of `verify-outputs`; UnreadableReportError if it is none."""
    report = report_of(text)
    why = report.get("why")
    words = brief(why) if isinstance(why, str) else ""
    return VerificationReport(_marks(report.get("there")), _marks(report.get("gone")), words)


def _output(entry: object, declared: Mapping[str, PlannedOutput], attempt: str) -> PublishedOutput:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(name, str) or name not in declared:
        raise UnreadableReportError("an output is not a declared one")
    output = declared[name]
    planned = {
        "datastore": output.datastore,
        "path": store_keys.output_inventory_key(output.prefix, attempt, output.name),
    }
    # A report that would not fit leaves out what follows from the plan; what it says must agree with it.
    told = {"file": output.name} | entry | {"inventory": planned | object_of(entry.get("inventory"))}
    content = _content(told)
    where = {"datastore": content.inventory.datastore, "path": content.inventory.path}
    if where != planned or content.file not in (None, output.name):
        raise UnreadableReportError(f"output {output.name} lies elsewhere than planned")
    return PublishedOutput(output.name, content, seconds_of(entry.get("seconds", 0)))


def _content(entry: Mapping[str, Any]) -> Content:
    inventory = object_of(entry.get("inventory"))
    directory = entry.get("directory")
    if not isinstance(directory, bool):
        raise UnreadableReportError("it is not said whether it is a folder")
    reference = InventoryRef(
        datastore=text_of(inventory.get("datastore"), 253),
        path=path_of(inventory.get("path")),
        digest=digest_of(inventory.get("digest")),
    )
    files, size = size_of(entry.get("files")), size_of(entry.get("bytes"))
    return Content(
        inventory=reference,
        files=files,
        bytes=size,
        # Left out where a report would not fit: a block is lost per file, and perhaps one per folder.
        scratch_bytes=size_of(entry.get("scratchBytes", size + 8192 * (files + 1))),
        directory=directory,
        file=None if directory else path_of(entry.get("file")),
        datastores=_datastores(entry.get("datastores", [])) or (reference.datastore,),
    )


def _marks(value: object) -> frozenset[str]:
    if not isinstance(value, str) or not _MARKS.fullmatch(value):
        raise UnreadableReportError("marks of inventories are none")
    return frozenset(value.split(",")) - {""}


def _columns(value: object) -> Columns:
    if value is None:
        return ()
    try:
        return unpacked(text_of(value, LIMIT_BYTES))
    except ValueError as error:
        raise UnreadableReportError("the columns are none") from error


def _datastores(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 64:
        raise UnreadableReportError("datastores are not a short list")
    return tuple(text_of(name, 253) for name in value)


def _metrics(value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise UnreadableReportError("metrics are not an object")
    known = {name: number for name, number in value.items() if is_number(number) and 0 < len(name) <= 128}
    return {name: float(known[name]) for name in list(known)[:METRICS_LIMIT]}
