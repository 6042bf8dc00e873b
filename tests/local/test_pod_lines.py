"""What a pod's process tells comes in whole lines, however many containers tell at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from towpath.local.pod import _tell

CONTAINERS, TIMES = 8, 300


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_threads")
def test_containers_that_tell_at_once_tell_whole_lines(capfd: pytest.CaptureFixture[str]) -> None:
    def tell(number: int) -> None:
        for _ in range(TIMES):
            _tell({"name": f"mover-{number}"}, "running")

    with ThreadPoolExecutor(CONTAINERS) as pool:
        list(pool.map(tell, range(CONTAINERS)))
    told = [json.loads(line)["container"] for line in capfd.readouterr().out.splitlines()]
    assert sorted(told) == sorted(f"mover-{number}" for number in range(CONTAINERS) for _ in range(TIMES))
