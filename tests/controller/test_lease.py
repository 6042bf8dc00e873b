"""The Lease against an API server that works, hangs, fails and cuts; a real one cannot be told to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web

from controller.broken_server import Handler, broken_server, cut, hang, refuse, until
from towpath_operator.cluster.lease import Lease, LeaseTimes

pytestmark = pytest.mark.fault

# Wide enough apart for a busy machine: what is compared below is a third of these and more.
FAST = LeaseTimes(duration=2.0, deadline=1.2, period=0.2)


class Leases:
    """One Lease, kept as an API server does: versions rise, an update of an old version is refused."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response(self.lease) if self.lease else await refuse(404, "NotFound")(request)
        body = json.loads(await request.text())
        if request.method == "POST":
            if self.lease is not None:
                return await refuse(409, "AlreadyExists")(request)
        elif body["metadata"]["resourceVersion"] != str(self.version):
            return await refuse(409, "Conflict")(request)
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        self.lease = body
        return web.json_response(body)

    @property
    def holder(self) -> str:
        return str(self.lease["spec"]["holderIdentity"]) if self.lease else ""


def in_loop(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 20))


def test_the_first_process_leads_at_once_and_the_second_waits() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = leases = Leases()
            first, second = (Lease(client, "ns", "towpath", name, FAST) for name in "ab")
            await first.acquire()
            holding = asyncio.create_task(first.hold(pytest.fail))
            waiting = asyncio.create_task(second.acquire())
            await asyncio.sleep(1.5 * FAST.duration)
            assert not waiting.done()
            assert leases.holder == "a"
            holding.cancel()
            waiting.cancel()

    in_loop(story)


def test_a_released_lease_is_taken_within_a_period() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = leases = Leases()
            first, second = (Lease(client, "ns", "towpath", name, FAST) for name in "ab")
            await first.acquire()
            waiting = asyncio.create_task(second.acquire())
            await asyncio.sleep(FAST.period)
            began = time.monotonic()
            await first.release()
            await waiting
            assert leases.holder == "b"
            assert time.monotonic() - began < FAST.duration
            assert leases.lease is not None
            assert leases.lease["spec"]["leaseTransitions"] == 1

    in_loop(story)


def test_a_dead_leaders_lease_is_taken_after_its_duration_and_not_before() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = leases = Leases()
            first, second = (Lease(client, "ns", "towpath", name, FAST) for name in "ab")
            await first.acquire()
            began = time.monotonic()
            await second.acquire()
            assert leases.holder == "b"
            assert time.monotonic() - began >= FAST.duration

    in_loop(story)


@pytest.mark.parametrize(
    "broken", [hang, refuse(500), refuse(429, "TooManyRequests"), cut], ids=["hangs", "500", "429", "cuts"]
)
def test_leadership_is_lost_within_the_deadline_however_the_server_breaks(broken: Handler) -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = Leases()
            lease = Lease(client, "ns", "towpath", "a", FAST)
            await lease.acquire()
            server.handler = broken
            reasons: list[str] = []
            began = time.monotonic()
            await lease.hold(reasons.append)
            took = time.monotonic() - began
            assert len(reasons) == 1
            assert not lease.is_held
            # A successor begins after `duration`: by then the old leader must have ended.
            assert FAST.deadline * 0.9 <= took < FAST.duration

    in_loop(story)


def test_a_server_that_answers_again_in_time_costs_nothing() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = leases = Leases()
            lease = Lease(client, "ns", "towpath", "a", FAST)
            await lease.acquire()
            holding = asyncio.create_task(lease.hold(pytest.fail))
            server.handler, before = refuse(500), leases.version
            await asyncio.sleep(FAST.deadline / 2)
            server.handler = leases
            await until(lambda: leases.version > before + 2)
            assert lease.is_held
            holding.cancel()

    in_loop(story)


def test_a_lease_that_another_took_is_lost_at_once() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = leases = Leases()
            lease = Lease(client, "ns", "towpath", "a", FAST)
            await lease.acquire()
            assert leases.lease is not None
            leases.version += 1
            leases.lease = {
                "metadata": {**leases.lease["metadata"], "resourceVersion": str(leases.version)},
                "spec": {**leases.lease["spec"], "holderIdentity": "thief"},
            }
            reasons: list[str] = []
            began = time.monotonic()
            await lease.hold(reasons.append)
            assert len(reasons) == 1
            assert time.monotonic() - began < FAST.deadline

    in_loop(story)


def test_a_restarted_leader_takes_its_own_lease_again_without_waiting() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = Leases()
            await Lease(client, "ns", "towpath", "a", FAST).acquire()
            began = time.monotonic()
            await Lease(client, "ns", "towpath", "a", FAST).acquire()
            assert time.monotonic() - began < FAST.duration

    in_loop(story)


def test_times_that_would_let_two_lead_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="duration > deadline"):
        LeaseTimes(duration=10, deadline=10, period=2)
