"""The keyed queue: many events, one pass; never two passes on one key; first marked, first served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from towpath_operator.cluster.backoff import Backoff
from towpath_operator.cluster.queue import ClosedError, KeyedQueue
from towpath_operator.cluster.resources import Key


def key(name: str) -> Key:
    return Key("PipelineRun", "ns", name)


def in_loop(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))


def test_many_events_on_one_key_make_one_pass() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        for _ in range(1000):
            queue.add(key("a"))
        assert len(queue) == 1
        assert await queue.take() == key("a")
        assert len(queue) == 0

    in_loop(story)


def test_a_key_in_a_pass_is_not_given_out_again_until_the_pass_ends() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        queue.add(key("a"))
        await queue.take()
        queue.add(key("a"))
        second = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not second.done()
        queue.done(key("a"))
        assert await second == key("a")

    in_loop(story)


def test_an_event_during_a_pass_is_not_lost() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        queue.add(key("a"))
        await queue.take()
        queue.add(key("a"))
        queue.done(key("a"))
        assert await queue.take() == key("a")

    in_loop(story)


def test_a_busy_key_starves_nobody() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        queue.add(key("busy"))
        queue.add(key("quiet"))
        taken = await queue.take()
        queue.add(key("busy"))
        queue.done(taken)
        assert await queue.take() == key("quiet")

    in_loop(story)


def test_of_several_moments_the_first_one_counts() -> None:
    async def story() -> None:
        now = 0.0
        queue = KeyedQueue(clock=lambda: now)
        queue.add_after(key("a"), 60)
        queue.add_after(key("a"), 5)
        queue.add_after(key("a"), 30)
        now = 6.0
        assert await queue.take() == key("a")
        queue.done(key("a"))
        now = 61.0
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.take(), 0.05)

    in_loop(story)


def test_a_delayed_key_wakes_whoever_waits() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        queue.add_after(key("a"), 0.01)
        assert await waiting == key("a")

    in_loop(story)


def test_the_pause_grows_with_each_failure_and_starts_small_after_success() -> None:
    async def story() -> None:
        now = 0.0
        queue = KeyedQueue(lambda: Backoff(1.0, 60.0), clock=lambda: now)
        pauses = []
        for _ in range(8):
            queue.add(key("a"))
            await queue.take()
            pauses.append(queue.failed(key("a")))
        assert 0.5 <= pauses[0] <= 1.0
        assert 30.0 <= pauses[-1] <= 60.0
        queue.add(key("a"))
        await queue.take()
        queue.done(key("a"))
        queue.add(key("a"))
        await queue.take()
        assert queue.failed(key("a")) <= 1.0

    in_loop(story)


def test_the_server_may_ask_for_a_longer_pause() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        queue.add(key("a"))
        await queue.take()
        assert queue.failed(key("a"), at_least=30.0) == 30.0

    in_loop(story)


def test_the_age_of_the_oldest_key_is_known() -> None:
    async def story() -> None:
        now = 0.0
        queue = KeyedQueue(clock=lambda: now)
        assert queue.oldest_age() == 0.0
        queue.add(key("a"))
        now = 7.0
        queue.add(key("b"))
        queue.add(key("a"))
        assert queue.oldest_age() == 7.0

    in_loop(story)


def test_a_closed_queue_gives_out_nothing_more() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        queue.add(key("a"))
        queue.close()
        with pytest.raises(ClosedError):
            await waiting
        with pytest.raises(ClosedError):
            await queue.take()

    in_loop(story)


def test_several_workers_pass_over_every_key_exactly_once_per_mark() -> None:
    async def story() -> None:
        queue, passes, busy = KeyedQueue(), [], set()

        async def worker() -> None:
            while True:
                try:
                    taken = await queue.take()
                except ClosedError:
                    return
                assert taken not in busy
                busy.add(taken)
                passes.append(taken)
                await asyncio.sleep(0)
                busy.discard(taken)
                queue.done(taken)
                if len(passes) >= 300:
                    queue.close()

        for number in range(300):
            queue.add(key(str(number)))
        await asyncio.gather(*(worker() for _ in range(8)))
        assert sorted(passes) == sorted(key(str(number)) for number in range(300))

    in_loop(story)


def test_while_a_key_is_held_alone_no_pass_on_it_begins() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        queue.add(key("a"))
        async with queue.alone(key("a")):
            taking = asyncio.create_task(queue.take())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not taking.done()
        assert await taking == key("a")

    in_loop(story)


def test_a_key_in_a_pass_is_waited_for_before_it_is_held_alone() -> None:
    async def story() -> None:
        queue = KeyedQueue()
        queue.add(key("a"))
        await queue.take()
        order: list[str] = []

        async def hold() -> None:
            async with queue.alone(key("a")):
                order.append("held")

        holding = asyncio.create_task(hold())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        order.append("pass ended")
        queue.done(key("a"))
        await holding
        assert order == ["pass ended", "held"]

    in_loop(story)
