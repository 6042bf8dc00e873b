"""What an operator costs and how fast it is with many runs: each figure with the aim that it is held against."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from builders import in_namespace, make_pipeline, make_run
from cluster.access import Access
from cluster.audit import AuditLog
from cluster.waiting import wait_until
from controller.operator_process import OperatorProcess
from controller.runs import plain_step
from scale.api import Api, Json

RUNS = 600
STEPS = 1_000
FINISHED = 10_000
IDLE_SECONDS = 300
WRITER = "subject"
# What is not a run's: who leads, and whether the process lives.
_LEASES = "leases"


class Figure(NamedTuple):
    """One line of the table."""

    what: str
    measured: str
    aim: str


def pace(access: Access, api: Api, runs: int = RUNS) -> list[Figure]:
    """Runs of one plain step, all made at once: how many end in a minute, and what each costs the API server."""
    assert access.audit_log is not None
    log = AuditLog(access.audit_log).from_now()
    bodies = [_run(api, f"pace-{number}") for number in range(runs)]
    api.at_once(lambda body: api.create("pipelineruns", body), bodies)
    ended = _await_runs(api, "pace-", runs)
    states = Counter(run["status"]["state"] for run in ended)
    assert states == {"Succeeded": runs}, states
    begun = min(_time(run["metadata"]["creationTimestamp"]) for run in ended)
    over = max(_time(run["status"]["completionTime"]) for run in ended)
    writes = Counter(write.resource for write in log.writes(WRITER) if write.resource != _LEASES)
    events = writes.pop("events", 0)
    return [
        Figure(
            f"one-step runs a minute ({runs} at once)", f"{runs * 60 / (over - begun):.0f}", "540 or more"
        ),
        Figure("API writes a run", f"{writes.total() / runs:.2f} ({_told(writes)})", "5 or fewer"),
        Figure("events a run", f"{events / runs:.2f}", "2 or fewer"),
    ]


def size(api: Api, steps: int = STEPS) -> list[Figure]:
    """How large the object of a run of many steps is once it has ended."""
    names = [f"a-step-with-a-name-as-people-give-{number:04}" for number in range(steps)]
    pipeline = make_pipeline("many", *map(plain_step, names))
    api.create("pipelines", in_namespace(api.namespace, pipeline))
    run = make_run("size-0", pipelineRef={"name": "many"})
    begun = time.monotonic()
    api.create("pipelineruns", in_namespace(api.namespace, run))
    [ended] = _await_runs(api, "size-", 1)
    assert ended["status"]["state"] == "Succeeded", ended["status"]
    length = len(json.dumps(ended, separators=(",", ":")))
    return [
        Figure(f"KiB of the object of a run of {steps:,} steps", f"{length / 1024:.0f}", "512 or fewer"),
        Figure(f"seconds of that run, all {steps:,} steps at once", f"{time.monotonic() - begun:.0f}", ""),
    ]


def fill(api: Api, runs: int = FINISHED) -> None:
    """Make finished runs: copies of one that has ended, status and all."""
    pattern = api.get("pipelineruns", "pace-0")

    def copy(number: int) -> None:
        body = _run(api, f"old-{number}")
        made = api.create("pipelineruns", body)
        api.write_status("pipelineruns", made | {"status": pattern["status"]})

    api.at_once(copy, range(runs))


def start(operator: OperatorProcess, runs: int) -> list[Figure]:
    """How long an operator takes to be ready where many runs have ended, and what memory it takes then."""
    begun = time.monotonic()
    operator.start()
    operator.wait_ready(120)
    ready = time.monotonic() - begun
    operator.wait_leading(120)
    leading = time.monotonic() - begun
    seen = operator.passes("PipelineRun")
    assert wait_until(lambda: operator.passes("PipelineRun") >= seen and _is_quiet(operator), 300, 1)
    held, most = _memory(operator, "VmRSS"), _memory(operator, "VmHWM")
    return [
        Figure(
            f"seconds until ready, {runs:,} finished runs",
            f"{ready:.1f} (leads: {leading:.1f})",
            "15 or fewer",
        ),
        Figure("MiB held with them (at most)", f"{held:.0f} ({most:.0f})", "300 or fewer"),
    ]


def idle(access: Access, api: Api, operator: OperatorProcess, seconds: int = IDLE_SECONDS) -> list[Figure]:
    """What is written while nothing happens: all runs have ended but one, whose pod finds no node."""
    waiting = plain_step("waits", resources={"requests": {"cpu": "1000000"}})
    api.create(
        "pipelineruns", in_namespace(api.namespace, make_run("idle-0", pipelineSpec={"steps": [waiting]}))
    )
    assert wait_until(lambda: _step(api).get("reason") == "Unschedulable", 60, 1), _step(api)
    assert wait_until(lambda: _is_quiet(operator), 60, 1)
    assert access.audit_log is not None
    log = AuditLog(access.audit_log).from_now()
    time.sleep(seconds)
    written = Counter(write.resource for write in log.writes(WRITER) if write.resource != _LEASES)
    return [Figure(f"writes in {seconds} idle seconds", f"{written.total()} {_told(written)}".strip(), "0")]


def _run(api: Api, name: str) -> Json:
    return in_namespace(api.namespace, make_run(name, pipelineSpec={"steps": [plain_step("only")]}))


def _await_runs(api: Api, prefix: str, count: int, seconds: float = 900) -> list[Json]:
    ended: list[Json] = []

    def are_over() -> bool:
        mine = (run for run in api.all("pipelineruns") if run["metadata"]["name"].startswith(prefix))
        ended[:] = [run for run in mine if "completionTime" in run.get("status", {})]
        return len(ended) == count

    assert wait_until(are_over, seconds, 3), f"{len(ended)} of {count} runs have ended"
    return ended


def _step(api: Api) -> Json:
    found: list[Json] = api.get("pipelineruns", "idle-0").get("status", {}).get("steps", [{}])
    return found[0]


def _is_quiet(operator: OperatorProcess) -> bool:
    before = operator.passes("PipelineRun"), operator.writes()
    time.sleep(3)
    return (operator.passes("PipelineRun"), operator.writes()) == before


def _memory(operator: OperatorProcess, field: str) -> float:
    assert operator.process is not None
    lines = Path(f"/proc/{operator.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _told(writes: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in writes.most_common())
