"""Stores that hold hostile keys, or are none: what probe and take-inventory make of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.store import Identity
from mover.answering import Answering, answering
from mover.movers import probe, take_inventory
from towpath.flow.planned_datastores import PlannedDatastore

pytestmark = pytest.mark.server

SOMEBODY = Identity("AKIASOMEBODY", "a-secret-that-is-never-shown")


def datastore(server: Answering) -> PlannedDatastore:
    location = {"bucket": "hostile", "endpoint": server.endpoint, "region": "us-east-1"}
    return PlannedDatastore("default", location, credentials_secret="keys")


@pytest.mark.parametrize(
    "key",
    [
        "data/a//b",
        "data/../../etc/passwd",
        "data/./x",
        "data/tab\there",
        "data/new\nline",
        "data/" + "n" * 300,
    ],
)
def test_a_hostile_key_is_refused_by_name(tmp_path: Path, key: str) -> None:
    with answering(["data/good", key]) as server:
        ended = take_inventory(datastore(server), SOMEBODY, ["data/**"], tmp_path)
    assert (ended.code, ended.report["reason"]) == (41, "UnsafeKey"), ended.errors
    assert ascii(key.removeprefix("data/"))[1:40] in ended.report["message"]


def test_hostile_keys_that_no_source_means_do_not_matter(tmp_path: Path) -> None:
    with answering(["data/good", "data/sub/", "data/..//evil\n.txt"]) as server:
        ended = take_inventory(datastore(server), SOMEBODY, ["data/goo*"], tmp_path)
    assert (ended.code, ended.report["files"]) == (0, 1), ended.errors


def test_markers_of_folders_are_no_files(tmp_path: Path) -> None:
    with answering(["data/", "data/sub/", "data/sub/file"]) as server:
        ended = take_inventory(datastore(server), SOMEBODY, ["data"], tmp_path)
    assert (ended.code, ended.report["files"]) == (0, 1), ended.errors


def test_a_file_that_is_also_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with answering(["data/col", "data/col/inner"]) as server:
        ended = take_inventory(datastore(server), SOMEBODY, ["data"], tmp_path)
    assert (ended.code, ended.report["reason"]) == (41, "FileAndFolder")


def test_a_probe_is_not_stopped_by_hostile_keys(tmp_path: Path) -> None:
    with answering(["a//b"]) as server:
        ended = probe(datastore(server), SOMEBODY, tmp_path)
    assert (ended.code, ended.report) == (0, ended.report | {"ready": True}), ended.errors


def test_a_server_that_is_no_s3_store_is_said_so(tmp_path: Path) -> None:
    with answering(refused={"LIST": (404, "None", "Not Found")}) as server:
        ended = probe(datastore(server), SOMEBODY, tmp_path)
    assert ended.report["reason"] in ("StoreRefused", "ObjectNotFound", "BucketNotFound")
    assert ended.code == 41
