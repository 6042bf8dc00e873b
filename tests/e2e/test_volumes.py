"""A volume as a datastore, on a real kubelet: said to be missing, then mounted in movers only, read and written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from e2e.node_folder import NodeFolder, make_claim
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story

JOIN = """
import os, pathlib, sys
source, target = map(pathlib.Path, sys.argv[1:])
target.mkdir()
for file in source.rglob("*.csv"):
    (target / file.name).write_text(file.read_text().upper())
(target / "run.sh").write_text("#!/bin/sh\\n")
(target / "run.sh").chmod(0o755)
print("volumes:", os.path.exists("/towpath/volumes"))
"""
READ = """
import os, pathlib, sys
for file in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    print(file.name, file.read_text().strip(), os.access(file, os.X_OK))
"""


def test_a_claim_that_is_missing_is_named_and_once_it_is_made_steps_hand_on_files_over_it(
    tenant: Tenant, folder: NodeFolder, default_store: str
) -> None:
    claim = {"claimName": "shared"}
    tenant.apply("Datastore", "shared", {"persistentVolumeClaim": claim | {"subPath": "results/team-a"}})
    make_claim(tenant, folder, "lost", "/no/such/folder")
    tenant.apply("Datastore", "lost", {"persistentVolumeClaim": {"claimName": "lost"}})
    missing = is_unavailable('persistentvolumeclaim "shared" not found')
    tenant.until("datastores", "shared", missing, 30)
    make_claim(tenant, folder, "shared")
    tenant.apply("Datastore", "raw", {"persistentVolumeClaim": claim | {"subPath": "raw"}, "readOnly": True})
    tenant.apply("Dataset", "measures", {"sources": [{"path": "**/*.csv", "datastore": "raw"}]})
    ready = tenant.until("datastores", "shared", is_ready, 60)
    assert "as UID 1000" in condition(ready, "Ready")["message"]
    join = {
        "name": "join",
        "command": ["python3", "-c", JOIN, "$(inputs.measures.path)", "$(outputs.joined.path)"],
        "inputs": [{"name": "measures"}],
        "outputs": [{"name": "joined", "datastore": "shared"}],
    }
    read = {
        "name": "read",
        "command": ["python3", "-c", READ, "$(inputs.joined.path)"],
        "inputs": [{"name": "joined", "from": {"step": "join"}}],
    }
    run = tenant.start_steps(join, read)
    status = tenant.finish(run)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    assert step_of(status, "join")["outputs"][0]["datastore"] == "shared"
    assert "volumes: False" in tenant.log(run, "join")
    assert tenant.log(run, "read").splitlines() == [
        "a.csv ONE False",
        "b.csv TWO False",
        "run.sh #!/bin/sh True",
    ]

    listed = folder.run("look", "cd results/team-a && find . -type f -printf '%g %m %P\\n'").splitlines()
    # What stays inside a run lies in one file, and its inventory knows which of the three is executable.
    published = [line.rpartition("/joined/")[2] for line in listed if "/joined/" in line]
    assert sorted(published) == ["inventory.jsonl.gz", "packs/00000000"]
    assert {line.split()[0] for line in listed} == {"1000"}
    assert not any(".towpath-partial-" in line or "probe" in line for line in listed)

    tenant.until("datastores", "lost", is_unavailable("/no/such/folder"), 60)


def is_unavailable(words: str) -> Callable[[dict[str, Any]], bool]:
    """Whether the volume is said to be unavailable, in words that hold these."""

    def is_so(status: dict[str, Any]) -> bool:
        ready = condition(status, "Ready")
        return ready.get("reason") == "VolumeUnavailable" and words in ready["message"]

    return is_so
