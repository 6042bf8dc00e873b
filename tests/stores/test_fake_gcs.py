"""What movers read of a bucket that another's implementation of Google Cloud Storage holds: fake-gcs-server.

Its XML API lists, reads and deletes. It takes nothing by it (only by the JSON API), shows no multipart uploads, and
reads whatever `If-Match` says; so the contract of all stores is held by a stand-in of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mover.transfers import MiB, fetch, found_in, noise
from stores import servers
from stores.places import Place
from stores.programs import FAKE_GCS, is_built
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory_order import SourceOrder
from towpath_mover.objects import object_state
from towpath_mover.sources import open_source
from towpath_mover.stores import ANY_STATE, PROBE, Pin, Span, Store

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(900),
    *(() if is_built(FAKE_GCS) else (pytest.mark.long,)),
]

FILES = {
    "folder/a": b"one",
    "folder/sp ace + é %20 ?#": b"odd",
    "folder/sub/large": noise(20 * MiB),
    "folder/empty": b"",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with servers.fake_gcs(tmp_path_factory.mktemp("fake-gcs")) as place:
        yield place


@pytest.fixture
def place(server: Place) -> Place:
    return server.fresh()


@pytest.fixture
def store(place: Place, tmp_path: Path) -> Store:
    return place.open(tmp_path, PROBE)


def test_what_googles_own_api_stored_is_listed_and_fetched_to_the_last_byte(
    place: Place, store: Store, tmp_path: Path
) -> None:
    for path, content in FILES.items():
        place.put(path, content)
    place.put("folder-beside/x", b"another")

    source = open_source(SourceOrder(path="folder", datastore="default"), 0, store, "team")
    entries = list(source.entries)

    assert {entry.path: entry.size for entry in entries} == {
        path.removeprefix("folder/"): len(content) for path, content in FILES.items()
    }
    assert found_in(fetch(entries, store, tmp_path / "target", source.root.prefix)) == {
        path.removeprefix("folder/"): content for path, content in FILES.items()
    }


def test_the_pin_of_its_listing_is_the_pin_of_its_reads(place: Place, store: Store) -> None:
    place.put("a", b"0123456789")
    [found] = store.list_objects("", recursive=True)
    state = store.state("a")
    assert found[:3] == ("a", 10, state.etag)
    assert bytes(store.read("a", Pin(found.etag), Span(2, 5)).whole()) == b"234"
    assert b"".join(map(bytes, store.stream("a", ANY_STATE, Span(8, 10)).pieces())) == b"89"


def test_of_an_object_that_was_replaced_the_pinned_generation_is_read_or_it_is_named(
    place: Place, store: Store, tmp_path: Path
) -> None:
    place.put("f/a", b"as pinned!")
    [known_by_generation] = open_source(
        SourceOrder(path="f/a", datastore="default"), 0, store, "team"
    ).entries
    [listed] = open_source(SourceOrder(path="f/", datastore="default"), 0, store, "team").entries
    place.put("f/a", b"as it came")

    assert found_in(fetch([known_by_generation], store, tmp_path / "one", "f/")) == {"a": b"as pinned!"}
    with pytest.raises(MoverFailure) as raised:
        fetch([listed], store, tmp_path / "other", "f/")
    assert (raised.value.reason, listed.version) == (Reason.INPUT_DRIFT, None)
    assert f"ETag {listed.etag}): its ETag is {store.state('f/a').etag} now" in raised.value.message


def test_what_is_missing_or_deleted_is_said_to_be_missing(place: Place, store: Store) -> None:
    place.put("a", b"one")
    store.delete("a")
    assert (place.keys(), object_state(store, "a")) == ([], None)
    with pytest.raises(MoverFailure) as raised:
        store.read("a")
    assert raised.value.reason is Reason.OBJECT_NOT_FOUND
