"""Everything that is built before the node can start, side by side where that helps."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cluster.native.base_image import build_base_image
from cluster.native.binary import build_binary
from cluster.native.images import build_pause, build_static_step


def build_all() -> tuple[Path, list[Path]]:
    """The folder of programs, and the archives of the images that every node has."""
    # The compiler wants processors, debootstrap mostly the network and the disk.
    with ThreadPoolExecutor() as pool:
        binaries, base = pool.submit(build_binary), pool.submit(build_base_image)
        small = [build_pause(), build_static_step()]
        return binaries.result(), [*small, base.result()]
