"""What the shards of a step logged → the metrics of the step: a mean of each name, and what else can be made of it.

A loss wants a mean and a count wants a sum, and nobody has said which is which: both are given. What a shard's result
says of its metrics may have been changed since; it is worth less than the step's work, and never a failure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from towpath_mover.metrics import MAX_METRICS, MAX_NAME, finite

# In this order, as far as all metrics of a step reach.
_SUMMARIES: Sequence[tuple[str, Callable[[Sequence[float]], float]]] = (
    ("", lambda values: math.fsum(values) / len(values)),
    ("/sum", math.fsum),
    ("/min", min),
    ("/max", max),
)


def united(shards: Iterable[object]) -> dict[str, float]:
    """Return the metrics of a step by those of its shards: NAME is the mean of those that logged it, then its sum,
    least and greatest value."""
    logged: dict[str, list[float]] = {}
    for metrics in shards:
        for name, value in metrics.items() if isinstance(metrics, Mapping) else ():
            number = finite(value)
            if isinstance(name, str) and number is not None:
                logged.setdefault(name, []).append(number)
    found: dict[str, float] = {}
    for suffix, summary in _SUMMARIES:
        for name, values in logged.items():
            if len(found) < MAX_METRICS and len(name + suffix) <= MAX_NAME:
                _add(found, name + suffix, summary, values)
    return found


def _add(
    found: dict[str, float], name: str, summary: Callable[[Sequence[float]], float], values: Sequence[float]
) -> None:
    try:
        number = summary(values)
    except OverflowError:
        return
    # What a step itself has called so is its own.
    if math.isfinite(number):
        found.setdefault(name, number)
