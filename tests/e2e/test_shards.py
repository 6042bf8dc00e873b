"""A step in shards: one fails and alone is run again, all that they wrote is one version; or two wrote one path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.space import Space
from e2e.tenant import Tenant, is_ready, step_of

pytestmark = pytest.mark.story

FILES = [f"{letter}.txt" for letter in "abcde"]
# The second shard fails in its first attempt; each writes as many files as it was given.
WRITE = """
import json, os, pathlib, sys
context = json.load(open(os.environ["TOWPATH_CONTEXT"]))
shard = os.environ["TOWPATH_SHARD"]
assert (context["shard"], context["shards"], os.environ["TOWPATH_SHARDS"]) == (int(shard), 3, "3")
if shard == "1" and context["attempt"] == 1:
    sys.exit("the second shard is not lucky")
out = pathlib.Path(sys.argv[2])
out.mkdir()
with open(os.environ["TOWPATH_METRICS"], "w") as metrics:
    metrics.write(json.dumps({"name": "files", "value": len(os.listdir(sys.argv[1]))}))
for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    (out / file.name).write_text(f"{file.read_text()} by {shard}")
"""
SAME = "import pathlib, sys; out = pathlib.Path(sys.argv[1]); out.mkdir(); (out / 'same.txt').write_text('x')"
READ = """
import json, os, pathlib, sys
metrics = open(os.environ["TOWPATH_METRICS"], "w")
metrics.write('{"name": "files", "value": 5}\\n{"name": "loss", "value": NaN}\\nnothing\\n')
metrics.close()
print(json.dumps({file.name: file.read_text() for file in pathlib.Path(sys.argv[1]).iterdir()}))
"""


def _map(program: str, *words: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": "map",
        "command": ["python3", "-c", program, *words],
        "inputs": [{"name": "letters"}],
        "outputs": [{"name": "signed", "register": {"name": "signed"}}],
        "shards": {"input": "letters", "count": 3, "parallelism": 2},
    } | fields


def test_a_failing_shard_alone_is_run_again_and_one_path_of_two_shards_is_refused(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    for name in FILES:
        space.put(f"letters/{name}", name.encode())
    tenant.apply("Dataset", "letters", {"sources": [{"path": "letters/"}]})
    tenant.until("datasets", "letters", is_ready)
    signed = _map(WRITE, "$(inputs.letters.path)", "$(outputs.signed.path)", retries=1)
    reads = [{"name": "signed", "from": {"step": "map"}}]
    read = {"name": "read", "command": ["python3", "-c", READ, "$(inputs.signed.path)"], "inputs": reads}

    run = tenant.start_steps(signed, read)
    twice = tenant.start_steps(_map(SAME, "$(outputs.signed.path)", outputs=[{"name": "signed"}]))

    status = tenant.finish(run, 180)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    step = step_of(status, "map")
    assert (step["attempt"], step["failures"], "shards" in step) == (3, {"user": 1}, False)
    assert step["bytesIn"] == sum(map(len, FILES))
    [output] = step["outputs"]
    assert (output["files"], output["directory"], output["version"]) == (5, True, 1)
    jobs = {
        int(job["metadata"]["labels"]["towpath.dev/attempt"]): job
        for job in tenant.jobs(run)
        if _is_of_map(job)
    }
    assert [jobs[attempt]["metadata"]["annotations"].get("towpath.dev/shards") for attempt in (1, 2, 3)] == [
        "0-2",
        "1",
        None,
    ]
    assert jobs[1]["status"]["failedIndexes"] == "1"
    said = json.loads(tenant.log(run, "read"))
    assert said == {name: f"{name} by {place % 3}" for place, name in enumerate(FILES)}
    logged = {metric["name"]: metric["value"] for metric in step["metrics"]}
    assert logged == {"files": 5 / 3, "files/sum": 5, "files/min": 1, "files/max": 2}
    assert step_of(status, "read")["metrics"] == [{"name": "files", "value": 5}]
    refused = step_of(tenant.finish(twice, 180), "map")
    assert (refused["state"], refused["reason"]) == ("Failed", "DuplicatePath")
    assert "both wrote the file 'same.txt'" in refused["message"]


def _is_of_map(job: dict[str, Any]) -> bool:
    return bool(job["metadata"]["labels"]["towpath.dev/step"] == "map")
