"""Keys that somebody chose to harm, in a container of Azure and a bucket of Google: what movers make of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mover.movers import environment
from stores.places import Place
from towpath.flow.documents import datastore_document
from towpath_mover import any_keys, probe, take_inventory
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.report import Report

pytestmark = [pytest.mark.server, pytest.mark.fault, pytest.mark.timeout(600)]


@pytest.fixture(params=["azurite", "gcs"])
def place(request: pytest.FixtureRequest) -> Place:
    """A fresh place in a store whose listing goes through the translator."""
    found: Place = request.getfixturevalue(request.param)
    return found.fresh()


def inventory(place: Place, path: str, root: Path) -> Report:
    """What a mover reports of a dataset with this source."""
    place.mount(root)
    order: dict[str, Any] = {"dataset": "flowers", "type": "File", "into": "default"}
    order["sources"] = [{"path": path, "datastore": "default", "hash": "Reported"}]
    order["datastores"] = [datastore_document(place.planned())]
    return take_inventory.run((), environment(order, root))


def test_each_hostile_key_is_refused_by_name_and_hinders_nothing_beside_it(
    place: Place, tmp_path: Path
) -> None:
    keys = [key for key in place.hostile if not key.endswith("/")]
    for number, key in enumerate(keys):
        place.put(f"bad-{number}/{key}", b"1")
        place.put(f"bad-{number}/x.csv", b"1")
    for number, key in enumerate(keys):
        with pytest.raises(MoverFailure) as raised:
            inventory(place, f"bad-{number}", tmp_path)
        assert raised.value.reason is Reason.UNSAFE_KEY
        assert ascii(key)[1:-1] in raised.value.message
        assert inventory(place, f"bad-{number}/*.csv", tmp_path)["files"] == 1


@pytest.mark.parametrize("folder", ["a//b", "../x"])
def test_a_folder_of_a_hostile_name_is_refused_by_it(place: Place, tmp_path: Path, folder: str) -> None:
    store = place.open(tmp_path)
    asked = (
        lambda: store.read(folder),
        lambda: store.write(folder, b""),
        lambda: list(store.list_objects(folder + "/")),
    )
    for action in asked:
        with pytest.raises(MoverFailure) as raised:
            action()
        assert raised.value.reason is Reason.UNSAFE_KEY
        assert folder in raised.value.message


def test_a_probe_is_not_stopped_by_hostile_keys(place: Place, tmp_path: Path) -> None:
    for key in place.hostile:
        place.put(key, b"1")
    place.mount(tmp_path)
    order = {"clusterID": "test", "datastore": datastore_document(place.planned())}
    assert probe.run((), environment(order, tmp_path))["ready"]


def test_a_folder_marker_is_no_file(place: Place, tmp_path: Path) -> None:
    place.put("data/", b"")
    place.put("data/file", b"1")
    assert inventory(place, "data", tmp_path)["files"] == 1


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (b"<Key>a&amp;lt;b</Key>", "a&lt;b"),
        (b"<Name>a&#x1;&#128;&#xD800;</Name>", "a\x01\x80\udced\udca0\udc80"),
        (b"<Name>a&#99999999;&#1114112;&nbsp;&ltb</Name>", "a&#99999999;&#1114112;&nbsp;&ltb"),
        (b'<Name Encoded="true">a%00%EF%BF%BFb%2520</Name>', "a\0\uffffb%20"),
        (b"<Prefix>not UTF-8: \xff/</Prefix>", "not UTF-8: \udcff/"),
    ],
)
def test_a_key_of_an_answer_is_carried_over_to_the_last_byte(written: bytes, key: str) -> None:
    assert any_keys.key_of(any_keys.with_words(written).split(b">")[1].split(b"<")[0].decode()) == key
