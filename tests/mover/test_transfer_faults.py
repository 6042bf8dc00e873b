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
from mover.transfers import HASTE, MiB, a_store, an_entry_of, behind, fetch, files_in, found_in, noise, send
from towpath_mover import retry
from towpath_mover.exits import Exit
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.inventory import Entry
from towpath_mover.objects import open_inventory, write_object
from towpath_mover.stores import TRANSFER

pytestmark = [pytest.mark.server, pytest.mark.fault]

SIZES = pytest.mark.parametrize("size", [100_000, 20 * MiB])


def on(method: str, broken: Break, times: int = 1) -> Rule:
    """Break the first requests of this method for each path; of ranges that means some of them."""

    def rule(request: Request) -> Break | None:
        return broken if request.method == method and request.before < times else None

    return rule


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
    contents = {"a": noise(20 * MiB)}

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
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE._replace(tries=2))
        with pytest.raises(MoverFailure, match="out/data/a") as raised:
            fetch([pinned], store, tmp_path / "target")
    assert raised.value.reason is Reason.INPUT_DRIFT
    assert not (tmp_path / "target").exists()


def test_a_store_that_stays_away_ends_the_transfer_with_try_again(local_s3: Space, tmp_path: Path) -> None:
    with breaking_proxy(local_s3.s3.endpoint, lambda _: Break(503)) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, HASTE)
        with pytest.raises(MoverFailure, match="goes on answering 503") as raised:
            send(files_in(tmp_path / "source", {"a": b"1"}), store)
    assert raised.value.exit is Exit.TRY_AGAIN


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
