"""Folders for trees of more levels than Python has calls: pytest's own cleaning up would end in a RecursionError."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def removed_at_the_end(folder: Path) -> Iterator[Path]:
    """The folder, of which nothing is left however the test ends."""
    try:
        yield folder
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)
