"""Verifying outputs in a real S3 server and on a volume: there is only what is whole, and everything else is named."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from cluster.store import Identity
from mover.movers import take_inventory, verify_outputs
from mover.pods import ATTEMPT_ID, Ended, Pod, datastore, output, write_files
from mover.volumes import a_claim, mounted
from towpath.flow import store_keys

pytestmark = pytest.mark.server

FILES = [("a.bin", b"x" * 5000), ("empty", b""), ("deep/räks 1%+.txt", b"text")]
DATA = f"team-a/runs/iris-0123abcd/prep/{ATTEMPT_ID}/model/data/"
INVENTORY = f"team-a/runs/iris-0123abcd/prep/{ATTEMPT_ID}/model/inventory.jsonl.gz"


def published(space: Space, root: Path) -> list[dict[str, Any]]:
    """The inventories of two outputs, model and note, that were published."""
    pod = Pod(root, datastore(space), space.s3.admin, outputs=[output("model"), output("note")])
    write_files(root / "outputs/model", FILES)
    (root / "outputs/note").write_bytes(b"note")
    ended = pod.publish()
    assert ended.code == 0, ended.errors
    return [out["inventory"] for out in ended.report["outputs"]]


def looked_at(space: Space, inventories: list[Any], root: Path) -> Ended:
    ended = verify_outputs(datastore(space), space.s3.admin, inventories, root)
    assert ended.code == 0, ended.errors
    return ended


def marks(*inventories: dict[str, Any]) -> str:
    return ",".join(
        store_keys.inventory_mark(one["datastore"], one["path"], one["digest"]) for one in inventories
    )


def test_outputs_that_are_whole_are_there(local_s3: Space, tmp_path: Path) -> None:
    model, note = published(local_s3, tmp_path / "pod")

    report = looked_at(local_s3, [model, note], tmp_path).report

    assert report == {"formatVersion": 1, "there": marks(model, note), "gone": "", "why": ""}


def without(key: str) -> Callable[[Space], None]:
    return lambda space: space.client.remove_object(space.bucket, space.prefix + key)


def longer(space: Space) -> None:
    space.put(f"{DATA}a.bin", b"x" * 5001)


def other_inventory(space: Space) -> None:
    header, *lines = gzip.decompress(space.get(INVENTORY)).splitlines(keepends=True)
    space.put(INVENTORY, gzip.compress(b"".join([header, *lines[1:]])))


HARM: dict[str, tuple[Callable[[Space], None], str]] = {
    "a file": (without(f"{DATA}deep/räks 1%+.txt"), "1 of the 3 objects"),
    "an empty file": (without(f"{DATA}empty"), "1 of the 3 objects"),
    "the inventory": (without(INVENTORY), "inventory.jsonl.gz"),
    "the size": (longer, "1 of the 3 objects"),
    "the list": (other_inventory, "was pinned"),
    "the format": (lambda space: space.put(INVENTORY, b"no gzip"), "cannot be read"),
}


@pytest.mark.parametrize("what", HARM)
def test_an_output_of_which_something_is_gone_is_gone_and_the_other_is_there(
    local_s3: Space, tmp_path: Path, what: str
) -> None:
    model, note = published(local_s3, tmp_path / "pod")
    harm, words = HARM[what]
    harm(local_s3)

    report = looked_at(local_s3, [model, note], tmp_path).report

    assert (report["there"], report["gone"]) == (marks(note), marks(model))
    assert words in report["why"]


PACKS = DATA.replace("/data/", "/packs/")
HARM_TO_PACKS: dict[str, Callable[[Space], None]] = {
    "its pack": without(f"{PACKS}00000000"),
    "the end of its pack": lambda space: space.put(f"{PACKS}00000000", b"x" * 5003),
    "the file beside": without(f"{DATA}large"),
}


@pytest.mark.parametrize("what", [None, *HARM_TO_PACKS])
def test_an_output_in_packs_is_there_as_long_as_each_of_them_is_whole(
    local_s3: Space, tmp_path: Path, what: str | None
) -> None:
    pod = Pod(
        tmp_path / "pod", datastore(local_s3), local_s3.s3.admin, outputs=[output("model", packed=True)]
    )
    write_files(tmp_path / "pod/outputs/model", [*FILES, ("large", b"l" * ((1 << 20) + 1))])
    ended = pod.publish()
    assert ended.code == 0, ended.errors
    model = ended.report["outputs"][0]["inventory"]
    if what is not None:
        HARM_TO_PACKS[what](local_s3)

    report = looked_at(local_s3, [model], tmp_path).report

    there, gone = (marks(model), "") if what is None else ("", marks(model))
    assert (report["there"], report["gone"]) == (there, gone)
    assert ("1 of the 2 objects" in report["why"]) == (what is not None)


def test_an_inventory_of_another_digest_is_not_what_was_asked_for(local_s3: Space, tmp_path: Path) -> None:
    model, _ = published(local_s3, tmp_path / "pod")
    asked = model | {"digest": "sha256:" + "0" * 64}

    assert looked_at(local_s3, [asked], tmp_path).report["gone"] == marks(asked)


def test_files_known_by_their_etag_are_there_as_long_as_that_is_theirs(
    local_s3: Space, tmp_path: Path
) -> None:
    local_s3.put("raw/a", b"one")
    local_s3.put("raw/b", b"two")
    store = datastore(local_s3)
    taken = take_inventory(store, local_s3.s3.admin, ["raw/"], tmp_path).report["inventory"]
    assert looked_at(local_s3, [taken], tmp_path).report["gone"] == ""

    local_s3.put("raw/b", b"2.0")

    assert looked_at(local_s3, [taken], tmp_path).report["there"] == ""


def test_a_store_that_refuses_says_nothing_of_any_output(local_s3: Space, tmp_path: Path) -> None:
    inventories = published(local_s3, tmp_path / "pod")
    unknown = Identity("nobody", "n" * 40)

    ended = verify_outputs(datastore(local_s3), unknown, inventories, tmp_path)

    assert ended.code == 44
    assert "there" not in ended.report


def test_outputs_on_a_volume_are_there_until_a_file_is_taken_away(tmp_path: Path) -> None:
    root = tmp_path / "pod"
    pod = Pod(root, a_claim(), None, outputs=[output("model")])
    folder = mounted(root)
    write_files(root / "outputs/model", FILES)
    ended = pod.publish()
    assert ended.code == 0, ended.errors
    inventory = ended.report["outputs"][0]["inventory"]
    assert verify_outputs(a_claim(), None, [inventory], root).report["there"] == marks(inventory)

    (folder / DATA / "empty").unlink()

    assert verify_outputs(a_claim(), None, [inventory], root).report["gone"] == marks(inventory)


def test_the_report_of_as_many_outputs_as_one_mover_gets_is_short_enough(
    local_s3: Space, tmp_path: Path
) -> None:
    asked = [
        {"datastore": "default", "path": f"gone/{number}", "digest": "sha256:" + "0" * 64}
        for number in range(150)
    ]

    report = looked_at(local_s3, asked, tmp_path).report

    assert report["gone"] == marks(*asked)
    assert (tmp_path / "termination-log").stat().st_size <= 2457
