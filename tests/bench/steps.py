"""What a step costs beside a bare Job, what a chain costs, and how many API writes a run takes."""

from __future__ import annotations

import json
import secrets
import statistics
import time
from collections import Counter
from typing import Any

from cluster.waiting import wait_until
from e2e.tenant import Tenant

CHAIN = 5


def bare_job(tenant: Tenant) -> float:
    """Seconds from the creation of a Job to its condition Complete, as its watcher sees it."""
    name = f"bare-{secrets.token_hex(3)}"
    container = {
        "name": "step",
        "image": "localhost/python:3.11-slim",
        "command": ["true"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    pod = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"template": {"spec": pod}},
    }
    tenant.kubectl("create", "-f", "-", stdin=json.dumps(job))
    start = time.perf_counter()
    tenant.kubectl("wait", "--for=condition=Complete", f"job/{name}", "--timeout=60s")
    seconds = time.perf_counter() - start
    tenant.kubectl("delete", "job", name, "--wait=false")
    return seconds


def plain_step(tenant: Tenant) -> float:
    """Seconds from the creation of a run of one plain step to its completionTime, as its watcher sees it."""
    return _timed_run(tenant, [{"name": "plain", "command": ["true"]}])


def chain(tenant: Tenant) -> float:
    """Seconds of a run of five steps that hand on one small file."""
    return _timed_run(tenant, chain_steps())


def chain_steps() -> list[dict[str, Any]]:
    """Five steps that hand on one small file."""
    steps: list[dict[str, Any]] = [
        {
            "name": "s1",
            "command": ["sh", "-c", 'echo 1 > "$0"', "$(outputs.o.path)"],
            "outputs": [{"name": "o"}],
        }
    ]
    for number in range(2, CHAIN + 1):
        before = {"name": "i", "from": {"step": f"s{number - 1}"}}
        command = ["cp", "$(inputs.i.path)", "$(outputs.o.path)"]
        steps.append(
            {"name": f"s{number}", "command": command, "inputs": [before], "outputs": [{"name": "o"}]}
        )
    return steps


def _timed_run(tenant: Tenant, steps: list[dict[str, Any]]) -> float:
    run = tenant.start_steps(*steps)
    start = time.perf_counter()
    status = tenant.finish(run, 120)
    seconds = time.perf_counter() - start
    assert status["state"] == "Succeeded", status
    return seconds


def writes_of_a_run(tenant: Tenant) -> Counter[str]:
    """The API writes that the operator made for one run of one plain step, by verb and resource."""
    run = tenant.start_steps({"name": "plain", "command": ["true"]})
    tenant.finish(run)
    log = tenant.access.audit_log
    assert log is not None
    counted: Counter[str] = Counter()

    def has_settled() -> bool:
        before = counted.copy()
        counted.clear()
        counted.update(_writes(log.read_text().splitlines(), run))
        return counted == before and bool(counted)

    assert wait_until(has_settled, 20, pause=2)
    return counted


def _writes(lines: list[str], run: str) -> list[str]:
    found = []
    for line in lines:
        event = json.loads(line)
        name = event.get("objectRef", {}).get("name", "")
        if event["user"]["username"].startswith("system:serviceaccount:towpath-") and (
            name == run or name.startswith(f"{run}-")
        ):
            reference = event["objectRef"]
            found.append(
                f"{event['verb']} {reference['resource']}/{reference.get('subresource', '')}".rstrip("/")
            )
    return found


def report(tenant: Tenant, rounds: int = 5) -> list[str]:
    """The figures, a line each; bare Job and plain step in turn."""
    pairs = [(plain_step(tenant), bare_job(tenant)) for _ in range(rounds)]
    plain, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    chains = [chain(tenant) for _ in range(3)]
    writes = writes_of_a_run(tenant)
    return [
        f"one plain step {plain:.2f} s, a bare Job {bare:.2f} s: {ratio:.2f}x (median of {rounds} pairs; aim <= 0.75x)",
        f"a chain of {CHAIN} handing on one small file: {statistics.median(chains):.2f} s (median of 3; aim <= 10 s)",
        f"API writes of a one-step run: {writes.total()} ({dict(writes)}; aim <= 5)",
    ]
