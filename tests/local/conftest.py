"""The workspace of a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.desk import Desk, a_desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A workspace of its own."""
    with a_desk(tmp_path) as made:
        yield made
