"""A mover's last words: the termination message from which the operator learns how it ended, at most 4,096 bytes.

What does not fit goes first: columns, metrics, then what the plan lets the operator derive. A report is never cut in
the middle, for then it could not be read at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from towpath_mover.inventory import Summary
    from towpath_mover.order import OutputOrder

FORMAT_VERSION = 1
LIMIT = 4096
# The kubelet shares 12 KiB among all containers of a pod and cuts what is longer: three are ours, a mesh adds two.
LIMIT_AMONG_FIVE = 12 * 1024 // 5
MESSAGE_LIMIT = 1000

Report = dict[str, Any]


def success(report: Mapping[str, Any]) -> Report:
    """Return the report of a mover that did what it was told."""
    return {"formatVersion": FORMAT_VERSION, **report}


def failure(reason: str, message: str) -> Report:
    """Return the report of a mover that did not."""
    shortened = message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
    return {"formatVersion": FORMAT_VERSION, "reason": str(reason), "message": shortened}


def written_output(
    output: OutputOrder, key: str, summary: Summary, *, directory: bool, seconds: float
) -> Report:
    """Return what a report says of one output whose inventory is written."""
    told: Report = {
        "name": output.name,
        "inventory": {"datastore": output.datastore, "path": key, "digest": summary.digest},
        "files": summary.files,
        "bytes": summary.bytes,
        "scratchBytes": summary.scratch_bytes,
        "directory": directory,
        "seconds": round(seconds, 3),
    }
    return told if directory else told | {"file": output.name}


def encode(report: Mapping[str, Any], limit: int | None = None) -> bytes:
    """Return the report as JSON, left whole or left out in parts until it fits."""
    encoded = _json(report)
    if limit is None or len(encoded) <= limit:
        return encoded
    for smaller in _smaller(dict(report)):
        encoded = _json(smaller)
        if len(encoded) <= limit:
            return encoded
    raise ValueError(f"the report has {len(encoded)} bytes at its smallest; {limit} is the limit")


def write(report: Mapping[str, Any], termination_log: Path) -> None:
    """Leave the report where the kubelet looks for it."""
    termination_log.write_bytes(_as_short_as_it_can_be(report))


def _as_short_as_it_can_be(report: Mapping[str, Any]) -> bytes:
    try:
        return encode(report, LIMIT_AMONG_FIVE)
    except ValueError:
        return encode(report, LIMIT)


def _smaller(report: Report) -> Iterator[Report]:
    if report.pop("columns", None):
        yield report | {"leftOut": ["columns"]}
    metrics = dict(report.get("metrics", {}))
    while metrics:
        metrics.popitem()
        yield report | {"metrics": metrics, "leftOut": ["metrics"]}
    report.pop("metrics", None)
    yield from _smaller_outputs(report)
    message = report.get("message", "")
    while message:
        message = message[: len(message) * 3 // 4]
        yield report | {"message": message + "…"}


def _smaller_outputs(report: Report) -> Iterator[Report]:
    """Leave out what can be done without: seconds; what follows from plan and attempt; what can be estimated."""
    outputs = [dict(output) for output in report.get("outputs", [])]
    if not outputs:
        return
    for output in outputs:
        output.pop("seconds", None)
    yield report | {"outputs": outputs, "leftOut": ["metrics", "seconds"]}
    for output in outputs:
        output.pop("file", None)
        output["inventory"] = {"digest": output["inventory"]["digest"]}
    yield report | {"outputs": outputs, "leftOut": ["metrics", "seconds", "inventories"]}
    for output in outputs:
        del output["scratchBytes"]
    yield report | {"outputs": outputs, "leftOut": ["metrics", "seconds", "inventories", "scratchBytes"]}


def _json(report: Mapping[str, Any]) -> bytes:
    text = json.dumps(report, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
