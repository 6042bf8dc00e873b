"""The engine alone: order of budget, failures, signals of life, and the progress that it reports."""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from threading import Barrier, Event, Lock, Thread, Timer

import pytest

from towpath_mover.budget import ByteBudget
from towpath_mover.progress import Progress
from towpath_mover.transfer import Limits, Work, run

WAIT = 10.0


def run_all(tasks: Iterator[int], do: Work[int, int], limits: Limits = Limits()) -> list[int]:  # noqa: B008
    return sorted(run(tasks, do, limits, lambda: None))


def test_each_task_is_done_once() -> None:
    assert run_all(iter(range(1000)), Work(lambda task: task, lambda task: -task)) == sorted(
        -n for n in range(1000)
    )


def test_nothing_to_do_ends_at_once() -> None:
    assert run_all(iter(()), Work(lambda task: task, lambda task: task)) == []


def test_as_many_run_at_once_as_may() -> None:
    together = Barrier(8, timeout=WAIT)
    done = run_all(iter(range(8)), Work(lambda _: 1, lambda _: together.wait()), Limits(in_flight=8))
    assert done == list(range(8))


def test_bytes_in_flight_stay_within_the_budget() -> None:
    lock, held, most = Lock(), [0], [0]

    def do(size: int) -> int:
        with lock:
            held[0] += size
            most[0] = max(most[0], held[0])
        with lock:
            held[0] -= size
        return size

    run_all(iter([30, 70, 100, 1] * 50), Work(lambda size: size, do), Limits(16, 100))
    assert 0 < most[0] <= 100


def test_a_task_above_the_whole_budget_runs_alone() -> None:
    assert run_all(iter([500, 1, 500]), Work(lambda size: size, lambda size: size), Limits(4, 100)) == [
        1,
        500,
        500,
    ]


def test_the_first_failure_rises_without_waiting_for_the_others() -> None:
    hanging = Event()

    def do(task: int) -> int:
        if task == 1:
            raise KeyError("the disk")
        hanging.wait(WAIT)
        return task

    with pytest.raises(KeyError, match="the disk"):
        run_all(iter(range(4)), Work(lambda _: 1, do), Limits(in_flight=2))
    assert not hanging.is_set()
    hanging.set()


def test_whoever_cleans_up_after_a_failure_finds_nothing_in_flight() -> None:
    begun, may_end, written = Event(), Event(), []

    def do(task: int) -> int:
        begun.set()
        assert may_end.wait(WAIT)
        written.append(task)
        return task

    def tasks() -> Iterator[int]:
        yield 1
        assert begun.wait(WAIT)
        Timer(0.2, may_end.set).start()
        raise RuntimeError("refused")

    with pytest.raises(RuntimeError, match="refused"):
        run_all(tasks(), Work(lambda _: 1, do), Limits(in_flight=2, settle_seconds=WAIT))
    assert written == [1]


def test_a_failing_source_of_tasks_rises() -> None:
    def tasks() -> Iterator[int]:
        yield 1
        raise ValueError("the inventory")

    with pytest.raises(ValueError, match="the inventory"):
        run_all(tasks(), Work(lambda _: 1, lambda task: task))


def test_a_signal_is_handled_while_all_workers_are_busy() -> None:
    asked, release = Event(), Event()

    def do(task: int) -> int:
        asked.set()
        release.wait(WAIT)
        return task

    before = signal.signal(signal.SIGUSR1, lambda *_: release.set())
    try:
        waiting = Thread(target=_signal_when, args=(asked,))
        waiting.start()
        assert run_all(iter([1]), Work(lambda _: 1, do)) == [1]
        waiting.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


def _signal_when(asked: Event) -> None:
    if asked.wait(WAIT):
        os.kill(os.getpid(), signal.SIGUSR1)


def test_a_budget_gives_back_what_was_claimed() -> None:
    budget = ByteBudget(10)
    assert budget.claim(4) == 4
    budget.give_back(4)
    assert budget.claim(99) == 10


def test_progress_is_a_line_of_json_every_two_seconds() -> None:
    output, now = io.StringIO(), [0.0]
    progress = Progress("input raw", files=4, size=4000, output=output, clock=lambda: now[0])
    progress.add(1, 1000)
    for now[0] in (1.0, 1.9, 2.0, 3.9):
        progress.report()
    assert json.loads(output.getvalue()) == {
        "transfer": "input raw",
        "filesTotal": 4,
        "bytesTotal": 4000,
        "files": 1,
        "bytes": 1000,
        "seconds": 2.0,
        "bytesPerSecond": 500,
        "secondsLeft": 6,
    }


def test_progress_of_unknown_size_says_no_time_left() -> None:
    output = io.StringIO()
    Progress("output model", output=output, clock=lambda: 0.0).write()
    assert set(json.loads(output.getvalue())) == {"transfer", "files", "bytes", "seconds", "bytesPerSecond"}


def test_a_pod_that_may_have_two_threads_only_does_it_all_with_two(monkeypatch: pytest.MonkeyPatch) -> None:
    _allow_threads(2, monkeypatch)
    assert run_all(iter(range(100)), Work(lambda _: 1, lambda task: task)) == list(range(100))


def test_a_pod_that_may_have_no_thread_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _allow_threads(0, monkeypatch)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        run_all(iter(range(100)), Work(lambda _: 1, lambda task: task))


def _allow_threads(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started, start = [0], Thread.start

    def start_if_allowed(thread: Thread) -> None:
        if started[0] == allowed:
            raise RuntimeError("can't start new thread")
        started[0] += 1
        start(thread)

    monkeypatch.setattr(Thread, "start", start_if_allowed)
