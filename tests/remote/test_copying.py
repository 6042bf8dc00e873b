"""Copying between any two places: verified, nothing replaced unasked, and gone on with after a kill."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from builders import make_dataset, make_run, make_step_status, make_version
from cli.memory import MemoryBackend, MemoryStore
from remote.stored import CountingStore, an_output
from towpath.backend import Store
from towpath.copying import Copied, copy
from towpath.errors import ChangedError, NotFoundError, UnreachableError, UserErrorException
from towpath.meter import Meter
from towpath.opened_store import OpenedStore
from towpath_mover.stores import Datastore, Kind, Places, open_store
from towpath_mover.transfer import Limits

FILES = {"a.csv": b"one\n", "deep/b.bin": bytes(range(256)) * 10, "empty": b"", "x y/é": b"odd"}


class TwoStores(MemoryBackend):
    """Besides one store in memory, `folder` is a store of files, as a claim's volume or a local workspace has it."""

    folder: Path

    def open_store(self, datastore: str, direct: bool = False) -> AbstractContextManager[Store]:
        if datastore != "folder":
            return super().open_store(datastore, direct)
        described = Datastore("folder", Kind.PERSISTENT_VOLUME_CLAIM, {"claimName": "data"})
        return nullcontext(OpenedStore(open_store(described, Places(volumes=self.folder)), self.namespace))


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def backend(store: CountingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TwoStores:
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    made = TwoStores(stores={"default": store})
    made.folder = tmp_path / "volumes"
    (made.folder / "folder").mkdir(parents=True)
    return made


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of this machine with the files."""
    for path, content in FILES.items():
        file = tmp_path / "mine" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "mine"


def found_in(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def below(prefix: str, files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{prefix}/{path}": content for path, content in files.items()}


def refused(kind: type[Exception], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(kind) as raised:
        copy(*args, **kwargs)
    return str(raised.value)


SIZE = sum(map(len, FILES.values()))


def test_a_folder_goes_below_the_target_through_every_kind_of_place(
    backend: TwoStores, store: CountingStore, mine: Path, tmp_path: Path
) -> None:
    seen: list[Meter] = []
    assert copy(backend, str(mine), "default:/raw", show=seen.append) == Copied(4, SIZE)
    assert store.objects == below("raw", FILES)
    assert (seen[-1].is_over, seen[-1].files, seen[-1].bytes) == (True, 4, SIZE)
    assert copy(backend, "default:/raw", "folder:/kept/here").files == 4
    assert found_in(backend.folder / "folder") == below("kept/here", FILES)
    assert copy(backend, "folder:/kept/here/", str(tmp_path / "back")).files == 4
    assert found_in(tmp_path / "back") == FILES
    assert copy(backend, str(tmp_path / "back"), str(tmp_path / "again")).files == 4
    assert found_in(tmp_path / "again") == FILES


def test_a_single_file_keeps_its_name_below_a_folder_and_is_else_the_target_itself(
    backend: TwoStores, store: CountingStore, mine: Path, tmp_path: Path
) -> None:
    copy(backend, str(mine / "a.csv"), "default:/raw/")
    copy(backend, str(mine / "a.csv"), "default:/other.csv")
    copy(backend, str(mine / "a.csv"), "default:/")
    assert sorted(store.objects) == ["a.csv", "other.csv", "raw/a.csv"]
    copy(backend, "default:/raw/a.csv", f"{tmp_path}/new/")
    copy(backend, "default:/raw/a.csv", str(tmp_path / "named.csv"))
    copy(backend, "default:/other.csv", str(tmp_path / "mine"))
    assert (tmp_path / "new/a.csv").read_bytes() == FILES["a.csv"]
    assert (tmp_path / "named.csv").read_bytes() == FILES["a.csv"]
    assert (mine / "other.csv").read_bytes() == FILES["a.csv"]


def test_equal_files_are_left_and_others_are_an_error_before_anything_is_written(
    backend: TwoStores, store: CountingStore, mine: Path
) -> None:
    copy(backend, str(mine), "default:/raw")
    assert copy(backend, str(mine), "default:/raw") == Copied(0, 0, same=4)
    (mine / "x y/é").write_bytes(b"ODD")
    (mine / "new").write_bytes(b"new")
    said = refused(UserErrorException, backend, str(mine), "default:/raw")
    assert "default:/raw/x y/é is there already, with other content" in said
    assert "raw/new" not in store.objects
    assert copy(backend, str(mine), "default:/raw", overwrite=True) == Copied(2, 6, same=3)
    assert (store.objects["raw/new"], store.objects["raw/x y/é"]) == (b"new", b"ODD")


def test_many_files_are_compared_by_one_listing(
    backend: TwoStores, store: CountingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "many").mkdir()
    for number in range(50):
        (tmp_path / "many" / f"{number:02}").write_bytes(b"x")
    copy(backend, str(tmp_path / "many"), "default:/raw")
    store.objects["raw/another"] = b"y"
    monkeypatch.setattr(MemoryStore, "state", lambda *_: pytest.fail("one request for each file"))
    monkeypatch.setattr(MemoryStore, "digest", lambda *_: sha256(b"x").hexdigest())
    assert copy(backend, str(tmp_path / "many"), "default:/raw/") == Copied(0, 0, same=50)


def test_a_download_that_broke_goes_on_where_it_was(
    backend: TwoStores, store: CountingStore, tmp_path: Path
) -> None:
    store.objects["raw/large"] = os.urandom(50_000)
    store.breaks_after = 30_000
    assert "broke" in refused(UnreachableError, backend, "default:/raw", str(tmp_path / "here"))
    assert not (tmp_path / "here/large").exists()
    store.breaks_after, before = None, store.read_bytes["raw/large"]
    copy(backend, "default:/raw", str(tmp_path / "here"))
    assert found_in(tmp_path / "here") == {"large": store.objects["raw/large"]}
    # The rest, and what Python had not handed to the disk when it broke.
    assert store.read_bytes["raw/large"] - before <= 50_000 - before + 10


def test_what_was_begun_of_another_state_is_not_gone_on_with(
    backend: TwoStores, store: CountingStore, tmp_path: Path
) -> None:
    class Changing(CountingStore):
        state_name = "as recorded"

        def list_files(self, prefix: str) -> Iterator[Any]:
            for found in super().list_files(prefix):
                yield type(found)(found.path, found.size, self.state_name)

        def read(
            self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
        ) -> Iterator[bytes]:
            if etag != self.state_name:
                raise ChangedError(f"{path} changed.")
            return super().read(path, start, length)

    del store
    changing = Changing(objects={"raw/a": b"1" * 1000}, breaks_after=500)
    backend.stores["default"] = changing
    refused(UnreachableError, backend, "default:/raw", str(tmp_path / "here"))
    changing.objects["raw/a"], changing.state_name, changing.breaks_after = b"2" * 1000, "newer", None
    copy(backend, "default:/raw", str(tmp_path / "here"))
    assert (tmp_path / "here/a").read_bytes() == b"2" * 1000


def test_a_published_output_and_a_version_are_copied_by_their_digest(
    backend: TwoStores, store: CountingStore, tmp_path: Path
) -> None:
    inventory = an_output(store, FILES, tmp_path / "made", packed=("a.csv", "empty"))
    published = {"inventory": inventory.path, "digest": inventory.digest, "files": 4, "bytes": SIZE}
    step = make_step_status("prep")
    step["outputs"][0] |= published
    version = make_version(
        "iris", 2, inventory={"datastore": "default", "path": inventory.path, "digest": inventory.digest}
    )
    del version["spec"]["file"]
    backend.hold(make_run("iris-1") | {"status": {"steps": [step]}}, version)
    backend.hold(make_dataset("iris") | {"status": {"latestVersion": 2}})
    assert copy(backend, "run:iris-1/prep/data", "folder:/clean").files == 4
    assert found_in(backend.folder / "folder") == below("clean", FILES)
    for number, place in enumerate(("dataset:iris", "dataset:iris@2")):
        copy(backend, place, str(tmp_path / f"d{number}"))
        assert found_in(tmp_path / f"d{number}") == FILES
    version["spec"]["file"] = "a.csv"
    backend.hold(version)
    copy(backend, "dataset:iris", str(tmp_path / "one.csv"))
    assert (tmp_path / "one.csv").read_bytes() == FILES["a.csv"]
    assert "has no version 3. There is 2" in refused(NotFoundError, backend, "dataset:iris@3", str(tmp_path))
    assert "Did you mean iris" in refused(NotFoundError, backend, "dataset:irsi", str(tmp_path))
    assert "published no output x" in refused(NotFoundError, backend, "run:iris-1/prep/x", str(tmp_path))


def test_a_folder_becomes_a_dataset_by_its_content_and_is_sent_once(
    backend: TwoStores, store: CountingStore, mine: Path
) -> None:
    backend.hold(make_dataset("iris", description="kept"))
    assert copy(backend, str(mine), "dataset:iris") == Copied(4, SIZE, dataset="iris")
    spec = backend.objects["Dataset", "iris"]["spec"]
    (source,) = spec["sources"]
    assert (source["datastore"], source["hash"], spec["description"]) == ("default", "Content", "kept")
    assert source["path"].startswith("team-a/uploads/")
    assert store.objects == below(source["path"].rstrip("/"), FILES)
    again = copy(backend, str(mine), "dataset:other")
    assert again == Copied(0, 0, same=4, dataset="other")
    assert backend.objects["Dataset", "other"]["spec"]["sources"] == [source]
    copy(backend, str(mine / "a.csv"), "dataset:single")
    assert backend.objects["Dataset", "single"]["spec"]["sources"][0]["path"].endswith("/a.csv")


def test_an_upload_for_a_dataset_that_broke_sends_only_what_is_missing(
    backend: TwoStores, store: CountingStore, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    real = MemoryStore.write

    def breaking(self: MemoryStore, path: str, chunks: Any, size: int) -> Any:
        if len(written) == 2:
            raise UnreachableError("The connection broke.")
        written.append(path)
        return real(self, path, chunks, size)

    monkeypatch.setattr("towpath.moving._LIMITS", Limits(in_flight=1))
    monkeypatch.setattr(MemoryStore, "write", breaking)
    refused(UnreachableError, backend, str(mine), "dataset:iris")
    assert ("Dataset", "iris") not in backend.objects
    monkeypatch.setattr(MemoryStore, "write", real)
    assert copy(backend, str(mine), "dataset:iris").files == 2
    assert len(store.objects) == 4


def test_what_cannot_be_is_refused_with_its_reason(
    backend: TwoStores, store: CountingStore, mine: Path, tmp_path: Path
) -> None:
    store.objects |= {"odd/x": b"a", "odd/x/y": b"b", "bad/../up": b"c"}
    assert "only a step publishes" in refused(UserErrorException, backend, str(mine), "run:a/b/c")
    assert "versions never change" in refused(UserErrorException, backend, str(mine), "dataset:iris@2")
    assert "to itself" in refused(UserErrorException, backend, "default:/a", "default:/a")
    assert "There is no file or folder" in refused(NotFoundError, backend, str(tmp_path / "no"), "default:/a")
    assert "There are no files at default:/none" in refused(
        NotFoundError, backend, "default:/none", str(tmp_path)
    )
    assert "also the folder of 'x/y'" in refused(UserErrorException, backend, "default:/odd/", str(tmp_path))
    assert "leaves its folder" in refused(UserErrorException, backend, "default:/bad/", str(tmp_path / "t"))
    (mine / "link").symlink_to("/etc/hostname")
    assert "leads out of" in refused(UserErrorException, backend, str(mine), "default:/a")
    assert "only Towpath itself writes" in refused(
        UserErrorException, backend, str(mine / "a.csv"), "folder:/team-a/runs/x"
    )
    (tmp_path / "t" / "a.csv").mkdir(parents=True)
    assert "is a folder" in refused(UserErrorException, backend, str(mine / "a.csv"), f"{tmp_path}/t/")


def test_a_file_that_changes_while_it_is_sent_is_not_there(
    backend: TwoStores, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.copy_files._PIECE", 100)
    real = OpenedStore.write

    def touching(self: OpenedStore, path: str, chunks: Iterator[bytes], size: int) -> Any:
        def changing() -> Iterator[bytes]:
            yield next(chunks)
            os.utime(mine / "deep/b.bin", ns=(1, 1))
            yield from chunks

        return real(self, path, changing(), size)

    monkeypatch.setattr(OpenedStore, "write", touching)
    assert "changed while it was copied" in refused(
        ChangedError, backend, str(mine / "deep/b.bin"), "folder:/x.bin"
    )
    assert found_in(backend.folder / "folder") == {}
