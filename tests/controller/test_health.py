"""Probes: red when a watch is dead, the loop lags or the queue stalls; ready when synced, leader or not."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import aiohttp

from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.resources import Key
from towpath_operator.health import Health, LoopLag
from towpath_operator.metrics import Metrics
from towpath_operator.web import make_application, serve


@dataclass
class Watch:
    """A watch as the probes see it."""

    last_contact: float = field(default_factory=time.monotonic)
    synced: asyncio.Event = field(default_factory=asyncio.Event)


def make_health(*watches: Watch) -> Health:
    queue = KeyedQueue(clock=time.monotonic)
    contacts = [(f"watch {number}", watch, 60.0) for number, watch in enumerate(watches)]
    return Health(queue, LoopLag(Metrics()), contacts)


def test_all_is_well_while_watches_speak() -> None:
    assert make_health(Watch(), Watch()).ailments() == []


def test_a_dead_watch_is_an_ailment_that_names_it() -> None:
    health = make_health(Watch(), Watch(last_contact=time.monotonic() - 61))
    assert health.ailments() == ["watch 1: no sign of life for 61 s"]


def test_a_blocked_event_loop_is_an_ailment() -> None:
    health = make_health()
    health.lag.last = 7.5
    assert health.ailments() == ["the event loop was blocked for 7.5 s"]


def test_a_queue_without_progress_is_an_ailment_of_the_leader_only() -> None:
    ago = 301.0
    health = make_health()
    health.queue = KeyedQueue(clock=lambda: time.monotonic() - ago)
    health.queue.add(Key("PipelineRun", "ns", "r"))
    ago = 0.0
    assert health.ailments() == []
    health.leading.set()
    assert health.ailments() == ["the queue has given out nothing for 301 s"]
    health.queue.last_progress = time.monotonic()
    assert health.ailments() == []


def test_a_standby_is_ready_once_everything_is_synced() -> None:
    first, second = Watch(), Watch()
    health = make_health(first, second)
    first.synced.set()
    assert health.missing() == ["watch 1: not synced"]
    second.synced.set()
    assert health.missing() == []


def test_the_loop_lag_is_measured() -> None:
    async def story() -> float:
        lag = LoopLag(Metrics(), every=0.01)
        measuring = asyncio.create_task(lag.run())
        await asyncio.sleep(0.02)
        time.sleep(0.2)
        await asyncio.sleep(0.001)
        measuring.cancel()
        return lag.last

    assert 0.1 < asyncio.run(story()) < 1.0


def test_probes_and_metrics_are_served() -> None:
    async def story() -> None:
        health, metrics = make_health(Watch(last_contact=0.0)), Metrics()
        metrics.api_call("create", "201")
        runner = await serve(make_application(health, metrics), "127.0.0.1", 0)
        port = runner.addresses[0][1]
        try:
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                async with session.get("/healthz") as answer:
                    assert answer.status == 500
                    assert "watch 0" in await answer.text()
                async with session.get("/readyz") as answer:
                    assert answer.status == 500
                async with session.get("/metrics") as answer:
                    text = await answer.text()
                    assert 'towpath_api_calls_total{code="201",verb="create"} 1.0' in text
                    assert "towpath_queue_depth 0.0" in text
        finally:
            await runner.cleanup()

    asyncio.run(story())
