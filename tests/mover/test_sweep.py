"""Sweeping a real S3 server and a real volume: what is gone goes, and nothing beside it, however near its name is."""

from __future__ import annotations

import json
import os
import signal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from mover.breaking_proxy import Break, Request, breaking_proxy
from mover.forked import forked_movers
from mover.movers import run_mover
from mover.pods import NAMESPACE
from mover.sweeps import LATER, OWNER, an_order, marks, prepared, sweep, write_lists
from mover.transfers import behind
from mover.volumes import a_claim, mounted
from towpath.flow import store_keys
from towpath_mover.inventory import Root
from towpath_mover.inventory_writer import write_inventory

pytestmark = pytest.mark.server

TOP, RUNS = f"{NAMESPACE}/datasets/model", f"{NAMESPACE}/runs"
KEPT, GONE, RUNNING = "r1-0a1b2c3d/train/1-aa", "r1-0a1b2c3d/train/2-bb", "r2-0a1b2c3d/train/1-cc"
OUTPUT = ("out/data/a.csv", "out/data/b/c.csv", "out/inventory.jsonl.gz", "report/inventory.jsonl.gz")
BESIDE = (
    f"{NAMESPACE}b/runs/{GONE}/out/data/x",
    f"{NAMESPACE}b/owner.json",
    f"{NAMESPACE}/datasets/model-2/{GONE}/out/inventory.jsonl.gz",
    f"{NAMESPACE}/raw.csv",
    f"{NAMESPACE}/records/r1-0a1b2c3d.json",
    f"{NAMESPACE}/inventories/{'0' * 64}.jsonl.gz",
    f"{TOP}/{GONE}x",
    f"{TOP}.csv",
    f"{RUNS}/notes-of-mine/train/1-aa/x",
    f"{RUNS}/r3-0a1b2c3d/train/notes/x",
)
LISTS = {"datasets": "model", "runs": marks("r2-0a1b2c3d"), "kept": marks(f"{TOP}/{KEPT}/")}


@pytest.fixture
def filled(local_s3: Space) -> Space:
    local_s3.put(f"{NAMESPACE}/owner.json", OWNER)
    inventory = an_inventory(f"{TOP}/{KEPT}/out/data/")
    for attempt in (KEPT, GONE, RUNNING):
        for name in OUTPUT:
            local_s3.put(f"{TOP}/{attempt}/{name}", inventory if name.endswith("gz") else b"12345")
    for key in BESIDE:
        local_s3.put(key, b"beside")
    return local_s3


def an_inventory(*prefixes: str) -> bytes:
    """An inventory without files, of these roots."""
    file = Path(f"/tmp/an-inventory-{os.getpid()}")
    write_inventory(file, [Root("default", prefix) for prefix in prefixes], [])
    try:
        return file.read_bytes()
    finally:
        file.unlink()


def test_an_attempt_goes_that_nothing_refers_to_and_all_else_stays(filled: Space, tmp_path: Path) -> None:
    before = set(filled.keys())

    ended = sweep(filled, tmp_path, LISTS)

    assert ended.code == 0, ended.errors
    assert before - set(filled.keys()) == {f"{TOP}/{GONE}/{name}" for name in OUTPUT}
    assert (ended.report["attempts"], ended.report["objects"], ended.report["young"]) == (1, 4, 0)
    assert ended.report["names"] == [f"{TOP}/{GONE}/"]
    assert sweep(filled, tmp_path, LISTS).report["attempts"] == 0


def test_what_a_run_wrote_that_is_gone_goes_and_what_is_kept_or_unfinished_stays(
    filled: Space, tmp_path: Path
) -> None:
    for attempt in (KEPT, GONE, RUNNING, "r4-0a1b2c3d/prep/1-dd"):
        filled.put(f"{RUNS}/{attempt}/out/data/x", b"1")
        filled.put(f"{RUNS}/{attempt}/result", b"1")
    kept = marks(f"{TOP}/{KEPT}/", f"{RUNS}/{KEPT}/", f"{TOP}/{GONE}/")

    ended = sweep(filled, tmp_path, LISTS | {"kept": kept})

    assert ended.report["attempts"] == 2, ended.errors
    left = {key.split("/out/")[0] for key in filled.keys(f"{RUNS}/") if "/out/" in key}
    assert left == {f"{RUNS}/{KEPT}", f"{RUNS}/{RUNNING}"}


def test_a_dry_run_counts_names_and_deletes_nothing(filled: Space, tmp_path: Path) -> None:
    upload = begin_upload(filled, f"{RUNS}/r9-0a1b2c3d/train/1-aa/out/data/large")
    before = set(filled.keys())

    ended = sweep(filled, tmp_path, LISTS, dryRun=True, requested="dry-run-1")

    told = {name: ended.report[name] for name in ("attempts", "objects", "uploads", "dryRun", "requested")}
    assert told == {"attempts": 1, "objects": 4, "uploads": 1, "dryRun": True, "requested": "dry-run-1"}
    assert ended.report["names"] == [f"{TOP}/{GONE}/"]
    assert f'"sweep": "would delete", "prefix": "{TOP}/{GONE}/"' in ended.errors
    assert set(filled.keys()) == before
    assert upload in open_uploads_of(filled)


@pytest.mark.parametrize(
    ("window", "young"), [({"writtenBefore": 1_000_000_000}, 1), ({"writtenSince": LATER - 1}, 0)]
)
def test_what_was_written_lately_or_before_its_datastore_was_made_stays(
    filled: Space, tmp_path: Path, window: dict[str, int], young: int
) -> None:
    before = set(filled.keys())

    ended = sweep(filled, tmp_path, LISTS, **window)

    assert (ended.report["attempts"], ended.report["young"]) == (0, young)
    assert set(filled.keys()) == before


@pytest.mark.parametrize(
    "owner",
    [None, OWNER.replace(b'"test"', b'"another"'), OWNER.replace(NAMESPACE.encode(), b"team-ab"), b"?"],
    ids=["nobody", "another cluster", "another namespace", "unreadable"],
)
def test_in_a_place_that_is_not_said_to_be_ours_nothing_goes(
    filled: Space, tmp_path: Path, owner: bytes | None
) -> None:
    filled.client.remove_object(filled.bucket, f"{filled.prefix}{NAMESPACE}/owner.json")
    if owner is not None:
        filled.put(f"{NAMESPACE}/owner.json", owner)
    before = set(filled.keys())

    ended = sweep(filled, tmp_path, LISTS)

    assert (ended.code, ended.report["reason"]) == (41, "OwnedElsewhere")
    assert set(filled.keys()) == before


def test_another_owners_place_that_lies_in_ours_is_not_touched(filled: Space, tmp_path: Path) -> None:
    # A Datastore with the prefix `team-a/`, in namespaces called `datasets`, `runs` and like a run.
    inside = (f"{NAMESPACE}/datasets", RUNS, f"{RUNS}/x-0a1b2c3d")
    for top in inside[:2]:
        filled.put(f"{top}/owner.json", b"another's")
        filled.put(f"{top}/runs/{GONE}/result", b"another's")
    before = set(filled.keys())
    assert sweep(filled, tmp_path, LISTS).report["attempts"] == 0
    assert set(filled.keys()) == before

    filled.client.remove_object(filled.bucket, f"{filled.prefix}{RUNS}/owner.json")
    filled.put(f"{inside[2]}/owner.json", b"another's")
    filled.put(f"{inside[2]}/runs/1-aa/result", b"another's")
    before = set(filled.keys())
    assert sweep(filled, tmp_path, LISTS).report["attempts"] == 0
    assert set(filled.keys()) == before


def test_what_a_kept_inventory_says_lies_beside_it_stays(filled: Space, tmp_path: Path) -> None:
    # As of a step with shards: one inventory, and the files of several pods.
    beside = f"{TOP}/r1-0a1b2c3d/map/_shards/"
    shards, failed = [f"{beside}{attempt}/" for attempt in ("1-s0", "2-s1")], f"{beside}1-s1/"
    for shard in shards:
        filled.put(f"{shard}out/data/x", b"1")
    filled.put(f"{failed}out/data/x", b"1")
    united = f"{beside}2-merge/out/inventory.jsonl.gz"
    lists = LISTS | {"kept": marks(f"{TOP}/{KEPT}/", f"{TOP}/{GONE}/", f"{beside}2-merge/")}
    # Where it cannot be read nothing goes.
    filled.put(united, b"damaged")
    assert sweep(filled, tmp_path, lists).report["attempts"] == 0

    filled.put(united, an_inventory(*(f"{shard}out/data/" for shard in shards)))
    assert sweep(filled, tmp_path, lists).report["names"] == [failed]
    assert set(filled.keys(beside)) == {united, *(f"{shard}out/data/x" for shard in shards)}


def test_of_a_dataset_that_retains_only_what_never_was_a_version_goes(filled: Space, tmp_path: Path) -> None:
    lists = {"kept": LISTS["kept"]}
    unfinished = f"{TOP}/r5-0a1b2c3d/train/1-ee/"
    filled.put(f"{unfinished}out/data/x", b"1")
    assert sweep(filled, tmp_path, lists).report["names"] == [unfinished]

    record = {"registered": [f"{TOP}/{RUNNING}/", f"{TOP}-2/{GONE}/"]}
    for run in ("r1-0a1b2c3d", "r2-0a1b2c3d"):
        filled.put(f"{NAMESPACE}/records/{run}.json", json.dumps(record).encode())
    assert sweep(filled, tmp_path, lists).report["names"] == [f"{TOP}/{GONE}/"]
    assert filled.keys(f"{TOP}/{RUNNING}/")


@pytest.mark.parametrize("base", ["team-a/", f"{TOP}/r1", f"{TOP}/{GONE}/out/data/a", f"{TOP}/{GONE}/"])
def test_what_a_source_reads_in_place_stays(filled: Space, tmp_path: Path, base: str) -> None:
    before = set(filled.keys())

    ended = sweep(filled, tmp_path, LISTS | {"inPlace": [filled.prefix + base]})

    assert ended.report["attempts"] == 0
    assert set(filled.keys()) == before


def begin_upload(space: Space, key: str) -> str:
    upload = space.client._create_multipart_upload(space.bucket, space.prefix + key, {})
    space.client._upload_part(space.bucket, space.prefix + key, b"1" * 10, {}, upload, 1)
    return str(upload)


def open_uploads_of(space: Space) -> set[str]:
    listed = space.client._list_multipart_uploads(space.bucket, prefix=space.prefix)
    return {str(upload.upload_id) for upload in listed.uploads}


def test_open_uploads_of_runs_that_are_over_are_aborted_and_no_others(filled: Space, tmp_path: Path) -> None:
    gone = begin_upload(filled, f"{RUNS}/r9-0a1b2c3d/train/1-aa/out/data/large file")
    others = {
        begin_upload(filled, f"{RUNS}/{RUNNING}/out/data/large"),
        begin_upload(filled, f"{NAMESPACE}b/runs/r9-0a1b2c3d/train/1-aa/out/data/large"),
        begin_upload(filled, f"{NAMESPACE}/copies/{'0' * 64}/x/data/large"),
    }
    assert sweep(filled, tmp_path, LISTS, writtenBefore=1_000_000_000).report["uploads"] == 0
    assert open_uploads_of(filled) == {gone, *others}

    ended = sweep(filled, tmp_path, LISTS)

    assert ended.report["uploads"] == 1, ended.errors
    assert open_uploads_of(filled) == others


def test_records_are_written_before_anything_goes(filled: Space, tmp_path: Path) -> None:
    record = {"folder": "done-0a1b2c3d", "status": {"state": "Succeeded"}, "registered": []}
    write_lists(tmp_path, {}, records=[record])

    ended = sweep(filled, tmp_path, LISTS, records=1)

    assert ended.report["records"] == 1, ended.errors
    written = json.loads(filled.get(f"{NAMESPACE}/records/done-0a1b2c3d.json"))
    assert written == {"formatVersion": 1} | record


@pytest.mark.fault
def test_a_sweep_killed_at_each_of_its_requests_loses_nothing_and_the_next_one_goes_on(
    filled: Space, tmp_path: Path
) -> None:
    result = f"{RUNS}/r6-0a1b2c3d/train/1-ff/result"
    for key in (result, *(f"{RUNS}/r6-0a1b2c3d/train/1-ff/out/data/{number}" for number in range(8))):
        filled.put(key, b"1")
    staying = {key for key in set(filled.keys()) if not key.startswith((f"{TOP}/{GONE}/", f"{RUNS}/r6-"))}
    with breaking_proxy(filled.s3.endpoint) as proxy, forked_movers() as movers:
        environ = prepared(behind(filled, proxy.endpoint), tmp_path, LISTS)
        for point in count(1):
            dying = Dying(point)
            proxy.rule = dying
            ended = movers.run(("sweep",), environ, tmp_path, dying.begun)
            there = set(filled.keys())
            assert staying <= there
            # What makes it count has gone before anything else of it.
            is_whole = len([key for key in there if key.startswith(f"{RUNS}/r6-")]) == 9
            assert is_whole == (result in there)
            if ended.code == 0:
                break
            assert ended.code == -signal.SIGKILL
    assert point > 10
    assert there == staying


class Dying:
    """Kills a sweep before its n-th request."""

    def __init__(self, point: int) -> None:
        self._left = point
        self._process = 0

    def begun(self, process: int) -> None:
        self._process = process

    def __call__(self, _: Request) -> Break | None:
        self._left -= 1
        if self._left:
            return None
        os.kill(self._process, signal.SIGKILL)
        return Break(503)


def test_on_a_volume_the_folders_go_too_and_no_link_is_followed(tmp_path: Path) -> None:
    volume, outside = mounted(tmp_path), tmp_path / "outside"
    outside.write_text("stays")
    put(volume, f"{NAMESPACE}/owner.json", OWNER)
    for attempt in (KEPT, GONE):
        for name in OUTPUT[:2]:
            put(volume, f"{TOP}/{attempt}/{name}", b"12345")
    (volume / TOP / GONE / "out/data/link").symlink_to(outside)

    ended = sweep_volume(tmp_path)

    assert (ended.code, ended.report["attempts"]) == (0, 1), ended.errors
    assert [path.name for path in (volume / TOP / "r1-0a1b2c3d/train").iterdir()] == ["1-aa"]
    assert outside.read_text() == "stays"


def test_on_a_volume_what_killed_movers_left_half_written_goes(tmp_path: Path) -> None:
    volume, partial = mounted(tmp_path), ".towpath-partial-0123456789abcdef"
    put(volume, f"{NAMESPACE}/owner.json", OWNER)
    left = put(volume, f"{RUNS}/{GONE}/out/data/{partial}", b"half")
    running = put(volume, f"{RUNS}/{RUNNING}/out/data/{partial}", b"half")

    ended = sweep_volume(tmp_path)

    assert (ended.code, ended.report["uploads"]) == (0, 1), ended.errors
    assert not left.exists()
    assert not (volume / RUNS / "r1-0a1b2c3d").exists()
    assert running.read_bytes() == b"half"


def put(volume: Path, key: str, content: bytes) -> Path:
    file = volume / key
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def sweep_volume(root: Path) -> Any:
    write_lists(root, LISTS)
    return run_mover("sweep", an_order(a_claim()), root)


@pytest.mark.parametrize("datasets", ["model/r1-0a1b2c3d", "model,", "../model"])
def test_an_order_that_would_reach_other_folders_is_refused(
    filled: Space, tmp_path: Path, datasets: str
) -> None:
    before = set(filled.keys())

    assert sweep(filled, tmp_path, LISTS | {"datasets": datasets}).code == 1
    assert set(filled.keys()) == before


def test_lists_that_are_not_all_there_are_no_order(filled: Space, tmp_path: Path) -> None:
    before = set(filled.keys())

    assert sweep(filled, tmp_path, LISTS, lists=2).code == 1
    assert set(filled.keys()) == before


def test_marks_are_of_whole_prefixes() -> None:
    assert store_keys.prefix_mark("team-a/runs/r/") != store_keys.prefix_mark("team-a/runs/r")
