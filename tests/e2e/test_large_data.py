"""The movers' memory limit of 256 MiB holds whatever is moved. A mover over its limit is killed, so a run that
succeeds is the proof; what the limit was is read from the pods."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, step_of

pytestmark = [pytest.mark.story, pytest.mark.long, pytest.mark.timeout(900)]

ONE_LARGE = (
    "import sys; f = open(sys.argv[1], 'wb'); [f.write(bytes([i % 251]) * (1 << 20)) for i in range(4096)]"
)
MANY_SMALL = """
import os, sys
os.makedirs(sys.argv[1])
for number in range(20_000):
    with open(f"{sys.argv[1]}/{number:05}.bin", "wb") as file:
        file.write(number.to_bytes(4, "big") * 5_000)
"""
SUM = """
import hashlib, os, sys
path = sys.argv[1]
paths = [path] if os.path.isfile(path) else [os.path.join(path, name) for name in os.listdir(path)]
print(len(paths), sum(os.path.getsize(path) for path in paths))
"""


@pytest.mark.parametrize(
    ("script", "files", "size"),
    [(ONE_LARGE, 1, 4 << 30), (MANY_SMALL, 20_000, 400_000_000)],
    ids=["1 x 4 GiB", "20,000 x 20 kB"],
)
def test_data_goes_from_step_to_step_within_256_mib(
    script: str, files: int, size: int, tenant: Tenant, space: Space, default_store: str
) -> None:
    write = {
        "name": "write",
        "command": ["python3", "-c", script, "$(outputs.data.path)"],
        "outputs": [{"name": "data"}],
    }
    read = {
        "name": "read",
        "command": ["python3", "-c", SUM, "$(inputs.data.path)"],
        "inputs": [{"name": "data", "from": {"step": "write"}}],
    }
    run = tenant.start_steps(write, read)
    status = tenant.finish(run, 600)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    published = step_of(status, "write")["outputs"][0]
    assert (published["files"], published["bytes"]) == (files, size)
    log = tenant.log(run, "read")
    assert log.split() == [str(files), str(size)]
    assert {limit_of(job) for job in tenant.jobs(run)} == {("256Mi", "256Mi")}


def limit_of(job: dict[str, Any]) -> tuple[str, str]:
    """The memory limits of a Job's movers, stage-in first."""
    pod = job["spec"]["template"]["spec"]
    stage_in = pod["initContainers"][0]
    publish = next(container for container in pod["containers"] if container["name"] == "publish")
    return stage_in["resources"]["limits"]["memory"], publish["resources"]["limits"]["memory"]
