"""Listing a bucket: each key as it is, in bounded memory, and whole or not at all, whatever befalls its pages.

Behind the proxy is a real S3 server; minio's own listing is the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from cluster.access import S3
from cluster.space import Space, fresh_space
from cluster.waiting import wait_until
from mover.breaking_proxy import Break, Request, breaking_proxy
from mover.movers import take_inventory
from mover.pods import datastore
from mover.transfers import AWKWARD, HASTE, a_store, behind, failure_of
from towpath_mover import retry
from towpath_mover.exits import Exit
from towpath_mover.failures import Reason
from towpath_mover.stores import ListedObject, Store

pytestmark = [pytest.mark.server, pytest.mark.fault]

KEYS = [f"in/{number:04}" for number in range(1_001)]
AT_ONCE = HASTE._replace(read_timeout=0.5, retries=0, tries=2)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses of a mover."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.01)


@pytest.fixture(scope="module")
def two_pages(s3_server: S3, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    """A space of one object more than a page holds, which no test changes."""
    with fresh_space(s3_server) as space:
        fill(a_store(space, tmp_path_factory.mktemp("keys")), KEYS)
        yield space


def fill(store: Store, keys: list[str]) -> None:
    """Write an empty object at each key."""
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: store.write(key, b""), keys))


def pages(broken: Break) -> Callable[[Request], Break | None]:
    """Break the second page, the first time it is asked for; before both a mover asks about versions."""
    return lambda request: broken if (request.method, request.before) == ("GET", 2) else None


def judged(space: Space, prefix: str) -> set[tuple[str, int, str]]:
    found = space.client.list_objects(space.bucket, space.prefix + prefix, recursive=True)
    return {
        (str(entry.object_name).removeprefix(space.prefix), entry.size or 0, str(entry.etag))
        for entry in found
    }


def test_keys_sizes_and_etags_are_those_that_the_store_reports(local_s3: Space, tmp_path: Path) -> None:
    for number, name in enumerate(AWKWARD):
        local_s3.put(f"in/{name}", b"x" * number)
    found = list(a_store(local_s3, tmp_path).list_objects("in/"))
    assert {(entry.key, entry.size, entry.etag) for entry in found} == judged(local_s3, "in/")
    assert {entry.key for entry in found} == {f"in/{name}" for name in AWKWARD}


def test_a_folder_of_any_name_is_listed_and_not_the_ones_beside_it(local_s3: Space, tmp_path: Path) -> None:
    for name in AWKWARD:
        local_s3.put(f"{name}/file", b"x")
    store = a_store(local_s3, tmp_path)
    for name in AWKWARD:
        assert [entry.key for entry in store.list_objects(f"{name}/")] == [f"{name}/file"]
    level = sorted(entry.key for entry in store.list_objects("", recursive=False))
    assert level == sorted(f"{name.split('/', maxsplit=1)[0]}/" for name in AWKWARD)


@pytest.mark.parametrize(
    "broken",
    [
        Break(500),
        Break(503, code="SlowDown"),
        Break(429),
        Break(reset=True),
        Break(lose_reply=True),
        Break(cut_after=1000),
        Break(stall_after=1000),
        Break(hang=True),
        Break(other_body=lambda body: body[:-100]),
    ],
)
def test_a_page_that_fails_once_is_asked_for_again(
    two_pages: Space, tmp_path: Path, quick: None, broken: Break
) -> None:
    with breaking_proxy(two_pages.s3.endpoint, pages(broken)) as proxy:
        store = a_store(behind(two_pages, proxy.endpoint), tmp_path, AT_ONCE)
        assert sorted(entry.key for entry in store.list_objects("in/")) == KEYS
        assert proxy.broken == 1


@pytest.mark.parametrize(
    ("broken", "exit_code", "words"),
    [
        (
            Break(503),
            Exit.TRY_AGAIN,
            "it goes on answering 503",
        ),
        (Break(hang=True), Exit.TRY_AGAIN, "no answer in time"),
        (Break(other_body=lambda body: body[:-100]), Exit.TRY_AGAIN, "it is not XML"),
        (Break(other_body=lambda _: b"<html/>"), Exit.REFUSED, "it is 'html', not a listing"),
        (
            Break(other_body=lambda body: body.replace(b"NextContinuationToken", b"Next")),
            Exit.REFUSED,
            "does not say how to ask for it",
        ),
    ],
)
def test_a_listing_that_cannot_be_whole_is_a_failure_that_says_why(
    two_pages: Space, tmp_path: Path, quick: None, broken: Break, exit_code: Exit, words: str
) -> None:
    with breaking_proxy(two_pages.s3.endpoint, lambda _: broken) as proxy:
        store = a_store(behind(two_pages, proxy.endpoint), tmp_path, AT_ONCE)
        failed = failure_of(lambda: list(store.list_objects("in/")))
    assert failed.exit is exit_code
    assert words in failed.message
    assert f"bucket {two_pages.bucket!r} at {proxy.endpoint} (Datastore default)" in failed.message


def test_a_store_that_gives_one_page_for_ever_is_refused(two_pages: Space, tmp_path: Path) -> None:
    first: list[bytes] = []

    def again(body: bytes) -> bytes:
        if b"ListBucketResult" in body:
            first.append(body)
        return first[0] if first else body

    with breaking_proxy(two_pages.s3.endpoint, lambda _: Break(other_body=again)) as proxy:
        store = a_store(behind(two_pages, proxy.endpoint), tmp_path)
        failed = failure_of(lambda: list(store.list_objects("in/")))
    assert failed.reason is Reason.STORE_REFUSED
    assert "the same page again and again" in failed.message


def test_an_abandoned_listing_waits_for_no_page(two_pages: Space, tmp_path: Path) -> None:
    with breaking_proxy(two_pages.s3.endpoint, pages(Break(hang=True))) as proxy:
        listing = a_store(behind(two_pages, proxy.endpoint), tmp_path).list_objects("in/")
        assert next(listing).key in KEYS
        assert wait_until(lambda: proxy.broken == 1, 120)
        cast("Generator[ListedObject]", listing).close()
        # Only now may that page be answered.
        assert not proxy.ended.is_set()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_hundred_thousand_objects_are_listed_within_a_movers_memory(
    local_s3: Space, tmp_path: Path
) -> None:
    count = 200_000
    fill(a_store(local_s3, tmp_path), [f"in/{number % 997:03}/{number:06}" for number in range(count)])
    ended = take_inventory(datastore(local_s3), local_s3.s3.admin, ["in"], tmp_path / "mover")
    assert (ended.code, ended.report["files"]) == (0, count), ended.errors
    assert int(ended.output) < 256 << 20, f"{int(ended.output) >> 20} MiB"
