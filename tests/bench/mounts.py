"""`python tests/bench/mounts.py`: an input by download and by our FUSE mount, until what a step needs of it is read.

Three inputs: many small files, one large file read whole, a hundredth of a large file in pieces of 1 MiB. Each with no
delay before the store and with 20 ms. A turn is all that a pod does: the sidecar's start, `stage-in` (which looks at a
mount before it links), and the reading; the same movers as in a pod, as processes of this machine. Needs root.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.peers import delayed
from cluster.local_store import running_store
from cluster.space import Space, fresh_space
from mover.pods import POD_UID, Pod, datastore, output
from mover.sidecar import beside
from towpath_mover.mounted_places import FusePlace

MiB = 1 << 20
# As a step reads: one after another, or by so many threads at once; pieces at random places of one file.
WHOLE = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
top, threads = sys.argv[1], int(sys.argv[2])
def read(path):
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass
paths = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
with ThreadPoolExecutor(threads) as pool:
    list(pool.map(read, paths))
"""
PIECES = """
import os, random, sys
top, pieces = sys.argv[1], int(sys.argv[2])
[path] = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
places = random.Random(7)
with open(path, "rb", buffering=0) as file:
    size = os.stat(path).st_size
    for _ in range(pieces):
        file.seek(places.randrange(size >> 20) << 20)
        file.read(1 << 20)
"""


@dataclass(frozen=True)
class Case:
    """One input, and how it is read."""

    name: str
    files: str
    program: str
    argument: int


class Place(NamedTuple):
    """Where the data lie, how far away, and where a pod's folders are made."""

    space: Space
    endpoint: str
    delay: int
    root: Path


def main() -> None:
    """Makes the data once, measures each case in turns, prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", type=int, default=10_000, help="files of 20 kB")
    parser.add_argument("--large", type=int, default=4096, help="MiB of the large file")
    parser.add_argument(
        "--delays", type=int, nargs="+", default=[0, 20], help="milliseconds before the store"
    )
    given = parser.parse_args()
    cases = [
        Case(f"{given.small:,} x 20 kB, one reader", "small", WHOLE, 1),
        Case(f"{given.small:,} x 20 kB, 8 readers", "small", WHOLE, 8),
        Case(f"{given.large} MiB read whole", "large", WHOLE, 1),
        Case(f"1 % of {given.large} MiB", "large", PIECES, max(given.large // 100, 1)),
    ]
    with tempfile.TemporaryDirectory(prefix="towpath-mounts-") as name:
        folder = Path(name)
        with running_store(folder / "store") as s3, fresh_space(s3) as space:
            small = {f"{number % 100:02}/{number:05}": 20_000 for number in range(given.small)}
            inventories = {
                "small": _published(space, folder / "small", small),
                "large": _published(space, folder / "large", {"large.bin": given.large * MiB}),
            }
            print(
                "| input | delay | download | mount | mount / download |\n|---|---|---|---|---|", flush=True
            )
            for delay in given.delays:
                with delayed(s3.endpoint, delay) as endpoint:
                    place = Place(space, endpoint, delay, folder / "turn")
                    for case in cases:
                        _compare(case, place, inventories[case.files], given.rounds)


def _published(space: Space, root: Path, files: Mapping[str, int]) -> dict[str, Any]:
    pod = Pod(root, datastore(space), space.s3.admin, outputs=[output("all")], uid=f"{root.name}-{POD_UID}")
    noise = random.Random(1).randbytes(MiB)
    for path, size in files.items():
        place = root / "outputs/all" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as file:
            for start in range(0, size, MiB):
                file.write(noise[: min(MiB, size - start)])
    ended = pod.publish()
    if ended.code:
        raise RuntimeError(f"the data could not be published: {ended}")
    shutil.rmtree(root)
    inventory: dict[str, Any] = ended.report["outputs"][0]["inventory"]
    return inventory


def _compare(case: Case, place: Place, inventory: Mapping[str, Any], rounds: int) -> None:
    times: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(rounds):
        for is_mounted in (False, True) if turn % 2 else (True, False):
            times[is_mounted].append(_turn(case, place, inventory, is_mounted))
    download, mount = median(times[False]), median(times[True])
    figures = f"{download:.2f} s | {mount:.2f} s | {mount / download:.2f} |"
    print(f"| {case.name} | {place.delay} ms | {figures}", flush=True)


def _turn(case: Case, place: Place, inventory: Mapping[str, Any], is_mounted: bool) -> float:
    described, root = datastore(place.space, endpoint=place.endpoint), place.root
    pod = Pod(
        root,
        described,
        place.space.s3.admin,
        inputs=[("data", inventory)],
        mounted=is_mounted,
        has_sidecar=is_mounted,
    )
    # What the turn before wrote is not written beside this one.
    os.sync()
    started = time.monotonic()
    with beside(pod) if is_mounted else nullcontext() as sidecar:
        if sidecar is not None:
            sidecar.until(FusePlace.was_made)
        ended = pod.stage_in()
        if ended.code:
            raise RuntimeError(f"stage-in: {ended}")
        command = [sys.executable, "-c", case.program, str(root / "inputs/data"), str(case.argument)]
        subprocess.run(command, check=True)
        taken = time.monotonic() - started
    shutil.rmtree(root)
    return taken


if __name__ == "__main__":
    main()
