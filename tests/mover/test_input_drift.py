"""What a step is given is what was pinned, or its failure names the object: on a real S3 server, whatever was done.

A swap in the middle of a read needs a proxy before the server: nobody else can act at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import obstore
import pytest
from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig

from cluster.access import S3
from cluster.space import Space, client_for, fresh_space
from flow.subset_records import split
from mover.breaking_proxy import Break, Request, breaking_proxy
from mover.movers import take_inventory
from mover.pods import Pod, content_of, datastore
from mover.transfers import HASTE, MiB, a_store, an_entry_of, behind, failure_of, fetch, found_in, noise
from towpath_mover import retry
from towpath_mover.exits import Exit
from towpath_mover.failures import Reason
from towpath_mover.inventory import Entry
from towpath_mover.objects import object_state

pytestmark = [pytest.mark.server, pytest.mark.fault]

SMALL, LARGE = noise(1000), noise(9 * MiB)


class Given(NamedTuple):
    """What was pinned: the entries, their contents, and the object in which they lie."""

    entries: list[Entry]
    contents: dict[str, bytes]
    key: str
    object: bytes


def reported(space: Space, content: bytes) -> Given:
    """One object, known by its ETag."""
    space.put("out/data/a", content)
    etag = space.client.stat_object(space.bucket, f"{space.prefix}out/data/a").etag
    return Given([Entry("a", len(content), etag=etag)], {"a": content}, "out/data/a", content)


def hashed(space: Space, content: bytes) -> Given:
    """One object, known by its bytes."""
    space.put("out/data/a", content)
    return Given([an_entry_of("a", content)], {"a": content}, "out/data/a", content)


def packed(space: Space, content: bytes) -> Given:
    """Two files in one object, the second behind the first."""
    contents = {"a": noise(500), "b": content}
    pack = contents["a"] + content
    space.put("out/data/packs/0", pack)
    entries = [
        an_entry_of("a", contents["a"])._replace(pack="packs/0", offset=0),
        an_entry_of("b", content)._replace(pack="packs/0", offset=500),
    ]
    return Given(entries, contents, "out/data/packs/0", pack)


CASES = [
    pytest.param(make, content, id=f"{make.__name__}-{size}")
    for make in (reported, hashed, packed)
    for size, content in (("small", SMALL), ("ranges", LARGE))
]
CHANGES: dict[str, Callable[[Space, Given], None]] = {
    "overwritten": lambda space, given: space.put(given.key, noise(len(given.object))),
    "deleted": lambda space, given: space.client.remove_object(space.bucket, space.prefix + given.key),
    "truncated": lambda space, given: space.put(given.key, given.object[:-7]),
    "cut in half": lambda space, given: space.put(given.key, given.object[: len(given.object) // 2]),
    "emptied": lambda space, given: space.put(given.key, b""),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)


@pytest.mark.parametrize(("make", "content"), CASES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_since_the_inventory_is_drift_that_names_the_object(
    local_s3: Space, tmp_path: Path, make: Callable[[Space, bytes], Given], content: bytes, change: str
) -> None:
    given, store = make(local_s3, content), a_store(local_s3, tmp_path)
    assert found_in(fetch(given.entries, store, tmp_path / "before")) == given.contents
    CHANGES[change](local_s3, given)
    failed = failure_of(lambda: fetch(given.entries, store, tmp_path / "target"))
    assert (failed.reason, failed.exit) == (Reason.INPUT_DRIFT, Exit.DATA_CHANGED)
    assert f"{local_s3.prefix}{given.key}" in failed.message
    if len(given.entries) > 1:
        assert "file 'a' in" in failed.message or "file 'b' in" in failed.message
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(("make", "content"), CASES)
@pytest.mark.parametrize("change", ["overwritten", "deleted", "cut in half"])
def test_a_change_in_the_middle_of_a_read_is_drift(
    local_s3: Space, tmp_path: Path, make: Callable[[Space, bytes], Given], content: bytes, change: str
) -> None:
    given = make(local_s3, content)
    breaking = Break(cut_after=100, meanwhile=lambda: CHANGES[change](local_s3, given))

    def rule(request: Request) -> Break | None:
        return breaking if request.method == "GET" and not request.before else None

    with breaking_proxy(local_s3.s3.endpoint, rule) as proxy:
        patience = HASTE._replace(read_timeout=30, tries=2)
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, patience)
        # The first file alone: of the others some may be there before anything changed.
        failed = failure_of(lambda: fetch(given.entries[-1:], store, tmp_path / "target"))
    assert failed.reason is Reason.INPUT_DRIFT
    assert given.key in failed.message
    assert not (tmp_path / "target").exists()


def test_a_view_drifts_by_what_it_selects_and_by_nothing_else(local_s3: Space, tmp_path: Path) -> None:
    files = {f"{number:02}": noise(100) for number in range(20)}
    for name, content in files.items():
        local_s3.put(f"in/{name}", content)
    report = take_inventory(datastore(local_s3), local_s3.s3.admin, ["in"], tmp_path / "inventory").report
    chain = [split("train", {"train": 50, "test": None})]

    def staged(name: str) -> Pod:
        given = [("data", report["inventory"])]
        return Pod(tmp_path / name, datastore(local_s3), local_s3.s3.admin, inputs=given, transforms=chain)

    assert staged("before").stage_in().code == 0
    selected = {path: content for path, (content, _) in content_of(tmp_path / "before/inputs/data").items()}
    assert 0 < len(selected) < 20
    for name in files.keys() - selected.keys():
        local_s3.put(f"in/{name}", b"other")
    assert staged("others").stage_in().code == 0
    changed = max(selected)
    local_s3.put(f"in/{changed}", noise(100))
    ended = staged("selected").stage_in()
    assert (ended.code, ended.report["reason"]) == (42, "InputDrift")
    assert f"{local_s3.prefix}in/{changed}" in ended.report["message"]


@pytest.fixture
def versioned(s3_server: S3) -> Iterator[Space]:
    """A space in a bucket that keeps versions."""
    s3 = replace(s3_server, bucket="towpath-versioned")
    client = client_for(s3)
    if not client.bucket_exists(s3.bucket):
        client.make_bucket(s3.bucket)
        client.set_bucket_versioning(s3.bucket, VersioningConfig(ENABLED))
    with fresh_space(s3) as space:
        yield space


@pytest.mark.parametrize("source", ["in", "in/a", "in/*"])
def test_of_a_bucket_that_keeps_versions_the_pinned_ones_are_given_whatever_came_later(
    versioned: Space, tmp_path: Path, source: str
) -> None:
    versioned.put("in/a", b"before")
    versioned.put("in/a", b"pinned")
    report = take_inventory(datastore(versioned), versioned.s3.admin, [source], tmp_path / "taken").report
    assert report["files"] == 1
    for change in (
        lambda: versioned.put("in/a", b"later!"),
        lambda: versioned.client.remove_object(versioned.bucket, f"{versioned.prefix}in/a"),
    ):
        change()
        pod = Pod(tmp_path / "pod", datastore(versioned), versioned.s3.admin, [("data", report["inventory"])])
        ended = pod.stage_in()
        assert ended.code == 0, ended.errors
        assert content_of(tmp_path / "pod/inputs/data") == {"a": (b"pinned", False)}
        (tmp_path / "pod/inputs/data/a").unlink()
        (tmp_path / "pod/inputs/data").rmdir()


def test_of_a_large_file_the_ranges_of_the_pinned_version_are_read(versioned: Space, tmp_path: Path) -> None:
    versioned.put("out/data/a", LARGE)
    store = a_store(versioned, tmp_path)
    state = object_state(store, "out/data/a")
    versioned.put("out/data/a", noise(len(LARGE)))
    assert state is not None
    assert state.version is not None
    pinned = Entry("a", len(LARGE), etag=state.etag, version=state.version)
    with pytest.MonkeyPatch.context() as patch:
        # By another than the client, which is asked where that one is refused.
        patch.delattr(obstore, "get")
        target = fetch([pinned], store, tmp_path / "target")
    assert found_in(target) == {"a": LARGE}


def test_a_deleted_object_of_a_bucket_that_keeps_versions_is_not_listed(
    versioned: Space, tmp_path: Path
) -> None:
    versioned.put("in/a", b"1")
    versioned.put("in/gone", b"2")
    versioned.client.remove_object(versioned.bucket, f"{versioned.prefix}in/gone")
    assert [found.key for found in a_store(versioned, tmp_path).list_objects("in/")] == ["in/a"]


def test_who_may_not_read_versions_reads_by_etag(versioned: Space, tmp_path: Path) -> None:
    versioned.put("out/data/a", b"pinned")
    state = object_state(a_store(versioned, tmp_path), "out/data/a")
    assert state is not None
    assert state.version is not None
    pinned = Entry("a", 6, etag=state.etag, version=state.version)

    def no_versions(request: Request) -> Break | None:
        return Break(403, code="AccessDenied") if "versionId" in request.query else None

    with breaking_proxy(versioned.s3.endpoint, no_versions) as proxy:
        store = a_store(behind(versioned, proxy.endpoint), tmp_path)
        assert found_in(fetch([pinned], store, tmp_path / "target")) == {"a": b"pinned"}
        versioned.put("out/data/a", b"later!")
        failed = failure_of(lambda: fetch([pinned], store, tmp_path / "other"))
    assert failed.reason is Reason.INPUT_DRIFT


def test_who_may_not_ask_for_versions_is_given_the_plain_listing(versioned: Space, tmp_path: Path) -> None:
    versioned.put("in/a", b"1")

    def no_versions(request: Request) -> Break | None:
        return Break(403, code="AccessDenied") if "versioning" in request.query else None

    with breaking_proxy(versioned.s3.endpoint, no_versions) as proxy:
        [found] = a_store(behind(versioned, proxy.endpoint), tmp_path).list_objects("in/")
    assert (found.key, found.version) == ("in/a", None)
