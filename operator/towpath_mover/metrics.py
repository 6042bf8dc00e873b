"""The metrics that a step logged, read from a file of JSON lines; what the step wrote there is hostile input.

A metric is worth less than a step's work: lines that cannot be read are passed over, never a failure.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path

MAX_METRICS = 32
MAX_NAME = 128
MAX_BYTES = 16 << 20
MAX_LINE = 64 << 10


def read_metrics(file: Path) -> dict[str, float]:
    """Return the last value of each metric, of the 32 that were logged last."""
    metrics: dict[str, float] = {}
    for name, value in _logged(file):
        metrics.pop(name, None)
        metrics[name] = value
        if len(metrics) > MAX_METRICS:
            del metrics[next(iter(metrics))]
    return metrics


def _logged(file: Path) -> Iterator[tuple[str, float]]:
    try:
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    status = os.fstat(opened)
    if not stat.S_ISREG(status.st_mode):
        os.close(opened)
        return
    with os.fdopen(opened, "rb") as lines:
        if status.st_size > MAX_BYTES:
            # The end holds the last values; the line that this cuts is not JSON and is passed over.
            lines.seek(-MAX_BYTES, os.SEEK_END)
        while line := lines.readline(MAX_LINE):
            metric = _metric(line)
            if metric:
                yield metric


def _metric(line: bytes) -> tuple[str, float] | None:
    try:
        logged = json.loads(line)
        name, value = logged["name"], logged["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        return None
    number = finite(value)
    return None if number is None else (name, number)


def finite(value: object) -> float | None:
    """Return a value as the number that it is; None for what is none, or has no word in JSON."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
