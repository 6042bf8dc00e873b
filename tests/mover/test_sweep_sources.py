"""Inventories and copies of sources in a real S3 server: condemned, left to whoever took them up, and then deleted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from mover.breaking_proxy import breaking_proxy
from mover.forked import forked_movers
from mover.hostile_archives import a_zip
from mover.movers import run_mover, take_sources
from mover.pods import NAMESPACE, Ended, Pod, content_of, datastore
from mover.sweeps import OWNER, an_order, marks, prepared, sweep, write_lists
from mover.test_sweep import Dying
from mover.transfers import behind
from mover.volumes import a_claim, mounted
from mover.web_server import Page, WebServer, web_server
from towpath.flow import store_keys
from towpath.flow.documents import datastore_document

pytestmark = pytest.mark.server

LATER = 4_000_000_000
INVENTORIES, COPIES = f"{NAMESPACE}/inventories/", f"{NAMESPACE}/copies/"
FILES = [("a.jpg", b"one"), ("cats/b.jpg", b"two" * 9999)]
ARCHIVE = {"type": "Zip"}


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as running:
        running.pages["/a.zip"] = Page(a_zip(FILES))
        yield running


class Scene:
    """A space with the inventory of an archive behind a URL, and the copy that it names."""

    def __init__(self, space: Space, root: Path, server: WebServer) -> None:
        self.space, self.server, self._root, self._number = space, server, root, count()
        self.source: dict[str, Any] = {"url": server.url("/a.zip"), "archive": ARCHIVE}
        space.put(f"{NAMESPACE}/owner.json", OWNER)
        self.inventory = self.look()
        self.path = self.inventory["path"]
        self.folder = store_keys.copies_prefix(NAMESPACE, store_keys.copied_source(self.source))
        [self.copy] = self.copies()

    def look(self) -> dict[str, Any]:
        """Take the inventory, and say where it lies."""
        store = datastore(self.space)
        ended = take_sources(store, self.space.s3.admin, [self.source], self._place())
        assert ended.code == 0, ended.errors
        found: dict[str, Any] = ended.report["inventory"]
        return found

    def sweep(self, told: dict[str, Any] | None = None, **order: Any) -> Ended:
        said = {
            key: value for key, value in ({"condemnedBefore": LATER} | order).items() if value is not None
        }
        ended = sweep(self.space, self._place(), told or {}, **said)
        assert ended.code == 0, ended.errors
        return ended

    def copies(self) -> list[str]:
        """The folders of copies whose inventory is there."""
        suffix = store_keys.copy_inventory_key("", "")
        return [key.removesuffix(suffix[1:]) for key in self.space.keys(COPIES) if key.endswith(suffix)]

    def condemned(self) -> set[str]:
        return {key for key in self.space.keys(f"{NAMESPACE}/") if key.endswith("condemned")}

    def staged(self, inventory: dict[str, Any]) -> dict[str, bytes]:
        """What a step gets of it, each byte verified."""
        root = self._place()
        pod = Pod(root, datastore(self.space), self.space.s3.admin, inputs=[("data", inventory)])
        ended = pod.stage_in()
        assert ended.code == 0, ended.errors
        return {path: content for path, (content, _) in content_of(root / "inputs/data").items()}

    def _place(self) -> Path:
        return self._root / str(next(self._number))


@pytest.fixture
def scene(local_s3: Space, tmp_path: Path, server: WebServer) -> Scene:
    return Scene(local_s3, tmp_path, server)


def test_what_nothing_refers_to_is_condemned_first_and_goes_with_a_later_sweep(scene: Scene) -> None:
    before = set(scene.space.keys())

    first = scene.sweep()

    notes = {store_keys.condemned_inventory_key(scene.path), f"{scene.copy}condemned"}
    assert set(scene.space.keys()) == before | notes
    assert (first.report["young"], first.report["objects"]) == (2, 0)

    second = scene.sweep()

    told = {key: second.report[key] for key in ("inventories", "copies", "objects", "young", "attempts")}
    assert told == {"inventories": 1, "copies": 1, "objects": 4, "young": 0, "attempts": 0}
    assert second.report["names"] == [scene.path, scene.copy]
    # What names the latest copy goes when there is none any more.
    assert scene.sweep().report["names"] == [f"{scene.folder}latest.json"]
    assert scene.space.keys() == [f"{NAMESPACE}/owner.json"]


def test_what_a_version_or_a_run_refers_to_stays_and_the_copy_that_its_inventory_names(scene: Scene) -> None:
    scene.server.pages["/a.zip"].content = a_zip([("c.jpg", b"three")])
    newer = scene.look()
    [other] = set(scene.copies()) - {scene.copy}
    before = set(scene.space.keys())

    for _ in range(2):
        scene.sweep({"inventories": marks(scene.path)})

    gone = before - set(scene.space.keys())
    assert gone == {newer["path"], *(key for key in before if key.startswith(other))}
    assert scene.condemned() == set()
    assert scene.staged(scene.inventory) == dict(FILES)


def test_whole_copies_of_a_source_that_is_retained_stay_and_what_never_became_one_goes(scene: Scene) -> None:
    half = f"{scene.folder}{'0' * 32}/data/a.jpg"
    scene.space.put(half, b"half")

    for _ in range(2):
        scene.sweep({"inventories": marks("other"), "sources": marks(scene.folder)})

    left = set(scene.space.keys())
    assert (half in left, scene.path in left, scene.copies()) == (False, False, [scene.copy])
    assert f"{scene.folder}latest.json" in left
    assert scene.look()["digest"] == scene.inventory["digest"]
    assert scene.server.answered[-1] == 304


def test_who_looks_takes_up_nothing_that_is_condemned(scene: Scene) -> None:
    scene.sweep()

    again = scene.look()

    assert (again["digest"], scene.server.answered) == (scene.inventory["digest"], [200, 200])
    assert again["path"] not in (scene.path, "")
    scene.sweep({"inventories": marks(again["path"])})
    assert scene.space.keys(scene.path) == []
    assert scene.copy not in scene.copies()
    assert scene.staged(again) == dict(FILES)


def test_what_was_taken_up_a_moment_before_it_was_condemned_is_given_back(scene: Scene) -> None:
    scene.sweep()
    assert len(scene.condemned()) == 2

    # The look had begun before: by now its version refers to what it found.
    ended = scene.sweep({"inventories": marks(scene.path)})

    assert (ended.report["objects"], ended.report["young"], scene.condemned()) == (0, 0, set())
    assert scene.staged(scene.inventory) == dict(FILES)
    assert scene.look() == scene.inventory


@pytest.mark.parametrize(
    ("order", "young"),
    [
        ({"writtenBefore": 1_000_000_000}, 2),
        ({"writtenSince": LATER - 1}, 0),
        ({"dryRun": True}, 2),
        ({"condemnedBefore": None}, 0),
    ],
    ids=["young", "before its Datastore", "dry run", "not told"],
)
def test_what_is_young_or_another_datastores_and_all_that_is_only_asked_about_is_not_condemned(
    scene: Scene, order: dict[str, Any], young: int
) -> None:
    before = set(scene.space.keys())

    assert scene.sweep(**order).report["young"] == young
    assert set(scene.space.keys()) == before


def test_a_dry_run_says_what_would_go_and_leaves_it(scene: Scene) -> None:
    scene.sweep()
    before = set(scene.space.keys())

    ended = scene.sweep(dryRun=True)

    assert (ended.report["inventories"], ended.report["copies"], ended.report["objects"]) == (1, 1, 4)
    assert set(scene.space.keys()) == before


def test_what_was_condemned_while_somebody_looked_stays(scene: Scene) -> None:
    scene.sweep()
    before = set(scene.space.keys())

    assert scene.sweep(condemnedBefore=1_000_000_000).report["young"] == 2
    assert set(scene.space.keys()) == before


def test_where_a_kept_inventory_cannot_be_read_no_copy_goes(scene: Scene) -> None:
    scene.sweep()
    scene.space.put(scene.path, b"damaged")

    for _ in range(2):
        scene.sweep({"inventories": marks(scene.path)})

    assert scene.copies() == [scene.copy]


@pytest.mark.parametrize("base", ["", f"{NAMESPACE}/copies/", f"{NAMESPACE}/inventories/"])
def test_what_a_source_reads_in_place_stays(scene: Scene, base: str) -> None:
    there = set(scene.space.keys(f"{NAMESPACE}/{base.split('/')[1]}/" if base else ""))

    for _ in range(2):
        scene.sweep({"inPlace": [scene.space.prefix + base]})

    assert there <= set(scene.space.keys())


def test_of_another_owner_nothing_is_touched_wherever_he_lies(scene: Scene) -> None:
    # Beside us, and Datastores with the prefix `team-a/` in namespaces called `inventories` and `copies`.
    theirs = [
        f"{NAMESPACE}b/inventories/{'1' * 64}.jsonl.gz",
        f"{NAMESPACE}b/copies/{'1' * 64}/{'1' * 32}/data/x",
        f"{INVENTORIES}owner.json",
        f"{INVENTORIES}{'1' * 64}.jsonl.gz",
        f"{COPIES}owner.json",
        f"{COPIES}{'1' * 64}/{'1' * 32}/data/x",
    ]
    strange = [f"{INVENTORIES}notes.txt", f"{COPIES}notes/x", f"{scene.folder}notes/x"]
    for key in (*theirs, *strange):
        scene.space.put(key, b"another's")
    before = set(scene.space.keys())

    for _ in range(2):
        scene.sweep()

    assert set(scene.space.keys()) == before
    for key in (theirs[2], theirs[4]):
        scene.space.client.remove_object(scene.space.bucket, scene.space.prefix + key)
    for _ in range(2):
        scene.sweep()
    # Names like ours are ours, where no other owner is.
    assert set(scene.space.keys()) == {
        *theirs[:2],
        *strange,
        f"{NAMESPACE}/owner.json",
        f"{scene.folder}latest.json",
    }


def test_two_owners_in_one_bucket_sweep_only_their_own(scene: Scene, tmp_path: Path) -> None:
    other = replace(scene.space, prefix=f"{scene.space.prefix}other/")
    for key in scene.space.keys(f"{NAMESPACE}/"):
        other.put(key, scene.space.get(key))
    other.put(f"{NAMESPACE}/owner.json", OWNER.replace(b'"test"', b'"another"'))
    theirs = set(other.keys())

    for _ in range(2):
        scene.sweep()

    assert scene.copies() == []
    assert set(other.keys()) == theirs
    refused = sweep(other, tmp_path / "refused", {}, condemnedBefore=LATER)
    assert (refused.code, refused.report["reason"]) == (41, "OwnedElsewhere")
    assert set(other.keys()) == theirs


@pytest.mark.fault
def test_a_sweep_killed_at_each_of_its_requests_leaves_what_is_needed_and_the_next_ones_go_on(
    scene: Scene, tmp_path: Path
) -> None:
    scene.server.pages["/a.zip"].content = a_zip([("c.jpg", b"three")])
    scene.look()
    needed = {key for key in scene.space.keys(COPIES) if key.startswith(scene.copy)} | {scene.path}
    told = {"inventories": marks(scene.path)}
    root = tmp_path / "killed"
    root.mkdir()
    with breaking_proxy(scene.space.s3.endpoint) as proxy, forked_movers() as movers:
        place = behind(scene.space, proxy.endpoint)
        environ = prepared(place, root, told, condemnedBefore=LATER)
        for point in count(1):
            dying = Dying(point)
            proxy.rule = dying
            ended = movers.run(("sweep",), environ, root, dying.begun)
            assert needed <= set(scene.space.keys())
            if ended.code == 0:
                break
            assert ended.code == -signal.SIGKILL
    assert point > 10
    scene.sweep(told)
    assert set(scene.space.keys()) == {*needed, f"{scene.folder}latest.json", f"{NAMESPACE}/owner.json"}
    assert scene.staged(scene.inventory) == dict(FILES)


def test_on_a_volume_they_go_alike(tmp_path: Path, server: WebServer) -> None:
    volume = mounted(tmp_path)
    (volume / NAMESPACE).mkdir(parents=True)
    (volume / NAMESPACE / "owner.json").write_bytes(OWNER)
    source = {"url": server.url("/a.zip"), "archive": ARCHIVE}
    order = {"dataset": "photos", "type": "File", "sources": [source], "into": a_claim().name}
    taken = run_mover("take-inventory", order | {"datastores": [datastore_document(a_claim())]}, tmp_path)
    assert taken.code == 0, taken.errors
    write_lists(tmp_path, {})

    reports = [
        run_mover("sweep", an_order(a_claim(), condemnedBefore=LATER), tmp_path).report for _ in range(3)
    ]

    assert [(one["inventories"], one["copies"], one["young"]) for one in reports] == [
        (0, 0, 2),
        (1, 1, 0),
        (0, 0, 0),
    ]
    assert [path.name for path in volume.rglob("*") if path.is_file()] == ["owner.json"]
