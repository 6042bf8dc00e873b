"""Whose a place in a datastore is: the first who writes there says so, and nobody else is let in unless to read."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.access import S3
from cluster.space import Space
from mover.answering import answering
from mover.movers import probe, run_mover
from mover.owners import claimed_at_once
from mover.pods import datastore
from mover.transfers import a_store, behind
from mover.volumes import a_claim, a_volume, mounted
from towpath.flow.documents import datastore_document
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.owner import Owner, claim
from towpath_mover.stores import PROBE, Store

KEY = "team-a/owner.json"
OURS, THEIRS = Owner("ours", "team-a"), Owner("theirs", "team-a")


def written(owner: Owner) -> bytes:
    said = {"formatVersion": 1, "clusterID": owner.cluster_id, "namespace": owner.namespace}
    return f"{json.dumps(said)}\n".encode()


def refused(store: Store, owner: Owner) -> MoverFailure:
    with pytest.raises(MoverFailure) as raised:
        claim(store, owner)
    return raised.value


@pytest.mark.server
def test_the_first_cluster_that_is_ready_owns_the_place_and_the_next_is_told_whose_it_is(
    local_s3: Space, tmp_path: Path
) -> None:
    place, admin = datastore(local_s3), local_s3.s3.admin
    assert probe(place, admin, tmp_path, "ours").code == 0
    assert local_s3.get(KEY) == written(OURS)
    assert probe(place, admin, tmp_path, "ours").code == 0
    ended = probe(place, admin, tmp_path, "theirs")
    assert (ended.code, ended.report["reason"]) == (41, "OwnedElsewhere")
    for words in (
        "belongs to namespace 'team-a' of the cluster 'ours'",
        "this is namespace 'team-a' of the cluster 'theirs'",
        f"{local_s3.prefix}{KEY}",
        "of Secret 's3-creds'",
        "readOnly: true",
    ):
        assert words in ended.report["message"]
    assert probe(replace(place, read_only=True), admin, tmp_path, "theirs").code == 0
    assert local_s3.keys() == [KEY]


@pytest.mark.server
def test_a_read_only_datastore_says_nothing_of_who_writes(local_s3: Space, tmp_path: Path) -> None:
    assert probe(replace(datastore(local_s3), read_only=True), local_s3.s3.admin, tmp_path).code == 0
    assert local_s3.keys() == []


def test_of_clusters_that_claim_a_volume_at_once_one_is_let_in_without_hard_links_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file system without hard links only the errno is shown: the node has none."""
    monkeypatch.setattr(os, "link", _no_links)
    store = a_volume(tmp_path)
    for turn in range(10):
        assert claimed_at_once(store, turn) == [None, *[Reason.OWNED_ELSEWHERE] * 3]
        folder = mounted(tmp_path) / f"turn-{turn}"
        assert [file.name for file in folder.iterdir()] == ["owner.json"]


def _no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))


def test_a_volume_has_an_owner_too(tmp_path: Path) -> None:
    mounted(tmp_path)
    order = {"clusterID": "ours", "datastore": datastore_document(a_claim())}
    assert run_mover("probe", order, tmp_path).code == 0
    assert (mounted(tmp_path) / KEY).read_bytes() == written(OURS)
    ended = run_mover("probe", order | {"clusterID": "theirs"}, tmp_path)
    assert (ended.code, ended.report["reason"]) == (41, "OwnedElsewhere")
    assert f"'{KEY}' in folder 'team-a' of claim 'data'" in ended.report["message"]


@pytest.mark.parametrize("told", [(501, "NotImplemented"), (400, "NotImplemented")])
def test_a_store_that_knows_no_conditional_write_is_written_to_all_the_same(
    tmp_path: Path, told: tuple[int, str]
) -> None:
    with answering(refused={"CREATE": (*told, "A header implies what is not implemented")}) as server:
        store = a_store(behind_no_s3(server.endpoint), tmp_path, PROBE)
        claim(store, OURS)
        assert server.objects[f"p/{KEY}"] == written(OURS)
        assert refused(store, THEIRS).reason is Reason.OWNED_ELSEWHERE


def test_who_was_overwritten_by_another_at_that_moment_sees_it_when_reading_back(tmp_path: Path) -> None:
    with answering() as server:
        server.overwritten[f"p/{KEY}"] = written(THEIRS)
        failed = refused(a_store(behind_no_s3(server.endpoint), tmp_path, PROBE), OURS)
    assert (failed.reason, failed.exit) == (Reason.OWNED_ELSEWHERE, Exit.REFUSED)
    assert "'theirs'" in failed.message


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", b"[]", b"{}", b'{"clusterID": 7, "namespace": "team-a"}', b"[" * 100_000, b"\xff"],
)
def test_what_cannot_be_read_is_nobodys_to_take(tmp_path: Path, content: bytes) -> None:
    store = a_volume(tmp_path)
    store.write(KEY, content)
    failed = refused(store, OURS)
    assert failed.reason is Reason.OWNED_ELSEWHERE
    assert "cannot be read, so it is not known whose this place is" in failed.message
    assert bytes(store.read(KEY).whole()) == content


def test_what_others_wrote_there_cannot_flood_or_forge_the_message(tmp_path: Path) -> None:
    store = a_volume(tmp_path)
    store.write(KEY, json.dumps({"clusterID": "x\n" * 9999, "namespace": "\x1b[2J"}).encode())
    message = refused(store, OURS).message
    assert len(message) < 1500
    assert message.isprintable()


def behind_no_s3(endpoint: str) -> Space:
    """A space whose server is only a test's."""
    return behind(Space(S3(""), "p/", None), endpoint)  # type: ignore[arg-type]
