"""`python tests/bench/links.py`: a mounted input of many files, looked at and laid out as links, beside `cp` doing so.

`cp --symbolic-link` makes the same links and looks at nothing: what is above it is the look, and a Python.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from towpath_mover.inventory import Entry, Root
from towpath_mover.mounted_input import link_input, mounts_of
from towpath_mover.pod_paths import PodPaths


def main() -> None:
    """Makes files, measures both in turns, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="towpath-links-") as name:
        folder = Path(name)
        entries = _made(folder / "mounts/here", given.files)
        pairs = [_pair(folder, entries, turn) for turn in range(given.rounds)]
    ours, theirs = (median(times) for times in zip(*pairs, strict=True))
    print(
        f"{given.files} files of a mount: looked at and linked in {ours:.2f} s, by cp --symbolic-link in "
        f"{theirs:.2f} s: {ours / theirs:.1f}x (median of {given.rounds}; aim <= 1 s for 10,000)"
    )


def _made(place: Path, files: int) -> list[Entry]:
    entries = [Entry(f"{number % 50:02}/{number:06}", 1) for number in range(files)]
    for entry in entries:
        (place / entry.path).parent.mkdir(parents=True, exist_ok=True)
        (place / entry.path).write_bytes(b"x")
    return sorted(entries)


def _pair(folder: Path, entries: list[Entry], turn: int) -> tuple[float, float]:
    mounts = mounts_of([Root("here", "")], {"here": "/towpath/mounts/here"}, PodPaths(root=folder))
    if mounts is None:
        raise AssertionError("it is mounted")
    ours = _timed(
        lambda: link_input(
            "data", lambda: iter(entries), mounts, [], folder / f"ours-{turn}", PodPaths(folder, folder)
        )
    )
    copy = ["cp", "--recursive", "--symbolic-link", f"{folder}/mounts/here", f"{folder}/theirs-{turn}"]
    return ours, _timed(lambda: subprocess.run(copy, check=True))


def _timed(action: Callable[[], object]) -> float:
    started = time.monotonic()
    action()
    return time.monotonic() - started


if __name__ == "__main__":
    main()
