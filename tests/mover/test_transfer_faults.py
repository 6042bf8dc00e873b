"""Transfers through a proxy that cuts, refuses and loses; behind it is a real S3 server.

The proxy stands for what no real server does on demand. A disk that is full is a fake `pwrite`.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cluster.space import Space
from mover.breaking_proxy import Break, Request, Rule, breaking_proxy
from mover.transfers import (
    HASTE,
    MiB,
    a_store,
    an_entry_of,
    behind,
    failure_of,
    fetch,
    files_in,
    found_in,
    noise,
    send,
)
from towpath_mover import objects, retry
from towpath_mover.content_hash import by_content
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.objects import open_inventory, write_object
from towpath_mover.progress import Progress
from towpath_mover.stores import TRANSFER
from towpath_mover.transfer import WHOLE

pytestmark = [pytest.mark.server, pytest.mark.fault]

AT_ONCE = HASTE._replace(read_timeout=0.3, retries=1, retry_timeout=1, tries=2)
SIZES = pytest.mark.parametrize("size", [100_000, 9 * MiB])


def on(method: str, broken: Break, times: int = 1) -> Rule:
    """Break the first requests of this method for each path; of ranges that means some of them."""

    def rule(request: Request) -> Break | None:
        return broken if request.method == method and request.before < times else None

    return rule


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses of a mover."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)


@SIZES
def test_a_body_that_is_cut_is_read_on(local_s3: Space, tmp_path: Path, size: int) -> None:
    content = noise(size)
    local_s3.put("out/data/a", content)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(cut_after=50_000), times=2)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        target = fetch([an_entry_of("a", content)], store, tmp_path / "target")
        assert proxy.broken == 2
    assert found_in(target) == {"a": content}


@pytest.mark.parametrize("status", [500, 503, 429])
@SIZES
def test_a_server_that_is_busy_twice_is_asked_a_third_time(
    local_s3: Space, tmp_path: Path, size: int, status: int
) -> None:
    contents = {"a": noise(size)}
    with breaking_proxy(
        local_s3.s3.endpoint, lambda request: Break(status) if request.before < 2 else None
    ) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        sent = send(files_in(tmp_path / "source", contents), store)
        target = fetch(sent.values(), store, tmp_path / "target")
        assert proxy.broken >= 4
    assert local_s3.get("out/data/a") == contents["a"]
    assert found_in(target) == contents


@SIZES
def test_a_lost_reply_to_a_write_is_written_again(local_s3: Space, tmp_path: Path, size: int) -> None:
    contents = {"a": noise(size)}
    with breaking_proxy(local_s3.s3.endpoint, on("PUT", Break(lose_reply=True))) as proxy:
        send(files_in(tmp_path / "source", contents), a_store(behind(local_s3, proxy.endpoint), tmp_path))
        assert proxy.broken
    assert local_s3.get("out/data/a") == contents["a"]


def test_a_lost_reply_to_the_completion_of_parts_is_overcome(local_s3: Space, tmp_path: Path) -> None:
    contents = {"a": noise(9 * MiB)}

    # The first POST begins the upload, the second completes it.
    def rule(request: Request) -> Break | None:
        return Break(lose_reply=True) if (request.method, request.before) == ("POST", 1) else None

    with breaking_proxy(local_s3.s3.endpoint, rule) as proxy:
        send(files_in(tmp_path / "source", contents), a_store(behind(local_s3, proxy.endpoint), tmp_path))
        assert proxy.broken == 1
    assert local_s3.get("out/data/a") == contents["a"]


@SIZES
@pytest.mark.parametrize("pin", ["sha256", "etag"])
def test_an_object_replaced_in_mid_body_is_drift(
    local_s3: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, pin: str
) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    content = noise(size)
    local_s3.put("out/data/a", content)
    etag = local_s3.client.stat_object(local_s3.bucket, f"{local_s3.prefix}out/data/a").etag
    pinned = an_entry_of("a", content) if pin == "sha256" else Entry("a", size, etag=etag)
    replace = Break(cut_after=50_000, meanwhile=lambda: local_s3.put("out/data/a", noise(size)))
    with breaking_proxy(local_s3.s3.endpoint, on("GET", replace)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE._replace(tries=2, read_timeout=30))
        with pytest.raises(MoverFailure, match="out/data/a") as raised:
            fetch([pinned], store, tmp_path / "target")
    assert raised.value.reason is Reason.INPUT_DRIFT
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Break(500), "it goes on answering 500"),
        (Break(503, code="SlowDown"), "it goes on answering 503 (SlowDown: Not now)"),
        (Break(429), "it goes on answering 429"),
        (Break(reset=True), "the connection failed again and again"),
        (Break(hang=True), "no answer in time"),
    ],
)
def test_lasting_trouble_is_told_with_object_store_and_tries(
    local_s3: Space, tmp_path: Path, quick: None, broken: Break, words: str
) -> None:
    local_s3.put("out/data/b", b"1")
    with breaking_proxy(local_s3.s3.endpoint, lambda _: broken) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, AT_ONCE)
        sending = failure_of(lambda: send(files_in(tmp_path / "source", {"a": b"1"}), store))
        fetching = failure_of(lambda: fetch([an_entry_of("b", b"1")], store, tmp_path / "target"))
    for failed, doing in ((sending, "write object '{}out/data/a'"), (fetching, "read object '{}out/data/b'")):
        assert failed.exit is Exit.TRY_AGAIN
        assert doing.format(local_s3.prefix) in failed.message
        assert f"in bucket {local_s3.bucket!r} at {proxy.endpoint} (Datastore default)" in failed.message
        assert words in failed.message
        assert failed.message.endswith("It was tried 2 times.")


@SIZES
def test_a_body_that_stalls_is_read_on(local_s3: Space, tmp_path: Path, size: int) -> None:
    content = noise(size)
    local_s3.put("out/data/a", content)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(stall_after=50_000))) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE)
        target = fetch([an_entry_of("a", content)], store, tmp_path / "target")
        assert proxy.broken == 1
    assert found_in(target) == {"a": content}


def test_a_store_that_always_stalls_is_given_up(local_s3: Space, tmp_path: Path, quick: None) -> None:
    content = noise(100_000)
    local_s3.put("out/data/a", content)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(stall_after=0), times=99)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, AT_ONCE)
        failed = failure_of(lambda: fetch([an_entry_of("a", content)], store, tmp_path / "target"))
    assert (failed.reason, failed.exit) == (Reason.NO_ANSWER, Exit.TRY_AGAIN)
    assert "no answer in time" in failed.message


@SIZES
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_connection_that_is_reset_is_made_anew(
    local_s3: Space, tmp_path: Path, size: int, method: str
) -> None:
    contents = {"a": noise(size)}
    with breaking_proxy(local_s3.s3.endpoint, on(method, Break(reset=True))) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        sent = send(files_in(tmp_path / "source", contents), store)
        target = fetch(sent.values(), store, tmp_path / "target")
        assert proxy.broken
    assert found_in(target) == contents


# What the answer's own headers agree with: only the inventory knows better.
LIES = {
    "short": lambda body: body[:-7],
    "nothing": lambda _: b"",
    "long": lambda body: body + b"more",
    "other bytes": lambda body: bytes([body[0] ^ 1]) + body[1:],
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_is_wrong_once_is_asked_for_again(
    local_s3: Space, tmp_path: Path, quick: None, lie: str
) -> None:
    content = noise(100_000)
    local_s3.put("out/data/a", content)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(other_body=LIES[lie]))) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        target = fetch([an_entry_of("a", content)], store, tmp_path / "target")
        assert proxy.broken == 1
    assert found_in(target) == {"a": content}


@SIZES
@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_stays_wrong_is_drift_and_never_other_bytes(
    local_s3: Space, tmp_path: Path, quick: None, size: int, lie: str
) -> None:
    content = noise(size)
    local_s3.put("out/data/a", content)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(other_body=LIES[lie]), times=99)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE)
        failed = failure_of(lambda: fetch([an_entry_of("a", content)], store, tmp_path / "target"))
    assert failed.reason is Reason.INPUT_DRIFT
    assert "out/data/a" in failed.message
    assert not (tmp_path / "target").exists()


def test_a_server_that_does_not_know_ranges_is_said_so(local_s3: Space, tmp_path: Path, quick: None) -> None:
    content = noise(9 * MiB)
    local_s3.put("out/data/a", content)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(whole=content), times=99)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE)
        failed = failure_of(lambda: fetch([an_entry_of("a", content)], store, tmp_path / "target"))
    assert (failed.reason, failed.exit) == (Reason.STORE_REFUSED, Exit.REFUSED)
    assert "does not answer with the range that was asked for" in failed.message


def test_an_object_is_tried_anew_when_the_clients_own_patience_ends(
    local_s3: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)
    patience = TRANSFER._replace(retries=0, tries=3)
    with breaking_proxy(local_s3.s3.endpoint, on("PUT", Break(503), times=2)) as proxy:
        send(
            files_in(tmp_path / "source", {"a": b"1"}),
            a_store(behind(local_s3, proxy.endpoint), tmp_path, patience),
        )
        assert proxy.broken == 2
    assert local_s3.get("out/data/a") == b"1"


def test_a_cut_inventory_is_read_on(local_s3: Space, tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden/inventory/example.jsonl.gz"
    digest = "sha256:5a0968bd5efd6818c057aafef15c0b4153808f289cdcf66f010cd9a0d6dc3c8a"
    write_object(a_store(local_s3, tmp_path), "inventory", golden)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(cut_after=100))) as proxy:
        reader = open_inventory(a_store(behind(local_s3, proxy.endpoint), tmp_path), "inventory", digest)
        assert len(list(reader.entries())) == 8
        assert proxy.broken == 1


@SIZES
def test_a_full_disk_says_the_numbers(
    local_s3: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    content = noise(size)
    local_s3.put("out/data/a", content)

    def full(descriptor: int, content: bytes, offset: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(MoverFailure, match=f"'a' \\({size} bytes\\)") as raised:
        fetch([an_entry_of("a", content)], a_store(local_s3, tmp_path), tmp_path / "target")
    assert raised.value.exit is Exit.DISK_FULL
    assert "bytes are free" in raised.value.message


@pytest.mark.parametrize(
    "broken", [Break(cut_after=50_000), Break(stall_after=50_000), Break(503), Break(reset=True)]
)
def test_content_is_hashed_on_from_where_reading_broke_off(
    local_s3: Space, tmp_path: Path, quick: None, broken: Break
) -> None:
    content = noise(9 * MiB)
    local_s3.put("out/data/a", content)
    etag = local_s3.client.stat_object(local_s3.bucket, f"{local_s3.prefix}out/data/a").etag
    with breaking_proxy(local_s3.s3.endpoint, on("GET", broken)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE)
        [hashed] = by_content([Entry("a", len(content), etag=etag)], store, "out/data/", Progress("content"))
        # The broken one, that one again, and the second range.
        assert (proxy.broken, len(proxy.requests)) == (1, 3)
    assert hashed == an_entry_of("a", content)


def test_an_object_replaced_between_two_ranges_of_its_content_is_drift(
    local_s3: Space, tmp_path: Path
) -> None:
    content = noise(9 * MiB)
    local_s3.put("out/data/a", content)
    etag = local_s3.client.stat_object(local_s3.bucket, f"{local_s3.prefix}out/data/a").etag
    replace = Break(cut_after=WHOLE, meanwhile=lambda: local_s3.put("out/data/a", noise(9 * MiB)))
    with breaking_proxy(local_s3.s3.endpoint, on("GET", replace)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path)
        pinned = Entry("a", len(content), etag=etag)
        failed = failure_of(lambda: list(by_content([pinned], store, "out/data/", Progress("content"))))
    assert failed.reason is Reason.INPUT_DRIFT
    assert "out/data/a" in failed.message


def test_an_inventory_of_many_ranges_is_read_on_and_never_of_two_states(
    local_s3: Space, tmp_path: Path, quick: None
) -> None:
    text = noise(9 * MiB)
    local_s3.put("inventory", text)
    with breaking_proxy(local_s3.s3.endpoint, on("GET", Break(stall_after=50_000))) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE)
        assert b"".join(objects._chunks(store, "inventory")) == text
        assert proxy.broken == 1
    chunks = objects._chunks(a_store(local_s3, tmp_path), "inventory")
    first = next(chunks)
    local_s3.put("inventory", noise(9 * MiB))
    assert failure_of(lambda: first + b"".join(chunks)).reason is Reason.INPUT_DRIFT
