"""What a transfer holds in memory does not depend on the data: measured from outside, on whole processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.access import S3
from mover.transfers import MiB

pytestmark = pytest.mark.server

TRANSFER = Path(__file__).parents[1] / "bench" / "our_transfer.py"
# The container's limit is 256 MiB, and the page cache lives in it too.
MOST = 200 * MiB
# A mover that is small, and the 64 MiB that it may have in flight: less than one that held all that these tests send.
IN_FLIGHT = 120 * MiB


def most_memory(s3: S3, *arguments: str) -> int:
    """The most bytes that a transfer of its own process held."""
    environment = {
        "PATH": os.environ["PATH"],
        "S3_ENDPOINT_URL": s3.endpoint,
        "AWS_ACCESS_KEY_ID": s3.admin.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.admin.secret_key,
    }
    command = [sys.executable, str(TRANSFER), *arguments, "--memory"]
    return int(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def both_ways(s3: S3, source: Path, target: Path, up: str) -> tuple[int, int]:
    prefix = f"memory-{source.name}/"
    return most_memory(s3, up, str(source), prefix), most_memory(s3, "down", prefix, str(target))


def a_sparse_file(folder: Path, size: int) -> Path:
    folder.mkdir(parents=True)
    with (folder / "large.bin").open("wb") as file:
        file.truncate(size)
    return folder


def many_files(folder: Path, files: int, size: int) -> Path:
    for number in range(files):
        file = folder / f"{number % 50}" / f"{number}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(size))
    return folder


def check(s3: S3, source: Path, target: Path, most: int, how: str = "up") -> None:
    up, down = both_ways(s3, source, target, how)
    assert max(up, down) < most, f"up {up // MiB} MiB, down {down // MiB} MiB"
    assert sum(file.stat().st_size for file in target.rglob("*.bin")) == sum(
        file.stat().st_size for file in source.rglob("*.bin")
    )


def test_a_large_file_is_never_held_whole(s3_server: S3, tmp_path: Path) -> None:
    check(s3_server, a_sparse_file(tmp_path / "large", 128 * MiB), tmp_path / "target", IN_FLIGHT)


def test_of_several_large_files_no_more_is_held_than_of_one(s3_server: S3, tmp_path: Path) -> None:
    for number in range(3):
        a_sparse_file(tmp_path / "several" / str(number), 44 * MiB)
    # Some 25 MiB, seven parts that are sent and one that is read.
    assert most_memory(s3_server, "up", str(tmp_path / "several"), "memory-several/") < IN_FLIGHT


def test_files_of_eight_mebibytes_are_held_a_few_at_a_time(s3_server: S3, tmp_path: Path) -> None:
    check(s3_server, many_files(tmp_path / "middle", 16, 8 * MiB), tmp_path / "target", IN_FLIGHT)


def test_many_small_files_cost_little(s3_server: S3, tmp_path: Path) -> None:
    check(s3_server, many_files(tmp_path / "small", 1_000, 20_000), tmp_path / "target", 50 * MiB)


def test_packs_are_held_two_at_a_time(s3_server: S3, tmp_path: Path) -> None:
    source = many_files(tmp_path / "packed", 128, MiB)
    check(s3_server, source, tmp_path / "target", IN_FLIGHT, "up-packed")


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_four_gibibytes_in_one_file(s3_server: S3, tmp_path: Path) -> None:
    check(s3_server, a_sparse_file(tmp_path / "huge", 4096 * MiB), tmp_path / "target", MOST)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_twenty_thousand_files(s3_server: S3, tmp_path: Path) -> None:
    check(s3_server, many_files(tmp_path / "numerous", 20_000, 20_000), tmp_path / "target", MOST)
