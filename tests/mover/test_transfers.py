"""Both directions against a real S3 server; minio and hashlib judge, never the client that did the work."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from mover.transfers import (
    AWKWARD,
    MiB,
    a_store,
    an_entry_of,
    fetch,
    files_in,
    found_in,
    noise,
    send,
)
from towpath_mover.download import download
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry, Root
from towpath_mover.inventory_writer import write_inventory
from towpath_mover.objects import (
    delete_object,
    object_state,
    open_inventory,
    read_object,
    write_object,
)
from towpath_mover.progress import Progress
from towpath_mover.upload import LocalFile

pytestmark = pytest.mark.server

SIZES = {"empty": 0, "one": 1, "whole": 8 * MiB, "ranges": 8 * MiB + 1, "large": 21 * MiB + 7}


def test_files_of_every_size_and_name_come_back_as_they_went(local_s3: Space, tmp_path: Path) -> None:
    contents = {f"sizes/{name}": noise(size) for name, size in SIZES.items()}
    contents |= {f"names/{name}": name.encode() for name in AWKWARD}
    store = a_store(local_s3, tmp_path)
    entries = send(files_in(tmp_path / "source", contents), store)
    assert {path: (entry.size, entry.sha256) for path, entry in entries.items()} == {
        path: (len(content), sha256(content).hexdigest()) for path, content in contents.items()
    }
    assert local_s3.get("out/data/sizes/large") == contents["sizes/large"]
    assert local_s3.keys("out/data/") == sorted(f"out/data/{path}" for path in contents)
    assert found_in(fetch(entries.values(), store, tmp_path / "target")) == contents


def test_modes_are_those_of_the_inventory(local_s3: Space, tmp_path: Path) -> None:
    contents = {"run.sh": b"#!/bin/sh\n", "deep/data.csv": b"1", "deep/large": noise(9 * MiB)}
    store = a_store(local_s3, tmp_path)
    sent = send(files_in(tmp_path / "source", contents, executable=["run.sh", "deep/large"]), store)
    target = fetch(sent.values(), store, tmp_path / "target")
    modes = {place.name: stat.S_IMODE(place.stat().st_mode) for place in [target, *target.rglob("*")]}
    assert modes == {"target": 0o755, "deep": 0o755, "run.sh": 0o755, "data.csv": 0o644, "large": 0o755}


def test_an_inventory_goes_and_comes_with_the_data(local_s3: Space, tmp_path: Path) -> None:
    store = a_store(local_s3, tmp_path)
    sent = send(files_in(tmp_path / "source", {f"{n}": noise(n) for n in range(200)}), store)
    written = write_inventory(tmp_path / "inventory", [Root("default", "out/data/")], sent.values())
    write_object(store, "out/inventory.jsonl.gz", written.file)
    reader = open_inventory(store, "out/inventory.jsonl.gz", written.summary.digest)
    assert {entry.path: entry for entry in reader.entries()} == sent
    assert reader.summary() == written.summary


def test_nothing_to_fetch_gives_an_empty_folder(local_s3: Space, tmp_path: Path) -> None:
    assert list(fetch([], a_store(local_s3, tmp_path), tmp_path / "target").iterdir()) == []


def test_files_in_packs_are_cut_out_of_them(local_s3: Space, tmp_path: Path) -> None:
    contents = {"a": b"first", "b/c": b"", "d": noise(9 * MiB), "e": b"last"}
    entries, pack = [], b""
    for path, content in contents.items():
        entries.append(an_entry_of(path, content)._replace(pack="packs/0", offset=len(pack)))
        pack += content
    local_s3.put("out/data/packs/0", pack)
    target = fetch(entries, a_store(local_s3, tmp_path), tmp_path / "target")
    assert found_in(target) == contents


@pytest.mark.parametrize("size", [100, 9 * MiB])
def test_a_file_registered_in_place_is_read_by_its_etag(local_s3: Space, tmp_path: Path, size: int) -> None:
    content = noise(size)
    local_s3.put("out/data/a", content)
    store = a_store(local_s3, tmp_path)
    state = object_state(store, "out/data/a")
    assert state is not None
    assert state.size == size
    assert '"' not in (state.etag or "")
    target = fetch([Entry("a", size, etag=state.etag)], store, tmp_path / "target")
    assert found_in(target) == {"a": content}


@pytest.mark.parametrize("size", [0, 99, 101, 9 * MiB])
def test_another_size_is_drift(local_s3: Space, tmp_path: Path, size: int) -> None:
    local_s3.put("out/data/a", noise(size))
    with pytest.raises(MoverFailure, match=f"it has {size} bytes now") as raised:
        fetch([an_entry_of("a", noise(100))], a_store(local_s3, tmp_path), tmp_path / "target")
    assert raised.value.reason is Reason.INPUT_DRIFT


def test_an_object_that_is_gone_is_drift(local_s3: Space, tmp_path: Path) -> None:
    with pytest.raises(MoverFailure, match="it is gone") as raised:
        fetch([an_entry_of("a", b"1")], a_store(local_s3, tmp_path), tmp_path / "target")
    assert raised.value.reason is Reason.INPUT_DRIFT


@pytest.mark.parametrize("size", [1000, 9 * MiB])
@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_of_another_size_than_was_seen_is_refused(
    local_s3: Space, tmp_path: Path, size: int, change: int
) -> None:
    store = a_store(local_s3, tmp_path)
    (file,) = files_in(tmp_path / "source", {"model.bin": noise(size)})
    with pytest.raises(MoverFailure, match=r"model\.bin") as raised:
        send([file._replace(size=size + change)], store)
    assert raised.value.reason is Reason.OUTPUT_CHANGED
    assert local_s3.keys("out/data/") == []


def test_a_hostile_path_is_not_sent(local_s3: Space, tmp_path: Path) -> None:
    (file,) = files_in(tmp_path / "source", {"a": b"1"})
    with pytest.raises(MoverFailure) as raised:
        send([file._replace(path="../a")], a_store(local_s3, tmp_path))
    assert raised.value.reason is Reason.UNSAFE_PATH
    assert local_s3.keys() == []


def test_what_a_failed_download_left_is_in_nobodys_way(local_s3: Space, tmp_path: Path) -> None:
    store = a_store(local_s3, tmp_path)
    local_s3.put("out/data/a", b"1")
    with pytest.raises(MoverFailure):
        fetch([an_entry_of("a", b"1"), an_entry_of("b", b"2")], store, tmp_path / "target")
    assert not (tmp_path / "target").exists()
    # Here the threads of the first outlive it, and may still write.
    assert wait_until((tmp_path / ".target.partial/a").exists, 120)
    local_s3.put("out/data/b", b"2")
    fetch([an_entry_of("a", b"1"), an_entry_of("b", b"2")], store, tmp_path / "target")
    assert found_in(tmp_path / "target") == {"a": b"1", "b": b"2"}


def test_the_first_failure_of_a_file_source_ends_the_upload(local_s3: Space, tmp_path: Path) -> None:
    files = files_in(tmp_path / "source", {"a": b"1"})

    def source() -> Iterator[LocalFile]:
        yield from files
        raise MoverFailure(Reason.UNSAFE_PATH, "a link")

    with pytest.raises(MoverFailure, match="a link"):
        send(source(), a_store(local_s3, tmp_path))


def test_small_objects_are_written_read_and_deleted(local_s3: Space, tmp_path: Path) -> None:
    store = a_store(local_s3, tmp_path)
    write_object(store, "result", b"{}")
    assert local_s3.get("result") == b"{}"
    assert read_object(store, "result") == b"{}"
    delete_object(store, "result")
    assert object_state(store, "result") is None
    assert local_s3.keys() == []


def test_what_cannot_fit_is_refused_before_it_is_fetched(tmp_path: Path) -> None:
    exbibyte = 1 << 60
    with pytest.raises(MoverFailure, match=f"needs {exbibyte} bytes") as raised:
        download([], [], tmp_path / "target", Progress("down", 1, exbibyte))
    assert raised.value.reason is Reason.DISK_FULL
    assert not (tmp_path / "target").exists()
