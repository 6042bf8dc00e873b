"""URLs and archives become datasets: copied once into a real S3 server, looked at again without a copy, or refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from mover.certificates import certified
from mover.hostile_archives import ARCHIVE_TYPES, a_tar, a_zip, packed
from mover.movers import take_sources
from mover.pods import Ended, Pod, content_of, datastore, output, write_files
from mover.web_server import Page, WebServer, web_server

pytestmark = pytest.mark.server

FILES = [("a.jpg", b"one"), ("cats/b.jpg", b"two" * 9999), ("cats/c.txt", b"label"), ("empty.jpg", b"")]
PHOTOS = {"a.jpg": b"one", "cats/b.jpg": b"two" * 9999, "empty.jpg": b""}
PHOTO_GLOB = "**/*.jpg"


@pytest.fixture
def server() -> Iterator[WebServer]:
    with web_server() as running:
        yield running


def taken(space: Space, root: Path, *sources: Mapping[str, Any]) -> Ended:
    return take_sources(datastore(space), space.s3.admin, list(sources), root)


def an_object(path: str, **fields: Any) -> dict[str, Any]:
    return {"path": path, "datastore": "default", **fields}


def staged(space: Space, root: Path, inventory: Mapping[str, Any]) -> dict[str, bytes]:
    """What a step gets of an inventory, verified by stage-in."""
    pod = Pod(root, datastore(space), space.s3.admin, inputs=[("data", inventory)])
    ended = pod.stage_in()
    assert ended.code == 0, ended.errors
    return {path: content for path, (content, _) in content_of(root / "inputs/data").items()}


def copied(space: Space) -> list[str]:
    """The keys of copied files."""
    return [key for key in space.keys("team-a/copies/") if "/data/" in key]


def test_a_url_is_copied_once_and_staged_as_the_one_file_that_it_is(
    local_s3: Space, tmp_path: Path, server: WebServer
) -> None:
    content = os.urandom(20 << 20)
    server.pages["/files/iris.csv"] = Page(content, cuts=[9 << 20])
    source = {"url": server.url("/files/iris.csv")}

    first = taken(local_s3, tmp_path / "1", source)

    assert first.code == 0, first.errors
    assert (first.report["files"], first.report["bytes"]) == (1, len(content))
    assert (first.report["directory"], first.report["file"]) == (False, "iris.csv")
    assert staged(local_s3, tmp_path / "pod", first.report["inventory"]) == {"iris.csv": content}
    assert server.answered == [200, 206]
    assert taken(local_s3, tmp_path / "2", source).report == first.report
    assert (server.answered[-1], len(copied(local_s3))) == (304, 1)


def test_a_url_that_changed_is_copied_again_and_what_was_copied_stays(
    local_s3: Space, tmp_path: Path, server: WebServer
) -> None:
    server.pages["/a.csv"] = Page(b"before")
    source = {"url": server.url("/a.csv")}
    before = taken(local_s3, tmp_path / "1", source).report["inventory"]
    server.pages["/a.csv"].content = b"after"
    after = taken(local_s3, tmp_path / "2", source).report["inventory"]
    assert before["digest"] != after["digest"]
    assert staged(local_s3, tmp_path / "old", before) == {"a.csv": b"before"}
    assert staged(local_s3, tmp_path / "new", after) == {"a.csv": b"after"}


@pytest.mark.parametrize("gone", ["", "/inventory", "/data/", "/data/cats/b.jpg"])
def test_a_copy_of_which_something_is_gone_is_made_again(
    local_s3: Space, tmp_path: Path, server: WebServer, gone: str
) -> None:
    server.pages["/a.zip"] = Page(a_zip(FILES))
    source = {"url": server.url("/a.zip"), "archive": {"type": "Zip"}}
    first = taken(local_s3, tmp_path / "1", source).report["inventory"]
    for key in local_s3.keys("team-a/copies/"):
        if gone in key:
            local_s3.client.remove_object(local_s3.bucket, local_s3.prefix + key)
    again = taken(local_s3, tmp_path / "2", source).report["inventory"]
    assert again["digest"] == first["digest"]
    assert staged(local_s3, tmp_path / "pod", again) == dict(FILES)
    assert server.answered == [200, 200]
    assert taken(local_s3, tmp_path / "3", source).report["inventory"] == again
    assert server.answered == [200, 200, 304]


@pytest.mark.parametrize(
    ("type_", "ranges"), [*((type_, True) for type_ in ARCHIVE_TYPES), ("Zip", False), ("TarGz", False)]
)
def test_an_archive_behind_a_url_gives_exactly_what_its_glob_selects(
    local_s3: Space, tmp_path: Path, server: WebServer, type_: str, ranges: bool
) -> None:
    content = packed(type_, FILES)
    server.pages["/archive"] = Page(content, ranges=ranges, cuts=[len(content) // 2])
    source = {"url": server.url("/archive"), "archive": {"type": type_, "entryGlob": PHOTO_GLOB}}

    ended = taken(local_s3, tmp_path / "1", source)

    assert ended.code == 0, ended.errors
    assert (ended.report["files"], ended.report["directory"]) == (3, True)
    assert staged(local_s3, tmp_path / "pod", ended.report["inventory"]) == PHOTOS
    assert taken(local_s3, tmp_path / "2", source).report == ended.report
    assert len(copied(local_s3)) == 3


@pytest.mark.parametrize("type_", ["Zip", "TarZst"])
def test_an_archive_in_a_datastore_gives_the_same_digest_as_its_files_published_by_a_step(
    local_s3: Space, tmp_path: Path, type_: str
) -> None:
    local_s3.put("in/archive", packed(type_, FILES))
    archive = {"type": type_, "entryGlob": PHOTO_GLOB}
    ended = taken(local_s3, tmp_path / "1", an_object("in/archive", archive=archive))
    assert ended.code == 0, ended.errors
    assert staged(local_s3, tmp_path / "pod", ended.report["inventory"]) == PHOTOS
    assert ended.report["inventory"]["digest"] == published_digest(local_s3, tmp_path / "step", PHOTOS)
    kept = copied(local_s3)
    assert taken(local_s3, tmp_path / "2", an_object("in/archive", archive=archive)).report == ended.report
    assert copied(local_s3) == kept


def published_digest(space: Space, root: Path, files: Mapping[str, bytes]) -> str:
    """The digest of an output of these files."""
    pod = Pod(root, datastore(space), space.s3.admin, outputs=[output("out")])
    write_files(root / "outputs/out", files.items())
    ended = pod.publish()
    assert ended.code == 0, ended.errors
    digest: str = ended.report["outputs"][0]["inventory"]["digest"]
    return digest


def test_sources_known_by_content_have_the_digest_of_their_bytes_and_are_not_copied(
    local_s3: Space, tmp_path: Path
) -> None:
    files = {f"x/{number}.bin": os.urandom(1000 * number) for number in range(30)} | {
        "large": os.urandom(20 << 20)
    }
    for path, content in files.items():
        local_s3.put(f"in/{path}", content)

    ended = taken(local_s3, tmp_path / "1", an_object("in/", hash="Content"))

    assert ended.code == 0, ended.errors
    assert ended.report["inventory"]["digest"] == published_digest(local_s3, tmp_path / "step", files)
    assert int(ended.output) < 200 << 20
    assert staged(local_s3, tmp_path / "pod", ended.report["inventory"]) == files
    assert not copied(local_s3)


def test_sources_of_every_kind_are_one_dataset(local_s3: Space, tmp_path: Path, server: WebServer) -> None:
    local_s3.put("in/label.csv", b"labels")
    local_s3.put("deep/in/er.txt", b"deep")
    local_s3.put("more.tar", a_tar([("tar/x", b"x")]))
    server.pages["/b.csv"] = Page(b"b")
    server.pages["/c.zip"] = Page(a_zip([("zip/y", b"y")]))
    ended = taken(
        local_s3,
        tmp_path / "1",
        an_object("in/label.csv"),
        an_object("deep/**/*.txt", hash="Content"),
        an_object("more.tar", archive={"type": "Tar"}),
        {"url": server.url("/b.csv")},
        {"url": server.url("/c.zip"), "archive": {"type": "Zip"}},
    )
    assert ended.code == 0, ended.errors
    expected = {"label.csv": b"labels", "in/er.txt": b"deep", "tar/x": b"x", "b.csv": b"b", "zip/y": b"y"}
    assert staged(local_s3, tmp_path / "pod", ended.report["inventory"]) == expected


def test_overlapping_sources_name_both(local_s3: Space, tmp_path: Path, server: WebServer) -> None:
    server.pages["/a.csv"] = Page(b"web")
    local_s3.put("in/a.csv", b"1")
    local_s3.put("in/b/a.csv", b"2")
    url = taken(local_s3, tmp_path / "1", {"url": server.url("/a.csv?sig=secret")}, an_object("in/a.csv"))
    roots = taken(local_s3, tmp_path / "2", an_object("in/"), an_object("in/b/**"))
    apart = taken(local_s3, tmp_path / "3", an_object("in/"), an_object("in/b/"), an_object("in/*.csv"))
    assert [ended.report["reason"] for ended in (url, roots, apart)] == ["DuplicatePath"] * 3
    assert server.url("/a.csv?…") in url.report["message"]
    assert "'in/a.csv' in Datastore default" in url.report["message"]
    assert "'in/' in Datastore default and 'in/b/**' in Datastore default" in roots.report["message"]


def test_what_is_refused_leaves_no_copy_and_is_not_read_again(
    local_s3: Space, tmp_path: Path, server: WebServer
) -> None:
    files = [(f"fine/{number}", b"x" * 99) for number in range(50)] + [("../escape", b"x")]
    server.pages["/a.tar"] = Page(a_tar(files))
    ended = taken(local_s3, tmp_path, {"url": server.url("/a.tar"), "archive": {"type": "Tar"}})
    assert (ended.code, ended.report["reason"]) == (41, "UnsafePath")
    assert "'../escape'" in ended.report["message"]
    assert server.url("/a.tar") in ended.report["message"]
    assert not copied(local_s3)
    # Nor is it read again until it is another one.
    again = taken(local_s3, tmp_path, {"url": server.url("/a.tar"), "archive": {"type": "Tar"}})
    assert (again.report, server.answered) == (ended.report, [200, 304])
    server.pages["/a.tar"].content = a_tar(files[:50])
    mended = taken(local_s3, tmp_path, {"url": server.url("/a.tar"), "archive": {"type": "Tar"}})
    assert mended.report["files"] == 50


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"url": "/missing"}, "SourceNotFound"),
        ({"url": "/a.zip", "archive": {"type": "TarGz"}}, "ArchiveInvalid"),
        ({"url": "/a.zip", "archive": {"type": "Zip", "entryGlob": "*.png"}}, "SourceNotFound"),
        ({"url": "/a.zip", "archive": {"type": "Zip", "maxEntries": 1}}, "ArchiveTooLarge"),
        ({"url": "/a.zip", "archive": {"type": "Zip", "maxBytes": 100}}, "ArchiveTooLarge"),
        ({"path": "missing.zip", "archive": {"type": "Zip"}}, "SourceNotFound"),
        ({"url": "/a.zip", "partitionFormat": "/{year:yyyy}.zip"}, "PartitionMismatch"),
        ({"url": "/a%2F..%2Fb"}, "UnsafePath"),
    ],
)
def test_a_source_that_cannot_be_has_a_reason(
    local_s3: Space, tmp_path: Path, server: WebServer, fields: dict[str, Any], reason: str
) -> None:
    server.pages["/a.zip"] = server.pages["/a%2F..%2Fb"] = Page(a_zip(FILES))
    source = {**fields, "url": server.url(fields["url"])} if "url" in fields else an_object(**fields)
    ended = taken(local_s3, tmp_path, source)
    assert (ended.code, ended.report["reason"]) == (41, reason), ended.errors


def test_a_private_ca_is_that_of_its_config_map(local_s3: Space, tmp_path: Path) -> None:
    ca = tmp_path / "root/source-ca/my-ca/ca.crt"
    with web_server({"/a": Page(b"secure")}, certified(ca, tmp_path / "key")) as secure:
        source = {"url": secure.url("/a")}
        without = taken(local_s3, tmp_path / "root", source)
        ended = taken(local_s3, tmp_path / "root", {**source, "caConfigMap": "my-ca"})
        missing = taken(local_s3, tmp_path / "root", {**source, "caConfigMap": "other"})
        ca.write_text("nothing")
        broken = taken(local_s3, tmp_path / "root", {**source, "caConfigMap": "my-ca"})
    assert ended.code == 0, ended.errors
    assert staged(local_s3, tmp_path / "pod", ended.report["inventory"]) == {"a": b"secure"}
    refused = [without, missing, broken]
    assert {one.report["reason"] for one in refused} == {"CertificateNotTrusted"}
    assert ["'other'" in one.report["message"] for one in refused] == [False, True, False]
    assert "PEM" in broken.report["message"]


def test_columns_are_checked_and_their_format_is_kept_in_the_inventory(
    local_s3: Space, tmp_path: Path
) -> None:
    local_s3.put("raw/Sales/2019/01/02/data.csv", b"1")
    source = an_object("raw/Sales/", partitionFormat="/{dept}/{day:yyyy/MM/dd}/data.csv")
    ended = taken(local_s3, tmp_path / "1", source)
    plain = taken(local_s3, tmp_path / "2", an_object("raw/Sales/"))
    assert ended.code == 0, ended.errors
    assert ended.report["inventory"]["digest"] == plain.report["inventory"]["digest"]
    assert staged(local_s3, tmp_path / "pod", ended.report["inventory"]) == {"2019/01/02/data.csv": b"1"}
    local_s3.put("raw/Sales/notes.txt", b"2")
    refused = taken(local_s3, tmp_path / "3", source)
    assert refused.report["reason"] == "PartitionMismatch"
    assert "'raw/Sales/notes.txt'" in refused.report["message"]
    assert "{day:yyyy/MM/dd}" in refused.report["message"]
