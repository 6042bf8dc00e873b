"""Steps that must stop, by a time limit or as their run is cancelled: nothing of them is published or left behind."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.tenant import Tenant, is_ready, step_of

pytestmark = pytest.mark.story

# Half of an output is there, and the command calls it a success when it is told to stop.
HALF = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
out = pathlib.Path(sys.argv[1])
out.mkdir()
(out / "half").write_text("half")
while True:
    time.sleep(1)
"""


def _half(name: str, **fields: Any) -> dict[str, Any]:
    output = {"name": "half", "register": {"name": "never"}}
    return {
        "name": name,
        "command": ["python3", "-c", HALF, "$(outputs.half.path)"],
        "outputs": [output],
    } | fields


def test_what_is_stopped_publishes_nothing_and_leaves_nothing_running(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    for name in "abc":
        space.put(f"abc/{name}", b"x")
    tenant.apply("Dataset", "abc", {"sources": [{"path": "abc/"}]})
    tenant.until("datasets", "abc", is_ready)
    shared = _half("map", inputs=[{"name": "abc"}], shards={"input": "abc", "count": 3, "parallelism": 2})

    slow = tenant.start_steps(_half("slow", timeoutSeconds=3))
    late = tenant.start_steps(_half("late"), timeoutSeconds=25)
    cancelled = {tenant.start_steps(_half("one")): "one", tenant.start_steps(shared): "map"}

    for run, name in cancelled.items():
        tenant.until("pipelineruns", run, partial(_runs, name), 120)
    began = time.monotonic()
    for run in cancelled:
        tenant.cancel(run)
    assert wait_until(lambda: not any(_pods(tenant, run) for run in cancelled), 120, 0.5)
    print(f"pods of cancelled runs were gone after {time.monotonic() - began:.1f} s")
    for run, name in cancelled.items():
        status = tenant.finish(run)
        assert (status["state"], step_of(status, name)["state"]) == ("Cancelled", "Cancelled")
    step = step_of(tenant.finish(slow), "slow")
    assert (step["state"], step["reason"], step["exitCode"]) == ("Failed", "StepTimedOut", 124)
    status = tenant.finish(late)
    assert status["conditions"][0]["reason"] == "TimedOut", json.dumps(status, indent=1)
    assert wait_until(lambda: not _pods(tenant, late), 120, 0.5)
    for run in (slow, late, *cancelled):
        assert all("outputs" not in step for step in tenant.status("pipelineruns", run).get("steps", ()))
    assert not [name for name in tenant.names("datasets") if "never" in name]
    assert not [key for key in space.keys(f"{tenant.namespace}/datasets/never/") if "write-check" not in key]


def _runs(name: str, status: dict[str, Any]) -> bool:
    return bool(step_of(status, name).get("reason") == "Running")


def _pods(tenant: Tenant, run: str) -> list[str]:
    """Pods of a run in which something may still run."""
    return tenant.names("pods", f"towpath.dev/run={run}", "status.phase!=Failed,status.phase!=Succeeded")
