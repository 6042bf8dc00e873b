"""The audit: what kopf never told of is found by a list, also a deletion."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from controller.broken_server import broken_server, job, refuse, until
from towpath_operator.cluster.audit import Audit
from towpath_operator.cluster.backoff import Backoff
from towpath_operator.cluster.resources import JOBS
from towpath_operator.cluster.store import Store
from towpath_operator.metrics import Metrics

Json = dict[str, Any]


def repairs(metrics: Metrics) -> float:
    return metrics.registry.get_sample_value("towpath_audit_repairs_total", {"kind": "Job"}) or 0.0


def test_a_deletion_that_no_event_told_of_is_repaired_and_counted() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            there = [job("a", 1), job("b", 2)]

            async def handler(_: web.Request) -> web.StreamResponse:
                return web.json_response({"items": there, "metadata": {"resourceVersion": "10"}})

            server.handler = handler
            metrics, store = Metrics(), Store(JOBS, lambda _: None)
            audit = Audit(client, [(store, None)], metrics, 600)
            await audit.once()
            assert audit.synced.is_set()
            assert repairs(metrics) == 0
            there.pop()
            await audit.once()
            assert [item["metadata"]["name"] for item in store.all()] == ["a"]
            assert repairs(metrics) == 1

    asyncio.run(story())


def test_it_is_not_synced_before_the_server_has_answered() -> None:
    async def story() -> None:
        async with broken_server() as (server, client):
            server.handler = refuse(503, "ServiceUnavailable")
            audit = Audit(client, [(Store(JOBS, lambda _: None), "ns")], Metrics(), 600, Backoff(0.01, 0.02))
            running = asyncio.create_task(audit.run())
            await until(lambda: len(server.requests) >= 3)
            assert not audit.synced.is_set()

            async def handler(_: web.Request) -> web.StreamResponse:
                return web.json_response({"items": [], "metadata": {"resourceVersion": "10"}})

            server.handler = handler
            await asyncio.wait_for(audit.synced.wait(), 60)
            running.cancel()

    asyncio.run(story())
