"""Sweeping a real S3 server and a real volume: what is gone goes, and nothing beside it, however near its name is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from mover.movers import give_keys, run_mover
from mover.pods import NAMESPACE, Ended, datastore
from mover.volumes import a_claim, mounted
from towpath.flow import names
from towpath.flow.documents import datastore_document

pytestmark = pytest.mark.server

TOP = f"{NAMESPACE}/datasets/model"
KEPT, GONE, RUNNING = "r1-0a1b2c3d/train/1-aa", "r1-0a1b2c3d/train/2-bb", "r2-0a1b2c3d/train/1-cc"
LATER = 4_000_000_000
OUTPUT = ("out/data/a.csv", "out/data/b/c.csv", "out/inventory.jsonl.gz", "report/inventory.jsonl.gz")
BESIDE = (
    f"{NAMESPACE}/datasets/model-2/{GONE}/out/data/x",
    f"{NAMESPACE}/raw.csv",
    f"{TOP}/{GONE}x",
    f"{TOP}.csv",
)


def sweep(space: Space, root: Path, **order: Any) -> Ended:
    """Sweep the space of all that the dataset has but for what is kept."""
    store = datastore(space)
    give_keys(store, space.s3.admin, root)
    usual = {
        "datastore": datastore_document(store),
        "datasets": "model",
        "runs": "r2-0a1b2c3d",
        "kept": names.prefix_mark(f"{TOP}/{KEPT}/"),
        "writtenBefore": LATER,
        "dryRun": False,
    }
    return run_mover("sweep", usual | order, root)


@pytest.fixture
def filled(local_s3: Space) -> Space:
    for attempt in (KEPT, GONE, RUNNING):
        for name in OUTPUT:
            local_s3.put(f"{TOP}/{attempt}/{name}", b"12345")
    for key in BESIDE:
        local_s3.put(key, b"beside")
    return local_s3


def test_an_attempt_goes_that_nothing_refers_to_and_all_else_stays(filled: Space, tmp_path: Path) -> None:
    before = set(filled.keys())

    ended = sweep(filled, tmp_path)

    assert ended.code == 0, ended.errors
    assert before - set(filled.keys()) == {f"{TOP}/{GONE}/{name}" for name in OUTPUT}
    assert ended.report == {"formatVersion": 1, "attempts": 1, "objects": 4, "bytes": 20, "young": 0}
    assert sweep(filled, tmp_path).report["attempts"] == 0


def test_a_dry_run_counts_and_deletes_nothing(filled: Space, tmp_path: Path) -> None:
    before = set(filled.keys())

    ended = sweep(filled, tmp_path, dryRun=True)

    assert (ended.report["attempts"], ended.report["objects"]) == (1, 4)
    assert set(filled.keys()) == before


def test_what_was_written_since_stays(filled: Space, tmp_path: Path) -> None:
    before = set(filled.keys())

    ended = sweep(filled, tmp_path, writtenBefore=1_000_000_000)

    assert (ended.report["attempts"], ended.report["young"]) == (0, 1)
    assert set(filled.keys()) == before


def test_on_a_volume_the_folders_go_too_and_no_link_is_followed(tmp_path: Path) -> None:
    volume, outside = mounted(tmp_path), tmp_path / "outside"
    outside.write_text("stays")
    for attempt in (KEPT, GONE):
        for name in OUTPUT:
            (volume / TOP / attempt / name).parent.mkdir(parents=True, exist_ok=True)
            (volume / TOP / attempt / name).write_text("12345")
    (volume / TOP / GONE / "out/data/link").symlink_to(outside)
    order = {
        "datastore": datastore_document(a_claim()),
        "datasets": "model",
        "kept": names.prefix_mark(f"{TOP}/{KEPT}/"),
        "writtenBefore": LATER,
    }

    ended = run_mover("sweep", order, tmp_path)

    assert (ended.code, ended.report["attempts"]) == (0, 1), ended.errors
    assert [path.name for path in (volume / TOP / "r1-0a1b2c3d/train").iterdir()] == ["1-aa"]
    assert outside.read_text() == "stays"


@pytest.mark.parametrize("datasets", ["model/r1-0a1b2c3d", "model,", "../model"])
def test_an_order_that_would_reach_other_folders_is_refused(
    filled: Space, tmp_path: Path, datasets: str
) -> None:
    before = set(filled.keys())

    assert sweep(filled, tmp_path, datasets=datasets).code == 1
    assert set(filled.keys()) == before


def test_all_attempts_of_a_step_in_shards_stay_with_their_merge_and_go_as_one(
    local_s3: Space, tmp_path: Path
) -> None:
    attempts = [f"_shards/{attempt}" for attempt in ("1-aa", "1-bb", "2-cc")]
    kept, gone = f"{TOP}/r1-0a1b2c3d/map", f"{TOP}/r3-0a1b2c3d/map"
    for step in (kept, gone):
        for attempt in attempts:
            local_s3.put(f"{step}/{attempt}/out/data/inventory.jsonl.gz", b"12345")
            local_s3.put(f"{step}/{attempt}/out/inventory.jsonl.gz", b"12345")
    version = f"{kept}/_shards/2-cc/out/inventory.jsonl.gz"

    ended = sweep(local_s3, tmp_path, kept=names.prefix_mark(names.attempt_prefix_of(version)))

    assert (ended.code, ended.report["attempts"], ended.report["objects"]) == (0, 1, 6), ended.errors
    assert len(local_s3.keys(kept)) == 6
    assert not local_s3.keys(gone)
