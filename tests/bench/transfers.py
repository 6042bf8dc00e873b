"""Times our lists, transfers, archives and splits beside s5cmd's and rclone's, in turns: tables in Markdown.

Run it as `python tests/bench/transfers.py`. Each program is a process of its own, so start-up counts. Its servers
(SeaweedFS on loopback, perhaps behind a delay) and all files go away at the end. Ours verifies every byte by SHA-256
and writes or reads an inventory; the others do not.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(REPOSITORY / "operator"), str(REPOSITORY / "sdk")]

from bench import tables  # noqa: E402 - a script finds the repository first
from bench.given import MiB  # noqa: E402

TABLES = ("files", "large", "list", "archive", "split", "rows")


def main() -> None:
    options = _options()
    # So that servers end and files go, also where a time-out ends this.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    started = time.monotonic()
    for table in _tables(options):
        # A machine that is slower than was thought gets fewer rounds, not fewer tables.
        is_late = time.monotonic() - started > options.minutes * 60 / 2
        table(tables.Bench(options.folder, 1 if is_late else options.rounds))
    print(f"\nAll in {(time.monotonic() - started) / 60:.1f} minutes.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        epilog="The folder needs room for six times --large.",
    )
    number = partial(parser.add_argument, type=int, metavar="N")
    parser.add_argument("--only", nargs="*", choices=TABLES, default=TABLES, help="which tables")
    number("--files", default=10_000, help="small files, of which there is a split too")
    number("--size", default=20_000, help="bytes of a small file")
    number("--large", default=1024 * MiB, help="bytes of each of two large files")
    number("--objects", default=200_000, help="objects that are listed")
    number("--members", default=5_000, help="files of --size in each archive")
    number("--rows-size", default=64 * MiB, help="bytes of the CSV file")
    number("--rounds", default=2, help="of which the median is printed")
    number("--minutes", default=12, help="after half of them each table has one round")
    parser.add_argument(
        "--delays", type=int, nargs="*", metavar="N", default=[0, 20], help="milliseconds, for transfers"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where files and the servers' data lie meanwhile",
    )
    return parser.parse_args()


def _tables(options: argparse.Namespace) -> list[partial[None]]:
    made: dict[str, list[partial[None]]] = {
        "files": [
            partial(tables.moved, files=options.files, size=options.size, milliseconds=delay)
            for delay in options.delays
        ],
        "large": [
            partial(tables.moved, files=2, size=options.large, milliseconds=delay) for delay in options.delays
        ],
        "list": [partial(tables.listed, objects=options.objects)],
        "archive": [
            partial(tables.unpacked, kind=kind, members=options.members, size=options.size)
            for kind in tables.ARCHIVES
        ],
        "split": [partial(tables.split_files, files=options.files, size=options.size)],
        "rows": [partial(tables.split_rows, size=options.rows_size)],
    }
    return [table for name in TABLES if name in options.only for table in made[name]]


if __name__ == "__main__":
    main()
