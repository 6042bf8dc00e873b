"""`serve` and the store over it: blocks are verified, what breaks is mended, and a killed upload goes on."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from cluster.waiting import wait_until
from remote.serving import TOKEN, Processes
from towpath.cluster import blocks
from towpath.cluster.link import Ask, ServingPod
from towpath.cluster.remote_store import RemoteStore
from towpath.errors import ChangedError, NotFoundError, UnreachableError, UserErrorException
from towpath.flow.planned_datastores import PlannedDatastore

MiB = 1 << 20
LARGE = 3 * 8 * MiB + 12_345


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the claim's volume holds."""
    place = tmp_path / "volumes/default"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def pods(tmp_path: Path, folder: Path) -> Iterator[Processes]:
    """Servers of a volume."""
    del folder
    made = Processes(PlannedDatastore("default", {"claimName": "data"}, "persistentVolumeClaim"), tmp_path)
    yield made
    for process in made.processes:
        process.kill()


@pytest.fixture
def store(pods: Processes) -> Iterator[RemoteStore]:
    with pods.open() as opened:
        yield opened


def content_of(size: int) -> bytes:
    return os.urandom(size)


def chunks(content: bytes, size: int = 1_000_003) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def refused(action: Callable[[], object], kind: type[Exception]) -> str:
    with pytest.raises(kind) as raised:
        action()
    return str(raised.value)


@pytest.mark.parametrize("size", [0, 1, 8 * MiB - 1, 8 * MiB, 8 * MiB + 1, LARGE])
def test_what_is_written_is_there_and_is_read_back(store: RemoteStore, folder: Path, size: int) -> None:
    content = content_of(size)
    written = store.write("a b/é.bin", chunks(content), size)
    assert (written.path, written.size) == ("a b/é.bin", size)
    assert (folder / "a b/é.bin").read_bytes() == content
    assert b"".join(store.read("a b/é.bin")) == content
    assert b"".join(store.read("a b/é.bin", size // 2)) == content[size // 2 :]
    assert b"".join(store.read("a b/é.bin", 1, min(size, 10))) == content[1:11]
    assert store.digest("a b/é.bin") == sha256(content).hexdigest()
    # Nothing is left of the parts.
    assert [file.name for file in folder.rglob("*") if file.is_file()] == ["é.bin"]


def test_files_are_listed_by_prefix_in_order_and_gone_once_deleted(store: RemoteStore) -> None:
    for path in ("b/2", "b/1", "bb", "a"):
        store.write(path, [path.encode()], len(path))
    assert [found.path for found in store.list_files("")] == ["a", "b/1", "b/2", "bb"]
    assert [(found.path, found.size) for found in store.list_files("b/")] == [("b/1", 3), ("b/2", 3)]
    assert [found.path for found in store.list_files("b")] == ["b/1", "b/2", "bb"]
    assert list(store.list_files("none")) == []
    store.delete("a")
    store.delete("a")
    assert "'a'" in refused(lambda: store.state("a"), NotFoundError)
    refused(lambda: list(store.read("a")), NotFoundError)


def test_an_object_that_changed_is_never_read_in_two_states(
    store: RemoteStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "READ_BLOCK", 1000)
    store.write("a", [b"1" * 20_000], 20_000)
    reading = store.read("a")
    next(reading)
    # At one stroke: what reads ahead must not find it missing.
    (folder / "new").write_bytes(b"2" * 20_000)
    (folder / "new").rename(folder / "a")
    assert "changed since it was pinned" in refused(lambda: list(reading), ChangedError)
    refused(lambda: list(store.read("a", etag="another")), ChangedError)


def test_more_or_fewer_bytes_than_announced_are_never_seen(store: RemoteStore, folder: Path) -> None:
    for size in (3, 5, 9 * MiB):
        said = refused(partial(store.write, "a", [b"1234"], size), ChangedError)
        assert "changed while it was sent" in said
    assert not (folder / "a").exists()


def test_nothing_is_written_where_only_towpath_writes_nor_outside(store: RemoteStore, folder: Path) -> None:
    for path in ("team-a/runs/x", "team-a/datasets/x/y", "team-a/owner.json", "../x", "/x", "a//b", "a/../b"):
        refused(partial(store.write, path, [b"x"], 1), UserErrorException)
        refused(partial(store.write, path, [b"x" * 9 * MiB], 9 * MiB), UserErrorException)
        refused(partial(store.delete, path), UserErrorException)
    assert [file for file in folder.rglob("*") if file.is_file()] == []
    for path in ("team-a/uploads/x", "team-a/code/x.tar.gz", "team-b/x", "runs/x"):
        assert store.write(path, [b"x"], 1).size == 1


def test_a_read_only_datastore_takes_nothing(pods: Processes, folder: Path) -> None:
    (folder / "a").write_bytes(b"there")
    pods.datastore = replace(pods.datastore, read_only=True)
    with pods.open() as store:
        assert b"".join(store.read("a")) == b"there"
        for size in (1, 9 * MiB):
            said = refused(partial(store.write, "b", [b"x" * size], size), UserErrorException)
            assert "readOnly" in said
        refused(lambda: store.delete("a"), UserErrorException)


def test_who_has_not_the_token_gets_nothing(pods: Processes, store: RemoteStore) -> None:
    store.write("a", [b"secret"], 6)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {TOKEN}x"}):
        with closing(http.client.HTTPConnection("127.0.0.1", pods.ports["0"])) as connection:
            connection.request("GET", "/v1/block?path=a&start=0&end=6", headers=headers)
            answer = connection.getresponse()
            assert (answer.status, b"secret" in answer.read()) == (401, False)


def test_the_server_listens_on_loopback_only(pods: Processes, store: RemoteStore) -> None:
    store.write("a", [b"x"], 1)
    listening = Path(f"/proc/{pods.processes[0].pid}/net/tcp").read_text()
    mine = [
        line.split()[1] for line in listening.splitlines() if f":{pods.ports['0']:04X}" in line.split()[1]
    ]
    assert {address.split(":")[0] for address in mine if address.endswith(f":{pods.ports['0']:04X}")} == {
        "0100007F"
    }


def test_a_pod_that_is_killed_in_the_middle_is_replaced_and_nothing_is_sent_twice(
    pods: Processes, store: RemoteStore, folder: Path
) -> None:
    content = content_of(LARGE)

    def killing() -> Iterator[bytes]:
        for number, chunk in enumerate(chunks(content)):
            if number == 20:
                # Parts of the first blocks are there by now.
                assert wait_until(lambda: len(list(folder.rglob("000000-*"))) == 1, 120)
                pods.kill()
            yield chunk

    store.write("large", killing(), LARGE)
    assert (folder / "large").read_bytes() == content
    assert len(pods.processes) == 2
    pods.kill()
    assert b"".join(store.read("large")) == content
    assert len(pods.processes) == 3


def test_an_upload_whose_laptop_was_killed_sends_only_what_is_not_there(
    pods: Processes, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = content_of(LARGE)

    def ending() -> Iterator[bytes]:
        yield from chunks(content[: 2 * 8 * MiB + 5])
        assert wait_until(lambda: len(list(folder.rglob("00000[01]-*"))) == 2, 120)
        raise KeyboardInterrupt

    with pods.open() as store, pytest.raises(KeyboardInterrupt):
        store.write("large", ending(), LARGE)
    assert not (folder / "large").exists()
    sent: list[Ask] = []
    real = RemoteStore._json

    def noted(store: RemoteStore, ask: Ask) -> dict[str, Any]:
        sent.append(ask)
        return real(store, ask)

    monkeypatch.setattr(RemoteStore, "_json", noted)
    with pods.open() as store:
        store.write("large", chunks(content), LARGE)
    puts = [ask.query["number"] for ask in sent if ask.method == "PUT"]
    assert sorted(puts) == ["2", "3"]
    assert (folder / "large").read_bytes() == content
    assert [file.name for file in folder.rglob("*") if file.is_file()] == ["large"]


def test_other_content_of_the_same_size_is_no_part_of_it(pods: Processes, folder: Path) -> None:
    first, second = content_of(LARGE), content_of(LARGE)

    def ending() -> Iterator[bytes]:
        yield from chunks(first[: 2 * 8 * MiB + 5])
        assert wait_until(lambda: len(list(folder.rglob("000001-*"))) == 1, 120)
        raise KeyboardInterrupt

    with pods.open() as store:
        with pytest.raises(KeyboardInterrupt):
            store.write("large", ending(), LARGE)
        store.write("large", chunks(second), LARGE)
    assert (folder / "large").read_bytes() == second


def test_parts_that_are_not_the_whole_that_was_told_make_no_object(
    store: RemoteStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.cluster.link._AWAY_SECONDS", 1)
    upload, part = "ab" * 32, sha256(b"x").hexdigest()
    headers = {"X-Towpath-Sha256": part}
    store._json(Ask("PUT", "/v1/parts", {"upload": upload, "number": "0"}, b"x", headers))
    asked = {"path": "a", "upload": upload, "parts": [part], "sha256": "cd" * 32, "size": 1}
    join = Ask("POST", "/v1/join", body=json.dumps(asked).encode())
    assert "are not the file that was sent" in refused(lambda: store._lasting(join), UnreachableError)
    assert not (folder / "a").exists()
    right = Ask("POST", "/v1/join", body=json.dumps(asked | {"sha256": part}).encode())
    assert store._lasting(right)["size"] == 1
    # As if the answer had been lost: the parts are gone by now, and the object is there.
    assert store._lasting(right)["size"] == 1
    (folder / "a").write_bytes(b"y")
    refused(lambda: store._lasting(right), UserErrorException)


def test_a_block_that_changes_on_its_way_is_sent_and_asked_for_again(
    pods: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Flipping(Processes):
        """Of each connection's first thousand bytes past the head, one changes its way, every other time."""

        flipped = 0

        def connect(self, serving: ServingPod) -> object:
            real = super().connect(serving)
            outer = self

            class Socket:
                def sendall(self, data: bytes) -> None:
                    if bytes(data[:6]) == b"aaaaaa" and outer.flipped < 1:
                        outer.flipped += 1
                        data = b"b" + bytes(data[1:])
                    real.sendall(data)

                def __getattr__(self, name: str) -> object:
                    return getattr(real, name)

            return Socket()

    flipping = Flipping(pods.datastore, pods.root, processes=pods.processes)
    with flipping.open() as store:
        store.write("a", [b"a" * 100_000], 100_000)
        assert flipping.flipped == 1
        assert b"".join(store.read("a")) == b"a" * 100_000
        real = http.client.HTTPResponse.read
        cut = iter([True])

        def once_other(self: http.client.HTTPResponse, amt: int | None = None) -> bytes:
            content = real(self, amt)
            return b"x" + content[1:] if content[:1] == b"a" and next(cut, False) else content

        monkeypatch.setattr(http.client.HTTPResponse, "read", once_other)
        assert b"".join(store.read("a")) == b"a" * 100_000


def test_a_server_that_nobody_asks_ends_by_itself_and_the_next_request_starts_another(
    pods: Processes,
) -> None:
    # Longer than the longest pause between two tries: on a busy machine the first may come before it listens.
    pods.idle_seconds = 6
    with pods.open() as store:
        store.write("a", [b"x"], 1)
        assert wait_until(lambda: pods.processes[0].poll() == 0, 120)
        assert b'"served":true' in (pods.root / "last-words").read_bytes()
        assert b"".join(store.read("a")) == b"x"
    assert len(pods.processes) == 2
    assert pods.processes[1].poll() is not None


def test_what_cannot_be_mended_is_told_after_a_while(
    pods: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.cluster.link._AWAY_SECONDS", 1)
    with pods.open() as store:
        store.write("a", [b"x"], 1)
        monkeypatch.setattr(pods, "is_running", lambda _: True)
        pods.kill()
        assert "could not be mended" in refused(lambda: list(store.read("a")), UnreachableError)


def test_many_threads_share_a_store_within_the_memory_of_a_mover(pods: Processes, folder: Path) -> None:
    content = content_of(40 * MiB)
    with pods.open() as store:
        threads = [
            threading.Thread(target=store.write, args=(f"f{number}", chunks(content), len(content)))
            for number in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number in range(6):
            assert (folder / f"f{number}").read_bytes() == content
        assert sum(len(piece) for number in range(6) for piece in store.read(f"f{number}")) == 240 * MiB
        assert pods.memory_peak() < 256 * MiB
