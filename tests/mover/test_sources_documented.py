"""docs/reference/sources.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from towpath_mover.archive_members import Bounds
from towpath_mover.failures import Reason
from towpath_mover.web import MAX_REDIRECTS, WebPatience
from towpath_mover.web_file import MAX_BYTES

PAGE = (Path(__file__).parents[2] / "docs/reference/sources.md").read_text()


def test_every_reason_of_archives_is_documented() -> None:
    rows = set(re.findall(r"^\| .+ \| `([A-Z]\w+)` \|$", PAGE, re.MULTILINE))
    assert {str(reason) for reason in Reason if reason.name.startswith("ARCHIVE_")} <= rows


def test_the_bounds_of_archives_are_those_documented() -> None:
    documented = dict(re.findall(r"^\| `(max\w+)`: .+ \| ([\w, ]+) \|$", PAGE, re.MULTILINE))
    assert documented == {"maxEntries": "1,000,000", "maxBytes": "1 TiB", "maxRatio": "200"}
    assert Bounds() == Bounds(1_000_000, 1 << 40, 200)


def test_the_limits_of_urls_are_those_documented() -> None:
    assert f"Up to {MAX_REDIRECTS} redirects" in PAGE
    assert WebPatience()[:3] == (10, 60, 5)
    assert "10 s to accept a connection and 60 s for each answer" in PAGE
    assert "asked 5 times without progress" in PAGE
    assert MAX_BYTES == 1 << 40
