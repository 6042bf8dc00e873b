"""What is fetched ahead comes in order, within its budget, and fails in its place."""

from __future__ import annotations

import time
from threading import Lock

import pytest

from towpath_mover.ahead import in_order
from towpath_mover.transfer import Limits, Work


class Held:
    """Counts what is fetched and not yet used, and remembers the most."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0
        self._lock = Lock()

    def fetch(self, task: int) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        # The first ones take longest.
        time.sleep(0.02 / (task + 1))
        return task * task

    def use(self) -> None:
        with self._lock:
            self.now -= 1


@pytest.mark.parametrize(
    ("limits", "most"), [(Limits(4, 100), 4), (Limits(50, 30), 3), (Limits(50, 5), 1)], ids=str
)
def test_results_come_in_order_and_no_more_is_held_than_allowed(limits: Limits, most: int) -> None:
    held, found = Held(), []
    for task, result in in_order(range(40), Work(lambda _: 10, held.fetch), limits):
        held.use()
        found.append((task, result))
    assert found == [(task, task * task) for task in range(40)]
    assert 1 <= held.most <= most + 1


def test_a_failure_rises_where_its_result_would_be() -> None:
    def fetch(task: int) -> int:
        if task == 3:
            raise ValueError("three")
        return task

    results = in_order(range(10), Work(lambda _: 1, fetch))

    assert [next(results) for _ in range(3)] == [(0, 0), (1, 1), (2, 2)]
    with pytest.raises(ValueError, match="three"):
        next(results)
