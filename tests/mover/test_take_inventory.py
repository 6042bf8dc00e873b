"""Listing a dataset's sources in a real S3 server: what is in the inventory, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.space import Space
from mover.movers import take_inventory
from mover.pods import Ended, Pod, content_of, datastore

pytestmark = pytest.mark.server

FILES = {
    "iris.csv": b"5.1,3.5\n",
    "images/1.jpg": b"one",
    "images/cats/2.jpg": b"two!",
    "images/cats/2.txt": b"label",
    "images/dogs/deep/3.jpg": b"three",
}


def taken(space: Space, root: Path, *paths: str) -> Ended:
    return take_inventory(datastore(space), space.s3.admin, list(paths), root)


@pytest.fixture
def flowers(local_s3: Space) -> Space:
    for key, content in FILES.items():
        local_s3.put(key, content)
    return local_s3


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("iris.csv", {"iris.csv": "iris.csv"}),
        ("images/cats/2.jpg", {"2.jpg": "images/cats/2.jpg"}),
        ("images/cats", {"2.jpg": "images/cats/2.jpg", "2.txt": "images/cats/2.txt"}),
        ("images/cats/", {"2.jpg": "images/cats/2.jpg", "2.txt": "images/cats/2.txt"}),
        ("images/*.jpg", {"1.jpg": "images/1.jpg"}),
        ("images/**/*.txt", {"cats/2.txt": "images/cats/2.txt"}),
        (
            "**/[23].jpg",
            {"images/cats/2.jpg": "images/cats/2.jpg", "images/dogs/deep/3.jpg": "images/dogs/deep/3.jpg"},
        ),
        ("**", {key: key for key in FILES}),
    ],
)
def test_a_source_is_staged_as_the_files_that_it_means(
    flowers: Space, tmp_path: Path, path: str, expected: dict[str, str]
) -> None:
    ended = taken(flowers, tmp_path / "inventory", path)
    assert ended.code == 0, ended.errors
    report = ended.report
    assert (report["files"], report["bytes"]) == (
        len(expected),
        sum(len(FILES[key]) for key in expected.values()),
    )
    assert (report["directory"], report.get("file")) == (
        path not in FILES,
        path.rsplit("/", maxsplit=1)[-1] if path in FILES else None,
    )
    assert report["datastores"] == ["default"]
    pod = Pod(tmp_path / "pod", datastore(flowers), flowers.s3.admin, inputs=[("data", report["inventory"])])
    staged = pod.stage_in()
    assert staged.code == 0, staged.errors
    got = {name: content for name, (content, _) in content_of(tmp_path / "pod/inputs/data").items()}
    assert got == {name: FILES[key] for name, key in expected.items()}


def test_the_same_sources_give_the_same_inventory_and_our_own_objects_are_none(
    flowers: Space, tmp_path: Path
) -> None:
    first = taken(flowers, tmp_path, "**").report
    second = taken(flowers, tmp_path, "**").report
    assert first == second
    path = first["inventory"]["path"]
    assert path.startswith("team-a/inventories/")
    assert flowers.get(path)


def test_a_changed_object_gives_another_digest(flowers: Space, tmp_path: Path) -> None:
    first = taken(flowers, tmp_path, "iris.csv").report["inventory"]["digest"]
    flowers.put("iris.csv", b"other")
    assert taken(flowers, tmp_path, "iris.csv").report["inventory"]["digest"] != first


def test_an_object_that_changes_after_it_was_pinned_is_drift(flowers: Space, tmp_path: Path) -> None:
    report = taken(flowers, tmp_path / "inventory", "iris.csv").report
    flowers.put("iris.csv", b"9.9,9.9\n")
    pod = Pod(tmp_path / "pod", datastore(flowers), flowers.s3.admin, inputs=[("data", report["inventory"])])
    staged = pod.stage_in()
    assert (staged.code, staged.report["reason"]) == (42, "InputDrift")
    assert "iris.csv" in staged.report["message"]


@pytest.mark.parametrize(
    ("path", "near"), [("iris.cvs", "'iris.csv'"), ("imges", "'images/'"), ("images/*.png", "'images/'")]
)
def test_a_source_that_matches_nothing_names_what_is_near(
    flowers: Space, tmp_path: Path, path: str, near: str
) -> None:
    ended = taken(flowers, tmp_path, path)
    assert (ended.code, ended.report["reason"]) == (41, "SourceNotFound")
    assert path in ended.report["message"]
    assert near in ended.report["message"]


def test_several_sources_are_one_dataset(flowers: Space, tmp_path: Path) -> None:
    report = taken(flowers, tmp_path, "iris.csv", "images/cats").report
    assert (report["files"], report["directory"]) == (3, True)


def test_two_sources_with_a_file_of_one_path_are_both_named(flowers: Space, tmp_path: Path) -> None:
    flowers.put("other/2.jpg", b"another")
    ended = taken(flowers, tmp_path, "images/cats", "other")
    assert (ended.code, ended.report["reason"]) == (41, "DuplicatePath")
    for word in ("'2.jpg'", "'images/cats'", "'other'"):
        assert word in ended.report["message"]


def test_a_key_that_no_disk_can_hold_is_refused_by_name(flowers: Space, tmp_path: Path) -> None:
    flowers.put("images/new\nline.jpg", b"x")
    ended = taken(flowers, tmp_path, "images")
    assert (ended.code, ended.report["reason"]) == (41, "UnsafeKey")
    assert "new\\nline.jpg" in ended.report["message"]
    assert taken(flowers, tmp_path, "images/cats").code == 0


def test_wrong_keys_are_a_named_failure(flowers: Space, tmp_path: Path) -> None:
    wrong = type(flowers.s3.admin)("AKIANOBODY", "secret-of-nobody")
    ended = take_inventory(datastore(flowers), wrong, ["**"], tmp_path)
    assert (ended.code, ended.report["reason"]) == (44, "CredentialsRefused")
    assert "secret-of-nobody" not in ended.errors + str(ended.report)
