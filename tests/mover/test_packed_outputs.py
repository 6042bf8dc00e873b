"""An output in packs on a real S3 server, as processes: what is sent, what is asked for, and what changes meanwhile."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from mover.breaking_proxy import Break, BreakingProxy, Request, breaking_proxy
from mover.movers import count_views
from mover.pods import ATTEMPT_ID, Ended, Pod, content_of, datastore, inventory_of, output, write_files
from mover.transfers import HASTE, MiB, a_store, behind, failure_of, files_in, found_in, noise
from towpath_mover import retry
from towpath_mover.download import download
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.joined_ranges import GAP
from towpath_mover.objects import open_inventory
from towpath_mover.pack_upload import Prefixes, upload_packed
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.stores import Store
from towpath_mover.upload import LocalFile

pytestmark = pytest.mark.server

BASE = f"team-a/runs/iris-0123abcd/prep/{ATTEMPT_ID}/model"
FILES = [(f"{number % 7}/{number:03}.txt", f"file {number}".encode() * 50) for number in range(200)]
LARGE = ("large.bin", noise(MiB + 1))
PREFIXES = Prefixes("out/data/", "out/packs/")
TAKE = [{"take": {"count": 3}}]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses of a mover."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)


def published(space: Space, root: Path, files: list[tuple[str, bytes]], *, packed: bool) -> tuple[Pod, Ended]:
    """An attempt that wrote these files, and what its publisher said."""
    pod = Pod(root, datastore(space), space.s3.admin, outputs=[output("model", packed=packed)])
    write_files(root / "outputs/model", files)
    ended = pod.publish()
    assert ended.code == 0, ended.errors
    return pod, ended


def test_a_step_gets_from_packs_what_the_one_before_it_wrote(local_s3: Space, tmp_path: Path) -> None:
    first, ended = published(local_s3, tmp_path / "1", [*FILES, LARGE, ("empty", b"")], packed=True)
    assert local_s3.keys() == [
        f"{BASE}/data/large.bin",
        f"{BASE}/inventory.jsonl.gz",
        f"{BASE}/packs/00000000",
        BASE.replace("/model", "/result"),
    ]
    given = ended.report["outputs"][0]["inventory"]
    second = Pod(tmp_path / "2", datastore(local_s3), local_s3.s3.admin, inputs=[("model", given)])
    staged = second.stage_in()
    assert staged.code == 0, staged.errors
    assert content_of(second.root / "inputs/model") == content_of(first.root / "outputs/model")
    assert staged.report["files"] == len(FILES) + 2


def test_identical_content_has_one_digest_packed_and_plain(local_s3: Space, tmp_path: Path) -> None:
    reports = []
    for packed in (True, False):
        _, ended = published(local_s3, tmp_path / str(packed), [*FILES, LARGE], packed=packed)
        reports.append(ended.report["outputs"][0])
    packed_output, plain = reports
    for field in ("files", "bytes", "scratchBytes", "directory"):
        assert packed_output[field] == plain[field]
    assert packed_output["inventory"]["digest"] == plain["inventory"]["digest"]


def test_one_file_stays_an_object_that_any_tool_can_read(local_s3: Space, tmp_path: Path) -> None:
    pod = Pod(tmp_path, datastore(local_s3), local_s3.s3.admin, outputs=[output("model", packed=True)])
    (tmp_path / "outputs/model").write_bytes(b"weights")
    assert pod.publish().code == 0
    assert local_s3.get(f"{BASE}/data/model") == b"weights"


def test_a_view_of_packs_counts_and_stages_only_its_files(local_s3: Space, tmp_path: Path) -> None:
    _, ended = published(local_s3, tmp_path / "1", FILES, packed=True)
    given = ended.report["outputs"][0]["inventory"]
    store, admin = datastore(local_s3), local_s3.s3.admin
    counted = count_views(store, admin, given, [TAKE], tmp_path / "count").report["views"]
    assert counted[0][:2] == [3, sum(len(content) for _, content in sorted(FILES)[:3])]
    pod = Pod(tmp_path / "2", store, admin, inputs=[("model", given)], transforms=TAKE)
    assert pod.stage_in().code == 0
    staged = {path: content for path, (content, _) in content_of(pod.root / "inputs/model").items()}
    assert staged == dict(sorted(FILES)[:3])


def sent(store: Store, files: list[LocalFile]) -> list[Entry]:
    ordered = sorted(files, key=lambda file: file.path)
    return sorted(upload_packed(ordered, store, PREFIXES, Progress("up")), key=lambda entry: entry.path)


def fetched(store: Store, entries: list[Entry], target: Path) -> dict[str, bytes]:
    download(entries, [Source(store, prefix) for prefix in PREFIXES], target, Progress("down"))
    return found_in(target)


def of_data(proxy: BreakingProxy) -> list[str]:
    return [f"{request.method} {request.path.partition('/out/')[2]}" for request in proxy.requests]


def test_ten_thousand_files_from_step_to_step_take_twenty_requests(local_s3: Space, tmp_path: Path) -> None:
    """Hard links of one file: each is read, sent, fetched and verified by itself, and the disk holds it once."""
    content = noise(20_000)
    files = files_in(tmp_path / "source", {"0": content})
    for number in range(1, 10_000):
        os.link(tmp_path / "source/0", tmp_path / f"source/{number}")
    opened = [
        files[0]._replace(path=str(number), open=partial(os.open, tmp_path / f"source/{number}", os.O_RDONLY))
        for number in range(10_000)
    ]
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        entries = sent(store, opened)
        download(
            entries, [Source(store, prefix) for prefix in PREFIXES], tmp_path / "target", Progress("down")
        )
    places = list((tmp_path / "target").iterdir())
    assert len(places) == 10_000
    assert all(place.stat().st_size == 20_000 for place in places)
    shutil.rmtree(tmp_path / "target")
    puts, gets = (sum(asked.startswith(method) for asked in of_data(proxy)) for method in ("PUT", "GET"))
    assert (puts, gets, len(proxy.requests)) == (6, 6, 12)


def test_a_sample_asks_for_the_parts_around_its_files(local_s3: Space, tmp_path: Path) -> None:
    contents = {f"{number:02}": noise(100_000) for number in range(40)}
    entries = sent(a_store(local_s3, tmp_path), files_in(tmp_path / "source", contents))
    # 1 and 3 are near each other, 30 is not.
    sample = [entry for entry in entries if entry.path in ("01", "03", "30")]
    assert 100_000 < GAP < 2_600_000
    with breaking_proxy(local_s3.s3.endpoint) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        found = fetched(store, sample, tmp_path / "target")
    assert found == {path: contents[path] for path in ("01", "03", "30")}
    assert of_data(proxy) == ["GET packs/00000000", "GET packs/00000000"]


@pytest.mark.fault
def test_a_pack_that_fails_to_arrive_is_sent_again_whole(local_s3: Space, tmp_path: Path) -> None:
    contents = dict(FILES)
    seen: list[str] = []

    def busy(request: Request) -> Break | None:
        seen.append(request.method)
        return Break(503) if request.method == "PUT" and request.before < 3 else None

    with breaking_proxy(local_s3.s3.endpoint, busy) as proxy:
        patience = HASTE._replace(retries=0, tries=4)
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, patience)
        entries = sent(store, files_in(tmp_path / "source", contents))
        assert proxy.broken == 3
    assert seen == ["PUT"] * 4
    assert fetched(a_store(local_s3, tmp_path), entries, tmp_path / "target") == contents


@pytest.mark.fault
def test_a_range_that_breaks_goes_on_behind_what_has_come(local_s3: Space, tmp_path: Path) -> None:
    contents = {f"{number}": noise(MiB) for number in range(4)}
    entries = sent(a_store(local_s3, tmp_path), files_in(tmp_path / "source", contents))

    def cut(request: Request) -> Break | None:
        return Break(cut_after=int(2.5 * MiB)) if not request.before else None

    with breaking_proxy(local_s3.s3.endpoint, cut) as proxy:
        patience = HASTE._replace(retries=0, tries=3)
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, patience)
        assert fetched(store, entries, tmp_path / "target") == contents
        assert len(proxy.requests) == 2


@pytest.mark.fault
@pytest.mark.parametrize("change", ["overwritten", "truncated", "deleted"])
def test_a_pack_that_changes_while_it_is_read_is_drift_that_names_the_file_that_was_next(
    local_s3: Space, tmp_path: Path, change: str
) -> None:
    contents = {f"{number}": noise(MiB) for number in range(4)}
    entries = sent(a_store(local_s3, tmp_path), files_in(tmp_path / "source", contents))
    pack = "out/packs/00000000"

    def act() -> None:
        if change == "deleted":
            local_s3.client.remove_object(local_s3.bucket, local_s3.prefix + pack)
        else:
            local_s3.put(pack, noise(4 * MiB if change == "overwritten" else 2 * MiB + 5))

    def cut(request: Request) -> Break | None:
        return Break(cut_after=int(2.5 * MiB), meanwhile=act) if not request.before else None

    with breaking_proxy(local_s3.s3.endpoint, cut) as proxy:
        patience = HASTE._replace(read_timeout=30, tries=2)
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, patience)
        failed = failure_of(lambda: fetched(store, entries, tmp_path / "target"))
    assert failed.reason is Reason.INPUT_DRIFT
    assert "file '2' in" in failed.message
    assert f"{local_s3.prefix}{pack}" in failed.message
    assert not (tmp_path / "target").exists()


CHANGES: dict[str, tuple[Callable[[Path], object], Reason]] = {
    "grown": (lambda file: file.write_bytes(b"x" * 1001), Reason.OUTPUT_CHANGED),
    "shrunk": (lambda file: file.write_bytes(b"x" * 999), Reason.OUTPUT_CHANGED),
    "emptied": (lambda file: file.write_bytes(b""), Reason.OUTPUT_CHANGED),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_before_it_is_read_is_noticed_by_name(
    local_s3: Space, tmp_path: Path, change: str
) -> None:
    files = files_in(tmp_path / "source", dict.fromkeys(("a", "b", "c"), b"x" * 1000))
    act, reason = CHANGES[change]
    act(tmp_path / "source/b")
    failed = failure_of(lambda: sent(a_store(local_s3, tmp_path), files))
    assert failed.reason is reason
    assert "'b'" in failed.message
    assert local_s3.keys() == []


def test_a_file_that_cannot_be_opened_any_more_ends_the_transfer_with_its_own_failure(
    local_s3: Space, tmp_path: Path
) -> None:
    files = files_in(tmp_path / "source", {"a": b"1", "b": b"2"})

    def gone() -> int:
        raise MoverFailure(Reason.UNREADABLE_FILE, "b is gone")

    failed = failure_of(lambda: sent(a_store(local_s3, tmp_path), [files[0], files[1]._replace(open=gone)]))
    assert failed.reason is Reason.UNREADABLE_FILE
    assert local_s3.keys() == []


@pytest.mark.fault
def test_a_publisher_that_is_killed_before_its_pack_has_arrived_commits_nothing(
    local_s3: Space, tmp_path: Path
) -> None:
    sending = Event()

    def hang(request: Request) -> Break | None:
        if "/packs/" in request.path:
            sending.set()
            return Break(hang=True)
        return None

    with breaking_proxy(local_s3.s3.endpoint, hang) as proxy:
        store, outputs = datastore(behind(local_s3, proxy.endpoint)), [output("model", packed=True)]
        pod = Pod(tmp_path, store, local_s3.s3.admin, outputs=outputs)
        write_files(tmp_path / "outputs/model", [*FILES, LARGE])
        publishing = pod.start("publish", "0\n.")
        assert sending.wait(60)
        assert wait_until(lambda: bool(local_s3.keys()), 120)
        publishing.kill()
        publishing.communicate()
    assert local_s3.keys() == [f"{BASE}/data/large.bin"]


def test_packs_are_not_found_where_a_file_of_their_name_is(local_s3: Space, tmp_path: Path) -> None:
    files = [("packs/00000000", LARGE[1]), ("00000000", b"a"), ("packs/1", b"b")]
    first, ended = published(local_s3, tmp_path / "1", files, packed=True)
    given = ended.report["outputs"][0]["inventory"]
    second = Pod(tmp_path / "2", datastore(local_s3), local_s3.s3.admin, inputs=[("model", given)])
    assert second.stage_in().code == 0
    assert content_of(second.root / "inputs/model") == content_of(first.root / "outputs/model")


def test_an_output_that_is_not_packed_refers_to_no_pack(local_s3: Space, tmp_path: Path) -> None:
    """Registered outputs are planned so: each of their files is an object for any other tool to read."""
    _, ended = published(local_s3, tmp_path, FILES, packed=False)
    given = inventory_of(ended.report, "model")
    reader = open_inventory(a_store(local_s3, tmp_path), given.path, given.digest)
    entries = list(reader.entries())
    assert [root.prefix for root in reader.roots] == [f"{BASE}/data/"]
    assert {entry.pack for entry in entries} == {None}
    assert local_s3.keys(f"{BASE}/data/") == sorted(f"{BASE}/data/{path}" for path, _ in FILES)


def moved(entries: list[Entry], path: str, offset: int) -> list[Entry]:
    return [entry._replace(offset=offset) if entry.path == path else entry for entry in entries]


@pytest.mark.parametrize("offset", [1, 199, 1500, 2**62])
def test_an_inventory_that_places_a_file_elsewhere_is_refused_by_file_and_pack(
    local_s3: Space, tmp_path: Path, offset: int
) -> None:
    contents = {name: noise(100) for name in ("a", "b", "c")}
    store = a_store(local_s3, tmp_path)
    entries = moved(sent(store, files_in(tmp_path / "source", contents)), "c", offset)
    failed = failure_of(lambda: fetched(store, entries, tmp_path / "target"))
    assert failed.reason is Reason.INPUT_DRIFT
    assert "file 'c'" in failed.message
    assert "packs/00000000" in failed.message
    assert not (tmp_path / "target").exists()
