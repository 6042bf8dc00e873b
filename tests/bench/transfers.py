"""Times our listings and transfers beside s5cmd's and rclone's: the same files, one server, in turns within one run.

Run it as `python tests/bench/transfers.py [--files 10000] [--size 20000] [--large 268435456] [--rounds 3]`.
It starts an S3 server of its own on loopback, at once and behind a delay; each transfer is a process of its own, so
start-up counts. Ours hashes every byte, and makes or reads an inventory; the others do not.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "operator"), str(REPOSITORY / "sdk")]

from bench.peers import delayed, rclone_program, s5cmd_program  # noqa: E402 - a script finds the repository first
from cluster.access import S3  # noqa: E402
from cluster.local_store import running_store  # noqa: E402
from cluster.space import client_for  # noqa: E402

OURS = Path(__file__).with_name("our_transfer.py")
MiB = 1 << 20
VERBS = ("up", "list", "down")
# Small itself: a child's most memory includes its parent's before the exec.
_MEASURE = """
import os, resource, subprocess, sys, time
started = time.monotonic()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(code)
"""


class Run(NamedTuple):
    """One process: wall seconds, CPU seconds, and the most memory in MiB."""

    wall: float
    cpu: float
    memory: float


class Peer(NamedTuple):
    """A program to time: its commands from a folder, of a listing, and into a folder."""

    name: str
    up: Callable[[Path, str], list[str]]
    listing: Callable[[str], list[str]]
    down: Callable[[str, Path], list[str]]


def main() -> None:
    options = _options()
    for milliseconds in options.delays:
        for files, size in ((options.files, options.size), (2, options.large)):
            if files and size:
                print(f"\n{files:,} files of {size:,} bytes, {milliseconds} ms\n", flush=True)
                _compare(options, files, size, milliseconds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=256 * MiB)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--delays", type=int, nargs="*", default=[0, 20], help="milliseconds")
    parser.add_argument(
        "--folder", default=tempfile.gettempdir(), help="where files and the server's data lie"
    )
    return parser.parse_args()


def _compare(options: argparse.Namespace, files: int, size: int, milliseconds: int) -> None:
    """A server of its own for each table: what is deleted would go on taking room in it."""
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        running_store(Path(folder) / "store") as s3,
        delayed(s3.endpoint, milliseconds) as endpoint,
    ):
        client_for(s3).make_bucket(s3.bucket)
        # The first object of a bucket waits for its volumes to be made.
        client_for(s3).put_object(s3.bucket, "first", io.BytesIO(b"1"), 1)
        source = _write_files(Path(folder) / "source", files, size)
        _print(_measured(options.rounds, source, s3, endpoint), files)


def _measured(rounds: int, source: Path, s3: S3, endpoint: str) -> dict[tuple[str, str], list[Run]]:
    runs: dict[tuple[str, str], list[Run]] = {}
    peers = [_rclone(), _ours(), _packed(), _s5cmd()]
    for number in range(rounds):
        for peer in (peers := [*peers[1:], peers[0]]):
            prefix, target = f"{peer.name.split(',')[0]}-{number}/", source.with_name("target")
            commands = (peer.up(source, prefix), peer.listing(prefix), peer.down(prefix, target))
            for verb, command in zip(VERBS, commands, strict=True):
                runs.setdefault((peer.name, verb), []).append(_time(command, replace(s3, endpoint=endpoint)))
            _check_same(source, target)
            shutil.rmtree(target)
    return runs


def _ours(name: str = "towpath", up: str = "up") -> Peer:
    command = [sys.executable, str(OURS)]
    return Peer(
        name,
        lambda source, prefix: [*command, up, str(source), prefix],
        lambda prefix: [*command, "list", prefix],
        lambda prefix, target: [*command, "down", prefix, str(target)],
    )


def _packed() -> Peer:
    """What stays inside a run: its small files share objects. Listing them lists the packs."""
    return _ours("towpath packed", "up-packed")


def _s5cmd() -> Peer:
    command = [str(s5cmd_program()), "--log", "error"]
    return Peer(
        "s5cmd",
        lambda source, prefix: [*command, "cp", f"{source}/", f"s3://{_BUCKET}/{prefix}"],
        lambda prefix: [*command, "ls", "--show-fullpath", "--etag", f"s3://{_BUCKET}/{prefix}*"],
        lambda prefix, target: [*command, "cp", f"s3://{_BUCKET}/{prefix}*", f"{target}/"],
    )


def _rclone() -> Peer:
    command = [
        str(rclone_program()),
        "--config",
        "/dev/null",
        "--s3-no-check-bucket",
        "--s3-list-version",
        "2",
    ]
    copy = [*command, "copy", "--transfers", "16", "--checkers", "16", "--ignore-checksum", "--no-traverse"]
    return Peer(
        "rclone, 16 transfers, unchecked",
        lambda source, prefix: [*copy, str(source), f"x:{_BUCKET}/{prefix}"],
        lambda prefix: [*command, "lsf", "-R", "--fast-list", "--files-only", f"x:{_BUCKET}/{prefix}"],
        lambda prefix, target: [*copy, f"x:{_BUCKET}/{prefix}", str(target)],
    )


_BUCKET = S3(endpoint="").bucket


def _time(command: list[str], s3: S3) -> Run:
    environment = {
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
    measured = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if measured.returncode:
        raise RuntimeError(f"{command} ended with {measured.returncode}: {measured.stderr[-2000:]}")
    return Run(*map(float, measured.stdout.split()))


def _check_same(source: Path, target: Path) -> None:
    different = subprocess.run(
        ["diff", "-rq", str(source), str(target)], capture_output=True, text=True, check=False
    )
    if different.returncode:
        raise RuntimeError(f"the copy differs: {different.stdout[:500]}")


def _write_files(folder: Path, files: int, size: int) -> Path:
    for number in range(files):
        file = folder / f"part-{number % 50:02}" / f"file-{number:06}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as opened:
            for piece in _noise(size):
                opened.write(piece)
    return folder


def _noise(size: int) -> Iterator[bytes]:
    while size > 0:
        yield os.urandom(min(size, MiB))
        size -= MiB


def _print(runs: dict[tuple[str, str], list[Run]], files: int) -> None:
    print("| | " + " | ".join(f"{verb}: s | CPU s | MiB" for verb in VERBS) + " | up + down |")
    print("|---|" + "---|" * 10)
    names = list(dict.fromkeys(name for name, _ in runs))
    both, cpu = {}, {}
    for name in names:
        medians = [Run(*map(statistics.median, zip(*runs[name, verb], strict=True))) for verb in VERBS]
        both[name] = medians[0].wall + medians[2].wall
        cpu[name] = medians[0].cpu + medians[2].cpu
        cells = " | ".join(f"{run.wall:.2f} | {run.cpu:.2f} | {run.memory:.0f}" for run in medians)
        print(f"| {name} | {cells} | {both[name]:.2f} |")
    others = [name for name in names if not name.startswith("towpath")]
    best = min(others, key=both.__getitem__)
    print(f"\nup + down, ours to the better of both ({best}): {both['towpath'] / both[best]:.2f}")
    for name in ("towpath", "s5cmd"):
        ratios = f"{both['towpath packed'] / both[name]:.2f}, in CPU seconds {cpu['towpath packed'] / cpu[name]:.2f}"
        print(f"packed to {name}: {ratios}")
    walls = {
        name: statistics.median(run.wall for run in listed)
        for (name, verb), listed in runs.items()
        if verb == "list"
    }
    rates = ", ".join(f"{name} {files / wall:,.0f}" for name, wall in walls.items() if "packed" not in name)
    print(f"objects listed a second: {rates}" if files > 100 else "", flush=True)


if __name__ == "__main__":
    main()
