"""The reflector against a server that breaks in each way that the official informer does not bear."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web

from controller.broken_server import Server, broken_server, cut, job, refuse, stream, until
from towpath_operator.cluster import client as client_module
from towpath_operator.cluster.backoff import Backoff
from towpath_operator.cluster.reflector import Reflector, Selection
from towpath_operator.cluster.resources import JOBS
from towpath_operator.cluster.store import Store
from towpath_operator.metrics import Metrics


@contextlib.asynccontextmanager
async def reflecting(backoff: Backoff | None = None) -> AsyncIterator[tuple[Server, Reflector, Store]]:
    async with broken_server() as (server, client):
        store = Store(JOBS, lambda _: None)
        reflector = Reflector(
            client, store, Selection("ns", "managed=yes"), Metrics(), backoff or Backoff(0.01, 0.02)
        )
        yield server, reflector, store


@contextlib.asynccontextmanager
async def running(reflector: Reflector) -> AsyncIterator[None]:
    task = asyncio.create_task(reflector.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def in_loop(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 60))


def page(items: list[Any], version: int, following: str = "") -> web.Response:
    meta = {"resourceVersion": str(version), **({"continue": following} if following else {})}
    return web.json_response({"items": items, "metadata": meta})


def names_in(store: Store) -> set[str]:
    return {item["metadata"]["name"] for item in store.all()}


def test_it_lists_in_pages_and_is_synced_only_after_the_last() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, store):
            last_page = asyncio.Event()

            async def handler(request: web.Request) -> web.StreamResponse:
                if "watch" in request.query:
                    return await stream(request, [], then_hang=True)
                assert request.query["limit"] == "500"
                assert request.query["labelSelector"] == "managed=yes"
                if request.query.get("continue") == "page-2":
                    await last_page.wait()
                    return page([job("b", 2)], 10)
                return page([job("a", 1)], 10, "page-2")

            server.handler = handler
            async with running(reflector):
                await until(lambda: len(server.requests) == 2)
                assert not reflector.synced.is_set()
                assert names_in(store) == set()
                last_page.set()
                await asyncio.wait_for(reflector.synced.wait(), 60)
                assert names_in(store) == {"a", "b"}

    in_loop(story)


def test_it_asks_for_bookmarks_and_goes_on_from_the_last_one() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, _):

            async def handler(request: web.Request) -> web.StreamResponse:
                if "watch" not in request.query:
                    return page([], 10)
                if request.query["resourceVersion"] == "10":
                    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "99"}}}
                    return await stream(request, [bookmark])
                return await stream(request, [], then_hang=True)

            server.handler = handler
            async with running(reflector):
                await until(lambda: len(server.requests) == 3)
        watches = [r.query for r in server.requests if "watch" in r.query]
        assert [query["resourceVersion"] for query in watches] == ["10", "99"]
        assert all(query["allowWatchBookmarks"] == "true" for query in watches)
        assert all(240 <= int(query["timeoutSeconds"]) <= 300 for query in watches)

    in_loop(story)


def test_what_was_deleted_before_a_410_is_gone_after_it() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, store):
            lists = [page([job("a", 1), job("b", 2)], 10), page([job("b", 2)], 50)]
            gone = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}

            async def handler(request: web.Request) -> web.StreamResponse:
                if "watch" not in request.query:
                    return lists.pop(0)
                last = request.query["resourceVersion"] == "50"
                return await stream(request, [] if last else [gone], then_hang=last)

            server.handler = handler
            async with running(reflector):
                await until(lambda: not lists and names_in(store) == {"b"})

    in_loop(story)


def test_a_410_as_a_plain_answer_lists_again_too() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, store):
            lists = [page([job("a", 1)], 10), page([job("c", 3)], 50)]

            async def handler(request: web.Request) -> web.StreamResponse:
                if "watch" not in request.query:
                    return lists.pop(0)
                if lists:
                    return await refuse(410, "Expired")(request)
                return await stream(request, [], then_hang=True)

            server.handler = handler
            async with running(reflector):
                await until(lambda: names_in(store) == {"c"})

    in_loop(story)


def test_a_server_that_refuses_is_asked_ever_more_rarely() -> None:
    async def story() -> None:
        async with reflecting(Backoff(0.05, 10.0)) as (server, reflector, _):
            server.handler = refuse(403, "Forbidden")
            async with running(reflector):
                await asyncio.sleep(1.0)
            # 0.05 doubling, each pause at least half of its step: at most 6 tries fit into a second.
            assert 2 <= len(server.requests) <= 6
            assert not reflector.synced.is_set()

    in_loop(story)


def test_a_cut_connection_resumes_from_the_last_version_without_a_list() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, store):
            watches = 0

            async def handler(request: web.Request) -> web.StreamResponse:
                nonlocal watches
                if "watch" not in request.query:
                    return page([], 10)
                watches += 1
                if watches == 1:
                    return await cut(request)
                added = {"type": "ADDED", "object": job("a", 11)}
                return await stream(request, [added], then_hang=True)

            server.handler = handler
            async with running(reflector):
                await until(lambda: names_in(store) == {"a"})
            assert sum("watch" not in request.query for request in server.requests) == 1

    in_loop(story)


def test_a_watch_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "SILENCE_SECONDS", 0.1)

    async def story() -> None:
        async with reflecting() as (server, reflector, _):

            async def handler(request: web.Request) -> web.StreamResponse:
                return await stream(request, [], then_hang=True) if "watch" in request.query else page([], 10)

            server.handler = handler
            async with running(reflector):
                await until(lambda: len(server.requests) >= 4)

    in_loop(story)


def test_a_watched_deletion_takes_the_object_out() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, store):

            async def handler(request: web.Request) -> web.StreamResponse:
                if "watch" not in request.query:
                    return page([job("a", 1), job("b", 2)], 10)
                deleted = {"type": "DELETED", "object": job("a", 11)}
                return await stream(request, [deleted], then_hang=True)

            server.handler = handler
            async with running(reflector):
                await until(lambda: names_in(store) == {"b"})

    in_loop(story)


def test_a_list_whose_pages_expired_begins_again() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, store):
            tries = 0

            async def handler(request: web.Request) -> web.StreamResponse:
                nonlocal tries
                if "watch" in request.query:
                    return await stream(request, [], then_hang=True)
                if "continue" not in request.query:
                    tries += 1
                    return page([job("a", 1)], 10, "next")
                return await refuse(410, "Expired")(request) if tries == 1 else page([job("b", 2)], 10)

            server.handler = handler
            async with running(reflector):
                await until(lambda: names_in(store) == {"a", "b"})
            assert tries == 2

    in_loop(story)


def test_retry_after_is_honoured() -> None:
    async def story() -> None:
        async with reflecting() as (server, reflector, _):
            server.handler = refuse(429, "TooManyRequests", {"Retry-After": "1"})
            async with running(reflector):
                await asyncio.sleep(0.5)
            assert len(server.requests) == 1

    in_loop(story)
