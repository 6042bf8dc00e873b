"""What a step may do at a bad moment, and names that speak: no mover hangs, follows, misjudges or calls it a bug."""

from __future__ import annotations

import errno
import gzip
import json
import os
import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from cluster.space import Space
from cluster.store import Identity
from mover.answering import answering
from mover.pods import ATTEMPT_ID, Pod, datastore, output
from mover.test_hostile_outputs import looked_at, refusal
from mover.transfers import an_entry_of, an_s3, write_secret
from towpath_mover import objects, publish
from towpath_mover.__main__ import main
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Root
from towpath_mover.inventory_reader import InventoryReader
from towpath_mover.inventory_writer import write_inventory
from towpath_mover.landing import Landing
from towpath_mover.objects import open_inventory, read_object
from towpath_mover.pod_paths import PodPaths
from towpath_mover.stores import PROBE, Places, Store, open_store


def test_an_output_that_its_own_user_may_not_read_is_refused_and_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may read all, so the refusal is played.
    (tmp_path / "outputs/model").mkdir(parents=True)
    opened = os.open

    def may_not(path: Any, *arguments: Any, **named: Any) -> int:
        if path == "model":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opened(path, *arguments, **named)

    monkeypatch.setattr(os, "open", may_not)
    before = len(list(Path("/proc/self/fd").iterdir()))
    refused = refusal(tmp_path)
    assert refused.reason is Reason.UNREADABLE_FILE
    assert "'/towpath/outputs/model' cannot be read" in refused.message
    del refused
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_what_lies_near_a_missing_output_is_not_looked_for_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "credentials/default").mkdir(parents=True)
    (tmp_path / "credentials/default/AWS_SECRET_ACCESS_KEY").write_text("secret")
    (tmp_path / "outputs").symlink_to(tmp_path / "credentials/default")
    refused = refusal(tmp_path)
    assert refused.reason is Reason.OUTPUT_MISSING
    assert "AWS" not in refused.message


def test_a_missing_output_beside_a_hundred_thousand_files_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outputs").mkdir()
    monkeypatch.setattr(os, "scandir", _Crowd)
    tracemalloc.start()
    refused = refusal(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "'file-000000'" in refused.message
    assert "and more" in refused.message
    assert peak < 1 << 20


class _Crowd:
    """A folder of a hundred thousand names."""

    def __init__(self, _: int) -> None:
        self._names = (SimpleNamespace(name=f"file-{number:06}") for number in range(100_000))

    def __enter__(self) -> Iterator[SimpleNamespace]:
        return self._names

    def __exit__(self, *_: object) -> None:
        return


@pytest.mark.parametrize(
    "left", [{}, {"a": b"1"}, {"a": b"1", "b": b"22", "c": b"3"}, {"a": b"1", "b": b"2"}]
)
def test_an_output_that_changes_between_the_look_and_the_upload_gets_no_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: dict[str, bytes]
) -> None:
    folder = tmp_path / "outputs/model"
    folder.mkdir(parents=True)
    for name, content in (("a", b"1"), ("b", b"22")):
        (folder / name).write_bytes(content)
    [owed] = looked_at(tmp_path)
    written: list[str] = []
    monkeypatch.setattr(publish, "OpenStores", Mock())
    monkeypatch.setattr(publish, "upload", lambda *_: iter([an_entry_of(*file) for file in left.items()]))
    monkeypatch.setattr(publish, "commit_object", lambda _, key, __: written.append(key))
    with pytest.raises(MoverFailure) as raised:
        publish._publish(owed, Mock(attempt_id="1-x"), PodPaths(tmp_path, tmp_path))
    assert raised.value.reason is Reason.OUTPUT_CHANGED
    assert written == []


def test_a_path_that_is_too_long_for_the_disk_is_refused_and_not_tried_again(tmp_path: Path) -> None:
    path = "/".join(["d" * 255] * 16)
    with pytest.raises(MoverFailure) as raised:
        Landing(tmp_path, None).write_whole(an_entry_of(path, b"1"), b"1")
    assert raised.value.exit is Exit.REFUSED
    assert raised.value.reason is Reason.UNSAFE_PATH


@pytest.mark.parametrize("name", ["publish", "stage-in"])
def test_a_disk_that_is_full_for_the_movers_own_files_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/towpath/bin/.busybox")

    monkeypatch.setattr(f"towpath_mover.{name.replace('-', '_')}.run", full)
    kept = signal.getsignal(signal.SIGTERM)
    try:
        code = main([name], {"TOWPATH_TERMINATION_LOG": str(tmp_path / "log")})
    finally:
        signal.signal(signal.SIGTERM, kept)
    assert code == Exit.DISK_FULL
    report = json.loads((tmp_path / "log").read_text())
    assert report["reason"] == "DiskFull"
    assert "'/towpath/bin/.busybox'" in report["message"]


@pytest.mark.parametrize(
    "key",
    [
        "a<Code>ExpiredToken</Code>",
        "a (code: AccessDenied)",
        "a status code: 507",
        "<Message>pay me</Message>",
    ],
)
def test_the_name_of_a_file_does_not_choose_how_its_transfer_ends(tmp_path: Path, key: str) -> None:
    with answering() as server, pytest.raises(MoverFailure) as raised:
        read_object(_store(tmp_path, server.endpoint), key)
    assert raised.value.reason is Reason.OBJECT_NOT_FOUND
    assert "(NoSuchKey: none)" in raised.value.message


def test_a_file_called_like_an_error_does_not_make_an_outage_final(tmp_path: Path) -> None:
    with pytest.raises(MoverFailure) as raised:
        read_object(_store(tmp_path, "http://127.0.0.1:1"), "InvalidCertificate")
    assert raised.value.reason is Reason.ENDPOINT_UNREACHABLE


def _store(folder: Path, endpoint: str) -> Store:
    write_secret(folder / "credentials/default", Identity("a-key", "a-secret"))
    datastore = an_s3("default", {"endpoint": endpoint}, credentials_secret="c")
    return open_store(datastore, Places(folder / "credentials"), PROBE)


@pytest.mark.parametrize("filling", [b"[],", b'{"a":0},'])
def test_a_header_of_brackets_is_refused_in_little_memory(filling: bytes) -> None:
    head = b'{"format":"towpath-inventory","formatVersion":1,"roots":['
    text = gzip.compress(head + filling * ((15 << 20) // len(filling)) + b"0]}\n", 1)
    tracemalloc.start()
    with pytest.raises(MoverFailure) as raised:
        InventoryReader([text])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert raised.value.reason is Reason.INVENTORY_INVALID
    assert peak < 64 << 20


def test_an_inventory_is_fetched_whole_before_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [an_entry_of(f"file-{number:03}", bytes([number])) for number in range(100)]
    written = write_inventory(tmp_path / "inventory", [Root("default", "")], entries)
    content = written.file.read_bytes()
    left = [content[start : start + 100] for start in range(0, len(content), 100)]

    def chunks(*_: object) -> Iterator[bytes]:
        while left:
            yield left.pop(0)

    monkeypatch.setattr(objects, "_chunks", chunks)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    reader = open_inventory(Mock(), "key", written.summary.digest, scratch)
    assert left == []
    assert list(reader.entries()) == entries
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("name", ["a\\b", "a\\", "\\"])
def test_a_name_that_some_stores_take_for_a_path_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "outputs/model").mkdir(parents=True)
    (tmp_path / "outputs/model" / name).write_bytes(b"1")
    refused = refusal(tmp_path)
    assert refused.reason is Reason.UNSAFE_PATH
    assert repr(name) in refused.message


@pytest.mark.server
def test_a_forged_report_publishes_no_more_than_the_kubelets_word_then_refuses(
    local_s3: Space, tmp_path: Path
) -> None:
    # The user's process runs as the launcher's own user: it can write to the FIFO, whatever the mount says.
    pod = Pod(tmp_path, datastore(local_s3), local_s3.s3.admin, outputs=[output("model")])
    assert pod.stage_in().code == Exit.OK
    forge = f"echo half > {tmp_path}/outputs/model; echo 0 > {tmp_path}/bin/alive; kill -KILL $PPID"
    code, published = pod.run_step("/bin/sh", "-c", forge)
    # Committed is not accepted: who decides looks at the container's state, which no step can forge.
    assert code == -signal.SIGKILL
    assert published.code == Exit.OK
    assert published.report["attempt"] == ATTEMPT_ID


@pytest.mark.server
@pytest.mark.parametrize("forged", ["7", "", "0", "124 timeout"])
def test_a_step_that_adds_to_its_launchers_report_publishes_nothing(
    local_s3: Space, tmp_path: Path, forged: str
) -> None:
    pod = Pod(tmp_path, datastore(local_s3), local_s3.s3.admin, outputs=[output("model")])
    assert pod.stage_in().code == Exit.OK
    forge = f"echo half > {tmp_path}/outputs/model; echo '{forged}' > {tmp_path}/bin/alive; exit 3"
    code, published = pod.run_step("/bin/sh", "-c", forge)
    assert code == 3
    assert published.code == Exit.NOT_PUBLISHED
    assert local_s3.keys() == []
