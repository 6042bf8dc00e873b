"""The file to which a step appends its metrics, one JSON line each. A metric never fails a step."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping

VARIABLE = "TOWPATH_METRICS"


class MetricFile:
    """Appends metrics; without a file it shows them on standard error."""

    def __init__(self, path: str | None) -> None:
        """Append to this file."""
        self._path = path

    @staticmethod
    def of(environ: Mapping[str, str]) -> MetricFile:
        """Return the file that the environment names."""
        return MetricFile(environ.get(VARIABLE))

    def write(self, name: str, value: object, step: int | None) -> None:
        """Append one number; what is none is said and left out."""
        number = _number(value)
        if number is None:
            sys.stderr.write(f"towpath: the metric {name} is no finite number, and is left out: {value!r}\n")
            return
        line = {"name": name, "value": number, **({} if step is None else {"step": step})}
        if self._path is None:
            sys.stderr.write(f"{name} = {number:g}\n")
            return
        # One write, appended: several processes of a step may log at once.
        opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(opened, (json.dumps(line) + "\n").encode())
        finally:
            os.close(opened)


def _number(value: object) -> float | None:
    if isinstance(value, (bool, str, bytes)):
        return None
    try:
        # Also what numpy and torch call a number.
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(number):
        return None
    return int(number) if isinstance(value, int) else number
