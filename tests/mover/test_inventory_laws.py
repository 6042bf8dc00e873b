"""Laws of inventories: what is written is read, and the digest knows the content and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mover.inventories import ENTRIES, LAW, ROOTS, a_file
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.inventory_sort import in_order
from towpath_mover.inventory_writer import WrittenInventory, write_inventory


def written(entries: list[Entry], roots: tuple[Root, ...] = ROOTS) -> tuple[WrittenInventory, bytes]:
    with TemporaryDirectory() as folder:
        result = write_inventory(Path(folder) / "inventory", roots, entries)
        return result, result.file.read_bytes()


@LAW
@given(ENTRIES)
def test_what_is_written_is_read_in_order_with_the_same_summary(entries: list[Entry]) -> None:
    result, content = written(entries)
    reader = InventoryReader([content], result.summary.digest)
    assert list(reader.entries()) == sorted(entries, key=lambda entry: entry.path.encode())
    assert reader.roots == ROOTS
    assert reader.summary() == result.summary


@LAW
@given(ENTRIES, st.randoms())
def test_the_order_of_arrival_changes_not_a_byte(entries: list[Entry], random: Random) -> None:
    shuffled = list(entries)
    random.shuffle(shuffled)
    assert written(shuffled)[1] == written(entries)[1]


@LAW
@given(ENTRIES, st.lists(st.integers(1, 9)))
def test_it_may_arrive_in_pieces_of_any_size(entries: list[Entry], cuts: list[int]) -> None:
    result, content = written(entries)
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(content[start : start + cut])
        start += cut
    reader = InventoryReader([*pieces, content[start:]], result.summary.digest)
    assert len(list(reader.entries())) == len(entries)


@LAW
@given(ENTRIES)
def test_where_the_files_lie_does_not_change_the_digest(entries: list[Entry]) -> None:
    elsewhere = (Root("default", "another/place/"), Root("lake", "deeper/"))
    moved = [entry._replace(pack=None, offset=None) for entry in entries]
    assert written(entries)[0].summary.digest == written(moved, elsewhere)[0].summary.digest


def test_bytes_that_we_hashed_are_equal_in_any_store() -> None:
    here, there = written([a_file()], (Root("default", ""),)), written([a_file()], (Root("lake", "x/"),))
    assert here[0].summary == there[0].summary


@pytest.mark.parametrize(
    "other",
    [
        a_file("b.csv"),
        a_file(content=b"b"),
        a_file(executable=True),
        Entry("a.csv", 1, etag="e"),
        Entry("a.csv", 1, etag="e", root=1),
        Entry("a.csv", 1, etag="e", version="1"),
    ],
)
def test_each_property_of_a_file_changes_the_digest(other: Entry) -> None:
    assert written([other])[0].summary.digest != written([a_file()])[0].summary.digest


def test_an_etag_counts_in_its_own_store_only() -> None:
    here, there = Entry("a", 1, etag="e", root=0), Entry("a", 1, etag="e", root=1)
    assert written([here])[0].summary.digest != written([there])[0].summary.digest


def test_another_digest_than_the_pinned_one_is_drift() -> None:
    reader = InventoryReader([written([a_file()])[1]], "sha256:" + "0" * 64)
    with pytest.raises(MoverFailure) as raised:
        list(reader.entries())
    assert raised.value.reason is Reason.INPUT_DRIFT


def test_many_entries_are_sorted_in_runs_on_disk_that_leave_nothing(tmp_path: Path) -> None:
    entries = [a_file(f"{number * 7919 % 1000:03}") for number in range(1000)]
    assert [entry.path for entry in in_order(entries, tmp_path, run=64)] == sorted(e.path for e in entries)
    assert list(tmp_path.iterdir()) == []


def test_disk_space_counts_blocks_and_each_folder_once() -> None:
    paths = ["a/b/1", "a/b/2", "a/c/d/1", "e", "f/1"]
    summary = written([a_file(path, b"x" * 4097) for path in paths])[0].summary
    folders = ["", "a", "a/b", "a/c", "a/c/d", "f"]
    assert summary.scratch_bytes == 4096 * (2 * len(paths) + len(folders))


@pytest.mark.parametrize("paths", [["a", "a/b"], ["a", "a-b", "a/b"], ["a/b/c", "a"]])
def test_a_file_is_not_also_a_folder(paths: list[str]) -> None:
    with pytest.raises(MoverFailure) as raised:
        written([a_file(path) for path in paths])
    assert raised.value.reason is Reason.FILE_AND_FOLDER


def test_the_same_path_twice_is_named() -> None:
    with pytest.raises(MoverFailure, match="'same'") as raised:
        written([a_file("same"), a_file("same", b"other")])
    assert raised.value.reason is Reason.DUPLICATE_PATH


def test_a_line_shows_only_what_is_there() -> None:
    result, content = written([a_file()])
    line = json.loads(zlib.decompress(content, 31).splitlines()[1])
    assert set(line) == {"path", "size", "sha256"}
    assert result.summary.files == 1


MILLION = """
import sys
from hashlib import sha256
from pathlib import Path
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.inventory_writer import write_inventory

def entries(count):
    for number in range(count):
        digest = sha256(str(number).encode()).hexdigest()
        yield Entry(f"class-{digest[:2]}/image-{digest[2:12]}.jpg", number, digest)

def chunks(file):
    with file.open("rb") as opened:
        while chunk := opened.read(1 << 20):
            yield chunk

count = int(sys.argv[2])
written = write_inventory(Path(sys.argv[1]) / "inventory", [Root("default", "")], entries(count))
reader = InventoryReader(chunks(written.file), written.summary.digest)
assert sum(1 for _ in reader.entries()) == count
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""


def most_kilobytes(folder: Path, files: int) -> int:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", MILLION, str(folder), str(files)]
    return int(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_million_files_cost_hardly_more_memory_than_a_hundred_thousand(tmp_path: Path) -> None:
    assert most_kilobytes(tmp_path, 1_000_000) < most_kilobytes(tmp_path, 100_000) + 20_000 < 120_000
