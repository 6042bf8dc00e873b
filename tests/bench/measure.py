"""Programs in turns, each a process of its own: how long it took, and what CPU and memory it took; as Markdown."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

from cluster.access import S3

OURS = "towpath"
# Small itself: a child's most memory includes its parent's before the exec.
_MEASURE = """
import os, resource, subprocess, sys, time
started = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
wall = time.monotonic() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(code)
"""


class Run(NamedTuple):
    """One process: wall seconds, CPU seconds, and the most memory in MiB; of a pipe, that of its largest process."""

    wall: float
    cpu: float
    memory: float


class Place(NamedTuple):
    """Where a program works: the folder that it sends, its prefix in the bucket, and the folder that it fills."""

    source: Path
    prefix: str
    target: Path


Commands: TypeAlias = Callable[[Place], list[str]]
Runs: TypeAlias = dict[str, dict[str, list[Run]]]


class Program(NamedTuple):
    """A program to time: what it is called in the table, and its command for each column."""

    name: str
    commands: Mapping[str, Commands]


def in_turns(programs: list[Program], rounds: int) -> Iterator[tuple[Program, int]]:
    """Yield each program once a round, another one first each time."""
    for number in range(rounds):
        for place in range(len(programs)):
            yield programs[(place + number) % len(programs)], number


def timed(command: list[str], s3: S3) -> Run:
    """Run a command to its end; RuntimeError if it fails."""
    measured = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, *command],
        env=environment(s3),
        capture_output=True,
        text=True,
        check=False,
    )
    if measured.returncode:
        raise RuntimeError(f"{command} ended with {measured.returncode}: {measured.stderr[-2000:]}")
    return Run(*map(float, measured.stdout.split()))


def environment(s3: S3) -> dict[str, str]:
    """Return how all programs find the server."""
    return {
        "PATH": os.environ["PATH"],
        "S3_ENDPOINT_URL": s3.endpoint,
        "AWS_REGION": s3.region,
        "AWS_ACCESS_KEY_ID": s3.admin.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.admin.secret_key,
        "RCLONE_CONFIG_X_TYPE": "s3",
        "RCLONE_CONFIG_X_PROVIDER": "Other",
        "RCLONE_CONFIG_X_ENDPOINT": s3.endpoint,
        "RCLONE_CONFIG_X_REGION": s3.region,
        "RCLONE_CONFIG_X_ACCESS_KEY_ID": s3.admin.access_key,
        "RCLONE_CONFIG_X_SECRET_ACCESS_KEY": s3.admin.secret_key,
    }


def report(title: str, runs: Runs, total: tuple[str, ...] = ()) -> None:
    """Print the medians, and ours beside the best of the others: by column, and of the sum of those in `total`."""
    columns = list(next(iter(runs.values())))
    rounds = len(next(iter(runs.values()))[columns[0]])
    print(f"\n{title}; {rounds} rounds, load {os.getloadavg()[1]:.1f}\n")
    print("| | " + " | ".join(f"{column}: s | CPU s | MiB" for column in columns) + " |")
    print("|---|" + "---|" * 3 * len(columns))
    medians = {name: {column: _median(runs[name][column]) for column in columns} for name in runs}
    for name, found in medians.items():
        cells = (f"{run.wall:.2f} | {run.cpu:.2f} | {run.memory:.0f}" for run in found.values())
        print(f"| {name} | {' | '.join(cells)} |")
    print()
    for columns_in in [(column,) for column in columns] + ([total] if total else []):
        walls = {name: sum(found[column].wall for column in columns_in) for name, found in medians.items()}
        _compare(" + ".join(columns_in), walls)
    sys.stdout.flush()


def _compare(what: str, walls: Mapping[str, float]) -> None:
    best = min((name for name in walls if not name.startswith(OURS)), key=walls.__getitem__)
    for name in (name for name in walls if name.startswith(OURS)):
        print(f"- {what}: {name} takes {walls[name] / walls[best]:.2f} times the best of the others ({best})")


def _median(runs: list[Run]) -> Run:
    return Run(*map(statistics.median, zip(*runs, strict=True)))
