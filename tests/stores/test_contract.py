"""What `Store` promises, held by every kind of store against a real server of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mover.owners import claimed_at_once
from mover.transfers import MiB, fetch, files_in, found_in, noise, send
from stores.places import GcsJudge, Place, Volume
from towpath_mover.download import download
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.objects import delete_object, object_state, read_object, write_object
from towpath_mover.open_uploads import open_uploads
from towpath_mover.pack_upload import Prefixes, upload_packed
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.stores import ANY_STATE, PROBE, TRANSFER, Kind, ListedObject, Parts, Pin, Span, Store

# The first test of a kind also builds its server, once on a machine.
pytestmark = [pytest.mark.server, pytest.mark.timeout(600)]

ODD = (
    "sp ace",
    "pl+us",
    "%20",
    "é",
    "😀",
    "q?x",
    "h#x",
    "st*r",
    "til~de",
    ".lead",
    "semi;=,&",
    "a" * 200,
    "x/y/z",
)


@pytest.fixture
def store(place: Place | Volume, tmp_path: Path) -> Store:
    return place.open(tmp_path, PROBE)


def refused(action: Callable[[], object]) -> Reason:
    with pytest.raises(MoverFailure) as raised:
        action()
    return raised.value.reason


def listed(store: Store, prefix: str = "", recursive: bool = True) -> dict[str, ListedObject]:
    return {found.key: found for found in store.list_objects(prefix, recursive=recursive)}


def test_what_is_written_is_there_and_is_read_back(store: Store, place: Place | Volume) -> None:
    store.write("folder/a", b"one")
    assert (place.get("folder/a"), place.keys()) == (b"one", ["folder/a"])
    body = store.read("folder/a")
    assert body.state.size == 3
    assert bytes(body.whole()) == b"one"
    stream = store.stream("folder/a", ANY_STATE, Span(1, 3))
    assert stream.state.size == 3
    assert b"".join(map(bytes, stream.pieces())) == b"ne"


def test_a_write_replaces_what_was_there(store: Store, place: Place | Volume) -> None:
    store.write("a", b"one")
    store.write("a", b"another")
    assert place.get("a") == b"another"


def test_of_two_who_create_an_object_the_first_is_kept(store: Store, place: Place | Volume) -> None:
    store.create("owner", b"first")
    store.create("owner", b"second")
    assert place.get("owner") == b"first"


def test_of_clusters_that_claim_a_place_at_once_one_is_let_in(store: Store) -> None:
    for turn in range(5):
        told = claimed_at_once(store, turn)
        assert told == [None, *[Reason.OWNED_ELSEWHERE] * 3]


def test_what_is_missing_is_said_to_be_missing(store: Store) -> None:
    assert refused(lambda: store.read("none")) is Reason.OBJECT_NOT_FOUND
    assert refused(lambda: store.state("none")) is Reason.OBJECT_NOT_FOUND
    assert object_state(store, "none") is None


def test_an_empty_object_is_an_object(store: Store, place: Place | Volume) -> None:
    store.write("empty", b"")
    assert place.get("empty") == b""
    assert store.state("empty").size == 0
    assert bytes(store.read("empty").whole()) == b""
    assert listed(store)["empty"].size == 0


def test_a_span_is_read_of_the_pinned_state_only(store: Store, place: Place | Volume) -> None:
    store.write("a", b"0123456789")
    pin = Pin(store.state("a").etag)
    assert bytes(store.read("a", pin, Span(2, 5)).whole()) == b"234"
    assert store.read("a", pin, Span(2, 5)).state.size == 10
    place.put("a", b"9876543210")
    for span in (None, Span(2, 5)):
        assert refused(lambda span=span: store.read("a", pin, span).whole()) is Reason.INPUT_DRIFT  # type: ignore[misc]


def test_the_pin_of_a_listing_is_the_pin_of_a_read(store: Store, place: Place | Volume) -> None:
    place.put("a", b"one")
    found = listed(store)["a"]
    assert found[:3] == ("a", 3, store.state("a").etag)
    # The server of Google's protocol has a day of its own.
    assert 0 < (found.modified or 0) < time.time() + 60
    assert bytes(store.read("a", Pin(found.etag)).whole()) == b"one"


def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: Store, place: Place | Volume) -> None:
    store.write("a", b"one")
    for _ in range(2):
        store.delete("a")
    delete_object(store, "never-there")
    assert place.keys() == []


def test_parts_become_one_object_however_they_come(store: Store, place: Place | Volume) -> None:
    content = noise(17 * MiB)
    pieces = (content[start : start + MiB] for start in range(0, len(content), MiB))
    store.write_parts("large", pieces, Parts(8 * MiB, 2))
    assert place.get("large") == content
    state = store.state("large")
    assert state.size == len(content)
    assert (
        bytes(store.read("large", Pin(state.etag), Span(8 * MiB - 2, 8 * MiB + 2)).whole())
        == content[8 * MiB - 2 :][:4]
    )


def test_a_write_that_fails_on_the_way_leaves_nothing(store: Store, place: Place | Volume) -> None:
    place.put("large", b"as it was")

    def broken() -> Iterator[bytes]:
        yield b"x" * (9 * MiB)
        raise MoverFailure(Reason.OUTPUT_CHANGED, "it changed")

    assert refused(lambda: store.write_parts("large", broken(), Parts(8 * MiB, 1))) is Reason.OUTPUT_CHANGED
    assert (place.get("large"), place.keys()) == (b"as it was", ["large"])


@pytest.mark.parametrize("key", ODD)
def test_a_key_with_odd_characters_stays_what_it_is(store: Store, place: Place | Volume, key: str) -> None:
    store.write(f"odd/{key}", key.encode())
    assert place.keys() == [f"odd/{key}"]
    assert read_object(store, f"odd/{key}") == key.encode()
    assert list(listed(store, "odd/")) == [f"odd/{key}"]
    store.delete(f"odd/{key}")
    assert place.keys() == []


def test_a_listing_has_all_pages_and_only_what_is_below(store: Store, place: Place | Volume) -> None:
    for key in ("d/a/b", "d/x", "d-e", "d.txt", "z"):
        place.put(key, b"1")
    assert sorted(listed(store)) == ["d-e", "d.txt", "d/a/b", "d/x", "z"]
    assert sorted(listed(store, "d/")) == ["d/a/b", "d/x"]
    assert list(listed(store, "none/")) == []


def test_one_level_has_its_objects_and_its_folders(store: Store, place: Place | Volume) -> None:
    for key in ("d/a/b", "d/a/c", "d/x", "e"):
        place.put(key, b"1")
    assert sorted(listed(store, "d/", recursive=False)) == ["d/a/", "d/x"]
    assert listed(store, "d/", recursive=False)["d/a/"].etag is None
    assert sorted(listed(store, recursive=False)) == ["d/", "e"]


def test_hostile_keys_are_listed_as_they_are_and_end_nothing(store: Store, place: Place | Volume) -> None:
    for key in (*place.hostile, "good"):
        place.put(key, b"1")
    assert sorted(listed(store)) == sorted((*place.hostile, "good"))
    store.try_list()


def test_a_bucket_that_is_not_there_is_named(bucket: Place, tmp_path: Path) -> None:
    name = "container" if bucket.kind == "azureBlob" else "bucket"
    store = bucket.elsewhere(**{name: "never-made"}).open(tmp_path, PROBE)
    for action in (store.try_list, lambda: store.write("a", b"1"), lambda: listed(store)):
        assert refused(action) is Reason.BUCKET_NOT_FOUND
    assert refused(lambda: store.read("a")) is Reason.BUCKET_NOT_FOUND
    assert "'never-made'" in store.where()


def test_files_travel_both_ways_and_are_verified(store: Store, place: Place | Volume, tmp_path: Path) -> None:
    contents = {f"some/file-{number}": noise(number * 100) for number in range(20)} | {
        "large": noise(20 * MiB)
    }
    sent = send(files_in(tmp_path / "source", contents), store)
    assert found_in(fetch(sent.values(), store, tmp_path / "target")) == contents
    assert place.get("out/data/large") == contents["large"]


def test_a_file_of_any_size_is_written_whole(store: Store, place: Place | Volume, tmp_path: Path) -> None:
    for size in (0, 1, 8 * MiB, 8 * MiB + 1):
        file = tmp_path / "file"
        file.write_bytes(noise(size))
        write_object(store, "file", file)
        assert place.get("file") == file.read_bytes()


def test_files_in_a_pack_go_and_come_and_one_that_it_does_not_hold_is_named(
    place: Place | Volume, tmp_path: Path
) -> None:
    store = place.open(tmp_path, TRANSFER)
    contents = {f"{number}": noise(300_000) for number in range(8)}
    prefixes = Prefixes("out/data/", "out/packs/")
    sent = upload_packed(files_in(tmp_path / "source", contents), store, prefixes, Progress("up"))
    entries = sorted(sent, key=lambda entry: entry.path)
    assert place.get("out/packs/00000000") == b"".join(contents.values())

    def fetched(entries: list[Entry], name: str) -> dict[str, bytes]:
        target = tmp_path / name
        download(entries, [Source(store, prefix) for prefix in prefixes], target, Progress("down"))
        return found_in(target)

    assert fetched(entries, "all") == contents
    assert fetched(entries[::7], "some") == {path: contents[path] for path in ("0", "7")}
    # The stand-in for Google's breaks the connection there, where Google answers.
    for offset in () if place.kind == Kind.GCS else (2_200_000, 3_000_000):
        misplaced = [*entries[:-1], entries[-1]._replace(offset=offset)]
        with pytest.raises(
            MoverFailure, match=r"file '7' in .*packs/00000000.*: its pack (ends|is shorter)"
        ) as raised:
            fetched(misplaced, f"at-{offset}")
        assert raised.value.reason is Reason.INPUT_DRIFT


def test_uploads_that_nobody_completed_are_found_below_a_prefix_and_aborted(
    store: Store, place: Place | Volume, tmp_path: Path
) -> None:
    place.begin("team-a/runs/one/large file é")
    place.begin("team-a/runs/two/large")
    place.begin("team-ab/runs/one/large")
    if not place.begun():
        assert list(open_uploads(store, place.places(tmp_path), "team-a/")) == []
        return

    found = {upload.key: upload for upload in open_uploads(store, place.places(tmp_path), "team-a/")}

    assert len(found) == 2
    assert all(0 < upload.began < time.time() + 60 for upload in found.values())
    for _ in range(2):
        next(upload for key, upload in found.items() if "/two/" in key).abort()
    assert place.begun() == ["team-a/runs/one/large file é", "team-ab/runs/one/large"]


@pytest.mark.parametrize("size", [100, 20 * MiB], ids=["whole", "in ranges"])
def test_other_bytes_are_named_where_the_server_minds_no_condition(
    gcs: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    place = gcs.fresh()
    store = place.open(tmp_path, PROBE)
    place.put("a", noise(size))
    pinned = Entry("a", size, etag=store.state("a").etag)
    assert isinstance(gcs.judge, GcsJudge)
    monkeypatch.setattr(gcs.judge.server, "minds_conditions", False)
    fetch([pinned], store, tmp_path / "before", "")
    place.put("a", bytes(reversed(place.get("a"))))
    with pytest.raises(MoverFailure) as raised:
        fetch([pinned], store, tmp_path / "after", "")
    assert raised.value.reason is Reason.INPUT_DRIFT
    assert f"its ETag is {store.state('a').etag} now" in raised.value.message
    assert not (tmp_path / "after").exists()
