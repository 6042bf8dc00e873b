"""What each program is called with: ours, s5cmd and rclone, and the pipes of those where they have no verb."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from bench.measure import Place, Program
from bench.peers import rclone_program, s5cmd_program
from bench.servers import BUCKET

_HERE = Path(__file__).parent
_CSV = """
import csv, random, sys
rows, kept = csv.reader(sys.stdin), csv.writer(sys.stdout, lineterminator='\\n')
kept.writerow(next(rows))
draw = random.Random(42).random
kept.writerows(row for row in rows if draw() < 0.5)
"""


@cache
def _s5cmd() -> tuple[str, ...]:
    return (str(s5cmd_program()), "--log", "error")


@cache
def _rclone() -> tuple[str, ...]:
    return (str(rclone_program()), "--config", "/dev/null", "--s3-no-check-bucket", "--s3-list-version", "2")


def ours(verb: str, *words: str) -> list[str]:
    """One call of ours."""
    return [sys.executable, str(_HERE / "our_transfer.py"), verb, *words]


def transfers(in_flight: int) -> list[Program]:
    """Programs that send a folder and fetch it; rclone with so many files at once, which the others find themselves."""
    copy = [*_rclone(), "copy", "--ignore-checksum", "--no-traverse"]
    copy += ["--transfers", str(in_flight), "--checkers", str(in_flight)]
    return [
        Program(
            "towpath",
            {
                "up": lambda at: ours("up", str(at.source), at.prefix),
                "down": lambda at: ours("down", at.prefix, str(at.target)),
            },
        ),
        Program(
            "s5cmd",
            {
                "up": lambda at: [*_s5cmd(), "cp", f"{at.source}/", f"s3://{BUCKET}/{at.prefix}"],
                "down": lambda at: [*_s5cmd(), "cp", f"s3://{BUCKET}/{at.prefix}*", f"{at.target}/"],
            },
        ),
        Program(
            f"rclone, {in_flight} transfers, unchecked",
            {
                "up": lambda at: [*copy, str(at.source), f"x:{BUCKET}/{at.prefix}"],
                "down": lambda at: [*copy, f"x:{BUCKET}/{at.prefix}", str(at.target)],
            },
        ),
    ]


def packer() -> Program:
    """Ours for what stays inside a run: its small files share objects."""
    return Program(
        "towpath, packed",
        {
            "up": lambda at: ours("up-packed", str(at.source), at.prefix),
            "down": lambda at: ours("down", at.prefix, str(at.target)),
        },
    )


def listers() -> list[Program]:
    """Programs that list what lies below a prefix; ours and s5cmd with ETags."""
    return [
        Program("towpath", {"list": lambda at: ours("list", at.prefix)}),
        Program("s5cmd", {"list": _shell('$LS --etag "$B/$P*"')}),
        Program("rclone", {"list": _shell('$LIST "$X/$P"')}),
    ]


def unpackers(kind: str, archive: str) -> list[Program]:
    """Programs that make objects below a prefix of the files of an archive, which is an object."""
    unzip = (
        'unzip -q "$T.d/$A" -d "$T"' if shutil.which("unzip") else '"$PYTHON" -m zipfile -e "$T.d/$A" "$T"'
    )
    unpack = {"TarGz": 'tar -xzf "$T.d/$A" -C "$T"', "Zip": unzip}[kind]
    by_s5cmd = {
        "TarGz": '$S5CMD cat "$B/$A" | tar -xz -C "$T"',
        "Zip": f'$S5CMD cp "$B/$A" "$T.d/"; {unpack}',
    }
    named = f"A={archive}; "
    return [
        Program("towpath", {"unpack": lambda at: ours("unpack", kind, archive, at.prefix)}),
        Program(
            "s5cmd, unpacked on disk",
            {"unpack": _shell(f'{named}{by_s5cmd[kind]}; $S5CMD cp "$T/" "$B/$P"')},
        ),
        Program(
            "rclone, unpacked on disk",
            {"unpack": _shell(f'{named}$COPY "$X/$A" "$T.d"; {unpack}; $COPY "$T" "$X/$P"')},
        ),
    ]


def file_splitters() -> list[Program]:
    """Programs that fetch half of what was sent below a prefix."""
    as_copies = (
        """awk -v from="$B/$P" -v to="$T/" 'NR % 2 { print "cp " $0 " " to substr($0, length(from) + 1) }'"""
    )
    return [
        Program("towpath", {"split": lambda at: ours("split", at.prefix, str(at.target))}),
        Program(
            "s5cmd, all, half deleted",
            {"split": _shell("""$S5CMD cp "$B/$P*" "$T/"; find "$T" -type f | awk 'NR % 2' | xargs rm""")},
        ),
        Program(
            "s5cmd run, of a list",
            {"split": _shell(f'$LS --show-fullpath "$B/$P*" | {as_copies} | $S5CMD run')},
        ),
        Program(
            "rclone, of a list",
            {
                "split": _shell(
                    """$LIST "$X/$P" | awk 'NR % 2' > "$T.list"; $COPY --files-from-raw "$T.list" "$X/$P" "$T" """
                )
            },
        ),
    ]


def row_splitters(file: str) -> list[Program]:
    """Programs that fetch half of the rows of a CSV file."""
    cat = f'$S5CMD cat "$B/{file}"'
    return [
        Program("towpath", {"rows": lambda at: ours("rows", file, str(at.target))}),
        Program("s5cmd, csv of Python", {"rows": _shell(f'{cat} | "$PYTHON" -c "$CSV" > "$T/{file}"')}),
        Program(
            "s5cmd, awk, blind to quotes",
            {
                "rows": _shell(
                    f"""{cat} | awk 'BEGIN {{ srand(42) }} NR == 1 || rand() < 0.5' > "$T/{file}\""""
                )
            },
        ),
    ]


def _shell(line: str) -> Callable[[Place], list[str]]:
    """Commands in which T is the folder to fill, P the prefix, B and X the bucket as s5cmd and rclone call it."""
    many = ["--transfers", "16", "--checkers", "16", "--ignore-checksum", "--no-traverse"]
    known = {
        "B": f"s3://{BUCKET}",
        "X": f"x:{BUCKET}",
        "S5CMD": shlex.join(_s5cmd()),
        # What it lists it takes for something to log.
        "LS": shlex.join([_s5cmd()[0], "ls"]),
        "COPY": shlex.join([*_rclone(), "copy", *many]),
        "LIST": shlex.join([*_rclone(), "lsf", "-R", "--fast-list", "--files-only"]),
        "PYTHON": sys.executable,
        "CSV": _CSV,
    }
    words = "; ".join(f"{name}={shlex.quote(value)}" for name, value in known.items())

    def command(at: Place) -> list[str]:
        return ["sh", "-euc", f'{words}; T="$0"; P="$1"; mkdir -p "$T"; {line}', str(at.target), at.prefix]

    return command
