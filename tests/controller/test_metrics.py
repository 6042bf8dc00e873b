"""Each series is documented, and nothing is documented that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from towpath_operator.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def test_the_page_lists_each_series_with_its_labels() -> None:
    rows = re.findall(r"^\| `(towpath_\w+)` \| ([^|]*)\|", PAGE.read_text(), re.MULTILINE)
    documented = {name: sorted(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented == served()


def served() -> dict[str, list[str]]:
    found = {}
    for collector in set(Metrics().registry._collector_to_names):
        name, labels, kind = collector._name, collector._labelnames, collector._type  # type: ignore[attr-defined]
        found[f"{name}_total" if kind == "counter" else name] = sorted(labels)
    return found


def test_no_label_could_hold_a_users_name() -> None:
    labels = {label for labels in served().values() for label in labels}
    assert labels == {"kind", "outcome", "verb", "code", "cause", "state", "reason", "direction"}
