"""Fetching by digest: what an inventory lists is in the cache, verified, once; a fetch that was killed goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from cli.memory import MemoryBackend
from remote.stored import PREFIX, CountingStore, an_output, put_inventory
from towpath.errors import ChangedError, UnreachableError, UserErrorException
from towpath.fetch import fetch
from towpath.fetched_files import place_files
from towpath.flow.contents import InventoryRef
from towpath.meter import Meter
from towpath_mover.inventory import Entry
from towpath_mover.transfer import Limits

FILES = {
    "a.csv": b"one,two\n1,2\n",
    "deep/er/b.csv": b"b" * 100,
    "empty": b"",
    "run.sh": b"#!/bin/sh\n",
    "x y/é.txt": b"odd names",
}


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def backend(store: CountingStore) -> MemoryBackend:
    return MemoryBackend(stores={"default": store})


def found_in(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.mark.parametrize("packed", [(), ("a.csv", "empty", "deep/er/b.csv")])
def test_every_file_is_there_with_its_bytes_and_its_bit(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path, packed: tuple[str, ...]
) -> None:
    inventory = an_output(store, FILES, tmp_path, packed)
    seen: list[Meter] = []
    folder = fetch(backend, inventory, cache=tmp_path / "cache", show=seen.append)
    assert found_in(folder) == FILES
    modes = {path: (folder / path).stat().st_mode & 0o777 for path in ("a.csv", "run.sh")}
    assert modes == {"a.csv": 0o444, "run.sh": 0o555}
    last = seen[-1]
    assert (last.is_over, last.files, last.bytes) == (True, 5, sum(map(len, FILES.values())))
    assert (last.files_total, last.bytes_total) == (last.files, last.bytes)


def test_what_is_in_the_cache_is_not_fetched_again(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path
) -> None:
    inventory = an_output(store, FILES, tmp_path)
    first = fetch(backend, inventory, cache=tmp_path / "cache")
    store.objects.clear()
    assert fetch(backend, inventory, cache=tmp_path / "cache") == first


def test_a_fetch_that_broke_goes_on_where_it_was(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.moving._LIMITS", Limits(in_flight=1))
    files = {"a.csv": b"a" * 50, "large.bin": bytes(range(256)) * 20}
    inventory = an_output(store, files, tmp_path)
    store.breaks_after = len(store.objects[inventory.path]) + 50 + 3000
    with pytest.raises(UnreachableError):
        fetch(backend, inventory, cache=tmp_path / "cache")
    assert not (tmp_path / "cache/inventories" / inventory.digest.removeprefix("sha256:")).exists()
    store.breaks_after = None
    before = dict(store.read_bytes)
    folder = fetch(backend, inventory, cache=tmp_path / "cache")
    assert found_in(folder) == files
    again = {path: count - before.get(path, 0) for path, count in store.read_bytes.items()}
    assert again[f"{PREFIX}data/a.csv"] == 0
    # What Python had not handed to the disk when it broke is asked for once more.
    assert again[f"{PREFIX}data/large.bin"] <= 5120 - before[f"{PREFIX}data/large.bin"]
    assert not list((tmp_path / "cache/inventories").glob("*.partial"))


def test_what_an_earlier_fetch_left_and_the_disk_lost_is_fetched_again(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.moving._LIMITS", Limits(in_flight=1))
    files = {"a.csv": b"a" * 50, "b.csv": b"b" * 50, "c.csv": b"c" * 50}
    inventory = an_output(store, files, tmp_path)
    store.breaks_after = len(store.objects[inventory.path]) + 110
    with pytest.raises(UnreachableError):
        fetch(backend, inventory, cache=tmp_path / "cache")
    (left,) = (tmp_path / "cache").rglob("a.csv")
    left.chmod(0o644)
    left.write_bytes(b"\0" * 50)
    store.breaks_after, before = None, dict(store.read_bytes)
    assert found_in(fetch(backend, inventory, cache=tmp_path / "cache")) == files
    again = {path.rpartition("/")[2]: count - before.get(path, 0) for path, count in store.read_bytes.items()}
    assert (again["a.csv"], again["b.csv"]) == (50, 0)


def test_two_names_that_a_disk_takes_for_one_are_told(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = an_output(store, {"A": b"1", "a": b"2"}, tmp_path)
    # A disk that does not tell capitals from small letters finds one where the other lies.
    real = Path.exists
    monkeypatch.setattr(Path, "exists", lambda file: real(file) or real(file.with_name(file.name.swapcase())))
    with pytest.raises(UserErrorException, match="capitals"):
        fetch(backend, inventory, cache=tmp_path / "cache")


def test_nobody_writes_any_more_when_a_failure_rises(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path
) -> None:
    class Slow(CountingStore):
        under_way = 0

        def read(
            self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
        ) -> Iterator[bytes]:
            if path.endswith("z-bad"):
                # The others are under way by then.
                time.sleep(0.2)
                raise UnreachableError("The connection broke.")
            self.under_way += 1
            try:
                for piece in super().read(path, start, length, etag):
                    time.sleep(0.1)
                    yield piece
            finally:
                self.under_way -= 1

    inventory = an_output(
        store, {"z-bad": b"b", **{f"f{number}": b"f" * 700 for number in range(5)}}, tmp_path
    )
    slow = Slow(objects=store.objects)
    backend.stores["default"] = slow
    with pytest.raises(UnreachableError):
        fetch(backend, inventory, cache=tmp_path / "cache")
    assert slow.under_way == 0


def test_other_bytes_than_were_recorded_are_refused_by_name_and_never_seen(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path
) -> None:
    inventory = an_output(store, FILES, tmp_path)
    store.objects[f"{PREFIX}data/a.csv"] = b"one,two\n9,9\n"
    with pytest.raises(ChangedError, match=r"'a\.csv' is not what its inventory records"):
        fetch(backend, inventory, cache=tmp_path / "cache")
    assert "a.csv" not in {file.name for file in (tmp_path / "cache").rglob("*")}
    store.objects[f"{PREFIX}data/a.csv"] = FILES["a.csv"]
    assert found_in(fetch(backend, inventory, cache=tmp_path / "cache")) == FILES


def test_an_inventory_that_was_replaced_is_refused(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path
) -> None:
    inventory = an_output(store, FILES, tmp_path)
    an_output(store, {"other": b"x"}, tmp_path)
    with pytest.raises(ChangedError, match="was replaced"):
        fetch(backend, inventory, cache=tmp_path / "cache")


def test_a_file_registered_in_place_is_read_only_in_the_state_that_was_recorded(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path
) -> None:
    store.objects[f"{PREFIX}data/a.csv"] = b"abc"
    same = put_inventory(store, [Entry("a.csv", 3, etag="as recorded")], tmp_path)
    assert found_in(fetch(backend, same, cache=tmp_path / "cache")) == {"a.csv": b"abc"}
    other = put_inventory(store, [Entry("a.csv", 3, etag="older")], tmp_path)
    with pytest.raises(ChangedError):
        fetch(backend, other, cache=tmp_path / "cache")


def test_two_who_fetch_at_once_fetch_once(
    store: CountingStore, backend: MemoryBackend, tmp_path: Path
) -> None:
    inventory = an_output(store, FILES, tmp_path)
    both = [
        threading.Thread(target=fetch, args=(backend, inventory), kwargs={"cache": tmp_path / "cache"})
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert store.read_bytes[f"{PREFIX}data/a.csv"] == len(FILES["a.csv"])
    assert found_in(fetch(backend, inventory, cache=tmp_path / "cache")) == FILES


def test_a_digest_is_no_path(backend: MemoryBackend, tmp_path: Path) -> None:
    for digest in ("sha256:../../../../etc", "x", "sha256:" + "." * 64):
        with pytest.raises(UserErrorException, match="is not the digest"):
            fetch(backend, InventoryRef("default", "x", digest), cache=tmp_path)


def test_files_are_placed_beside_others_and_replace_none_unless_told_to(tmp_path: Path) -> None:
    folder, target = tmp_path / "data", tmp_path / "target"
    (folder / "deep").mkdir(parents=True)
    for name in ("a", "deep/b"):
        (folder / name).write_text(name)
        (folder / name).chmod(0o444)
    target.mkdir()
    (target / "mine").write_text("kept")
    placed = place_files(folder, target)
    assert placed == [target / "a", target / "deep/b"]
    assert found_in(target) == {"a": b"a", "deep/b": b"deep/b", "mine": b"kept"}
    (target / "deep/b").write_text("changed by its user")
    (target / "a").unlink()
    with pytest.raises(UserErrorException, match="deep/b exist already"):
        place_files(folder, target)
    assert not (target / "a").exists()
    place_files(folder, target, overwrite=True)
    assert found_in(target) == {"a": b"a", "deep/b": b"deep/b", "mine": b"kept"}
    assert sha256((folder / "a").read_bytes()).hexdigest() == sha256(b"a").hexdigest()
