"""The tables of the bench of transfers: each makes what it needs on a server of its own, times, checks and prints."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import commands, given
from bench.measure import OURS, Place, Program, Run, Runs, in_turns, report, timed
from bench.servers import count, fresh_server, put_file, put_many
from cluster.access import S3

ARCHIVES = {"TarGz": ("archive.tar.gz", given.tar_of), "Zip": ("archive.zip", given.zip_of)}
SMALL = given.MiB


class Bench(NamedTuple):
    """Where files and servers' data lie meanwhile, and how often each program is timed."""

    folder: Path
    rounds: int


class Kept(NamedTuple):
    """What is made once for a table."""

    folder: Path
    s3: S3


def moved(bench: Bench, files: int, size: int, milliseconds: int) -> None:
    """Files up and down; each time to a server that is new, whose disk would fill otherwise."""
    runs: Runs = {}
    with _folder(bench) as folder:
        source = given.noise_files(folder / "source", files, size)
        programs = commands.transfers(64 if milliseconds else 16)
        programs += [commands.packer()] if size < SMALL else []
        for program, _ in in_turns(programs, bench.rounds):
            at = Place(source, "bench/", folder / "target")
            with fresh_server(folder, milliseconds) as s3:
                for verb in ("up", "down"):
                    _note(runs, program, verb, timed(program.commands[verb](at), s3))
            _check_same(source, at.target)
            shutil.rmtree(at.target)
    delay = f"{milliseconds} ms of delay" if milliseconds else "no delay"
    report(f"{files:,} files of {size:,} bytes, {delay}", _ours_first(runs), ("up", "down"))


def listed(bench: Bench, objects: int) -> None:
    """Many empty objects, listed."""
    with _kept(bench) as (folder, s3):
        put_many(s3, ((f"many/{number % 997:03}/{number:06}", b"") for number in range(objects)))
        at = Place(folder, "many/", folder / "target")
        runs: Runs = {}
        for program, _ in in_turns(commands.listers(), bench.rounds):
            _note(runs, program, "list", timed(program.commands["list"](at), s3))
    report(f"{objects:,} objects listed", _ours_first(runs))


def unpacked(bench: Bench, kind: str, members: int, size: int) -> None:
    """An archive that is an object → its files as objects."""
    name, pack = ARCHIVES[kind]
    runs: Runs = {}
    with _kept(bench) as (folder, s3):
        archive = pack(given.text_files(folder / "source", members, size), folder / name)
        put_file(s3, name, archive)
        for program, number in in_turns(commands.unpackers(kind, name), bench.rounds):
            at = Place(folder, f"{program.name[:5]}-{number}/", folder / "target")
            _note(runs, program, "unpack", timed(program.commands["unpack"](at), s3))
            _check(count(s3, at.prefix) >= members, f"{program.name} made too few objects")
            _clear(at.target)
    title = f"{kind} of {members:,} files of {size:,} bytes, from a datastore into objects"
    report(title, _ours_first(runs))


def split_files(bench: Bench, files: int, size: int) -> None:
    """Half of many files, fetched."""
    with _kept(bench) as (folder, s3):
        source = given.noise_files(folder / "source", files, size)
        timed(commands.ours("up", str(source), "many/"), s3)

        def check(target: Path) -> None:
            share = sum(1 for file in target.rglob("*.bin") if file.is_file()) / files
            _check(0.4 < share < 0.6, f"{share:.0%} of the files came")

        programs = commands.file_splitters()
        runs = _fetched(bench, programs, Kept(folder, s3), {"towpath": "many/", "": "many/data/"}, check)
    report(f"Half of {files:,} files of {size:,} bytes", _ours_first(runs))


def split_rows(bench: Bench, size: int) -> None:
    """Half of the rows of a CSV file, fetched."""
    name = "rows.csv"
    with _kept(bench) as (folder, s3):
        rows = given.csv_file(folder / name, size)
        put_file(s3, name, folder / name)

        def check(target: Path) -> None:
            with (target / name).open("rb") as opened:
                share = (sum(1 for _ in opened) - 1) / rows
            _check(0.49 < share < 0.51, f"{share:.0%} of the rows came")

        runs = _fetched(bench, commands.row_splitters(name), Kept(folder, s3), {"": ""}, check)
    report(f"Half of the {rows:,} rows of a CSV file of {size // given.MiB} MiB", _ours_first(runs))


def _fetched(
    bench: Bench,
    programs: list[Program],
    kept: Kept,
    prefixes: dict[str, str],
    check: Callable[[Path], None],
) -> Runs:
    """Times of programs with one command each, which fills a folder that is checked."""
    runs: Runs = {}
    for program, _ in in_turns(programs, bench.rounds):
        at = Place(kept.folder, prefixes.get(program.name, prefixes[""]), kept.folder / "target")
        for verb, command in program.commands.items():
            _note(runs, program, verb, timed(command(at), kept.s3))
        check(at.target)
        _clear(at.target)
    return runs


def _note(runs: Runs, program: Program, verb: str, run: Run) -> None:
    runs.setdefault(program.name, {}).setdefault(verb, []).append(run)


def _ours_first(runs: Runs) -> Runs:
    return dict(sorted(runs.items(), key=lambda one: not one[0].startswith(OURS)))


@contextmanager
def _folder(bench: Bench) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=bench.folder, prefix="bench-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def _kept(bench: Bench) -> Iterator[Kept]:
    with _folder(bench) as folder, fresh_server(folder) as s3:
        yield Kept(folder, s3)


def _check_same(source: Path, target: Path) -> None:
    different = subprocess.run(
        ["diff", "-rq", str(source), str(target)], capture_output=True, text=True, check=False
    )
    _check(not different.returncode, f"the copy differs: {different.stdout[:500]}")


def _check(is_right: bool, what: str) -> None:
    if not is_right:
        raise RuntimeError(what)


def _clear(target: Path) -> None:
    for place in (target, target.with_name(f"{target.name}.d")):
        shutil.rmtree(place, ignore_errors=True)
    target.with_name(f"{target.name}.list").unlink(missing_ok=True)
