"""What the operator's /metrics tell of runs: bytes, rates, what was taken again, drift and retries; really scraped."""

from __future__ import annotations

import json
import re

import pytest

from cluster.pods import PYTHON_IMAGE
from cluster.space import Space
from e2e.tenant import Tenant, is_ready, step_of

pytestmark = pytest.mark.story

COPY = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"
TWICE = """
import json, os, sys
sys.exit(0 if json.load(open(os.environ["TOWPATH_CONTEXT"]))["attempt"] == 2 else 3)
"""
SERIES = re.compile(r'^(towpath_\w+)\{\w+="(\w+)"\} ([0-9.e+]+)$', re.MULTILINE)


def scraped(tenant: Tenant) -> dict[tuple[str, str], float]:
    """The series with one label, by name and that label's value."""
    release = f"e2e-{tenant.namespace.removeprefix('tenant-')}"
    system = f"towpath-{release}"
    found = tenant.tools.kubectl.json("-n", system, "get", "services", "-o", "json")["items"]
    [service] = [one["metadata"]["name"] for one in found]
    path = f"/api/v1/namespaces/{system}/services/{service}:8080/proxy/metrics"
    text = tenant.tools.kubectl("get", "--raw", path)
    return {(name, label): float(value) for name, label, value in SERIES.findall(text)}


def test_bytes_rates_reuse_drift_and_retries_are_counted(
    tenant: Tenant, default_store: str, space: Space
) -> None:
    space.put("counted/a.txt", b"12345")
    tenant.apply("Dataset", "counted", {"sources": [{"path": "counted/a.txt", "datastore": default_store}]})
    tenant.until("datasets", "counted", is_ready, 120)
    before = scraped(tenant)
    copy = {
        "name": "copy",
        "image": PYTHON_IMAGE,
        "command": ["python3", "-c", COPY, "$(inputs.counted.path)", "$(outputs.copied.path)"],
        "inputs": [{"name": "counted"}],
        "outputs": [{"name": "copied"}],
        "reuse": "Always",
    }
    again = {
        "name": "again",
        "image": PYTHON_IMAGE,
        "command": ["python3", "-c", TWICE],
        "retries": 1,
        "timeoutSeconds": 60,
    }
    for _ in range(2):
        status = tenant.finish(tenant.start_steps(copy, again), 240)
        assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    space.put("counted/a.txt", b"other")
    status = tenant.finish(tenant.start_steps(copy | {"reuse": "Never"}), 240)
    assert step_of(status, "copy")["reason"] == "InputDrift", json.dumps(status, indent=1)

    after = scraped(tenant)

    def more(name: str, label: str) -> float:
        return after.get((name, label), 0.0) - before.get((name, label), 0.0)

    assert more("towpath_bytes_total", "in") == 5
    assert more("towpath_bytes_total", "out") == 5
    assert more("towpath_transfer_seconds_total", "in") > 0
    assert more("towpath_transfer_seconds_total", "out") > 0
    assert more("towpath_reuse_total", "Hit") == 1
    assert more("towpath_retries_total", "user") == 2
    assert more("towpath_failures_total", "InputDrift") == 1
    assert more("towpath_steps_total", "Succeeded") == 4
