"""A dataset's life: listed where it lies, a new version when its content is another, drift told by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builders import make_version
from cluster.direct import RefusedError
from cluster.space import Space
from e2e.tenant import Tenant, condition, is_ready, step_of

pytestmark = pytest.mark.story

LIST = """
import os, sys
for top in sys.argv[1:]:
    walked = [(folder, name) for folder, _, names in os.walk(top) for name in names]
    print(sorted(os.path.relpath(os.path.join(folder, name), top) for folder, name in walked))
"""
HOLD = "import os, time\nwhile not os.path.exists('/tmp/go'):\n    time.sleep(0.1)"


def _look_again(tenant: Tenant, dataset: str, mark: str) -> dict[str, Any]:
    """The status after the look that `mark` asks for."""
    tenant.annotate("datasets", dataset, **{"towpath.dev/requested-at": mark})
    return tenant.until(
        "datasets", dataset, lambda status: is_ready(status) and status.get("requestedAt") == mark
    )


def test_a_folder_and_a_glob_become_versions_with_the_files_that_they_select(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    for key in ("pets/a/1.jpg", "pets/b/2.jpg", "pets/b/readme.txt", "pets.txt"):
        space.put(key, key.encode())
    tenant.apply("Dataset", "pets-folder", {"sources": [{"path": "pets/"}]})
    tenant.apply("Dataset", "pets-glob", {"sources": [{"path": "pets/**/*.jpg"}]})
    folder = tenant.until("datasets", "pets-folder", is_ready)
    glob = tenant.until("datasets", "pets-glob", is_ready)
    assert (folder["files"], glob["files"]) == (3, 2)
    # By reference, and by environment.
    commands = {
        "pets_folder": ["python3", "-c", LIST, "$(inputs.pets_folder.path)"],
        "pets_glob": ["sh", "-c", 'python3 -c "$0" "$TOWPATH_INPUT_PETS_GLOB"', LIST],
    }
    steps = [
        {"name": f"list{number}", "command": command, "inputs": [{"name": name}]}
        for number, (name, command) in enumerate(commands.items())
    ]
    run = tenant.start_steps(*steps)
    assert tenant.finish(run)["state"] == "Succeeded"
    logs = [tenant.log(run, f"list{number}") for number in range(2)]
    assert "'b/readme.txt'" in logs[0]
    assert logs[0].count(".jpg") == logs[1].count(".jpg") == 2
    assert "readme" not in logs[1]


def test_changed_sources_make_the_next_version_and_a_deleted_one_leaves_its_place_to_the_one_before(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    space.put("grow/1.csv", b"1\n")
    tenant.apply("Dataset", "grow", {"sources": [{"path": "grow/"}]})
    tenant.until("datasets", "grow", lambda status: is_ready(status) and status.get("latestVersion") == 1)
    assert _look_again(tenant, "grow", "once")["latestVersion"] == 1
    space.put("grow/2.csv", b"2\n")
    assert _look_again(tenant, "grow", "twice")["latestVersion"] == 2
    first, second = (tenant.get("datasetversions", f"grow-v{number}")["spec"] for number in (1, 2))
    assert (first["files"], second["files"]) == (1, 2)
    assert first["inventory"]["digest"] != second["inventory"]["digest"]

    tenant.delete("datasetversions", "grow-v2")
    without = tenant.until("datasets", "grow", lambda status: status.get("latestVersion") == 1)
    assert (without["files"], without["lastVersion"]) == (1, 2)
    tenant.delete("datasets", "grow")
    tenant.apply("Dataset", "grow", {"sources": [{"path": "grow/"}]})
    again = tenant.until("datasets", "grow", lambda status: is_ready(status) and status["latestVersion"] > 1)
    assert (again["latestVersion"], again["files"]) == (2, 2)


def test_inputs_that_no_node_may_hold_are_refused_with_the_numbers_before_anything_starts(
    tenant: Tenant,
) -> None:
    size = 4 * 10**12
    facts = {"files": 1, "bytes": size, "scratchBytes": size}
    tenant.apply("Dataset", "huge", {"type": "File"})
    tenant.apply("DatasetVersion", "huge-v1", make_version("huge", **facts)["spec"])
    run = tenant.start_steps({"name": "read", "command": ["ls"], "inputs": [{"name": "huge"}]})
    said = condition(tenant.finish(run), "Succeeded")
    assert said["reason"] == "TooLarge"
    assert f"Step read: its inputs take {size} bytes" in said["message"]
    assert "allows 1000000000000" in said["message"]
    assert "mode: Mount" in said["message"]
    assert tenant.jobs(run) == []


def test_a_run_keeps_the_version_that_was_latest_at_its_start_and_an_older_one_can_be_read_later(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    space.put("series/1.csv", b"1\n")
    tenant.apply("Dataset", "series", {"sources": [{"path": "series/"}]})
    tenant.until("datasets", "series", is_ready)
    read = {
        "name": "read",
        "command": ["sh", "-c", 'python3 -c "$0" "$1" | tee "$2"', LIST, "$(inputs.series.path)"],
        "args": ["$(outputs.names.path)"],
        "inputs": [{"name": "series"}],
        "outputs": [{"name": "names", "register": {"name": "names_of_series"}}],
        "dependsOn": ["hold"],
    }
    run = tenant.start_steps({"name": "hold", "command": ["python3", "-c", HOLD]}, read)
    tenant.until("pipelineruns", run, lambda status: step_of(status, "hold").get("reason") == "Running", 60)
    first = tenant.get("datasetversions", "series-v1")["spec"]["inventory"]["digest"]

    space.put("series/2.csv", b"2\n")
    _look_again(tenant, "series", "again")
    inputs = [{"name": "series"}, {"name": "old", "dataset": {"name": "series", "version": 1}}]
    command = ["python3", "-c", LIST, "$(inputs.series.path)", "$(inputs.old.path)"]
    later = tenant.start_steps({"name": "read", "command": command, "inputs": inputs})
    tenant.touch(run, "hold", "/tmp/go")

    assert tenant.finish(run)["state"] == tenant.finish(later)["state"] == "Succeeded"
    logs = [tenant.log(one, "read") for one in (run, later)]
    assert logs == ["['1.csv']\n", "['1.csv', '2.csv']\n['1.csv']\n"]
    made = tenant.get("datasetversions", "names-of-series-v1")["spec"]
    assert (made["producedBy"]["run"], made["producedBy"]["step"]) == (run, "read")
    assert made["derivedFrom"] == [{"input": "series", "dataset": "series", "version": 1, "digest": first}]


def _of(run: str) -> str:
    return f"towpath.dev/run={run}"


def test_an_object_that_changed_since_it_was_pinned_fails_the_step_by_name(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    space.put("drift/stays.csv", b"same\n")
    space.put("drift/moves.csv", b"before\n")
    tenant.apply("Dataset", "drift", {"sources": [{"path": "drift/"}]})
    tenant.until("datasets", "drift", is_ready)
    space.put("drift/moves.csv", b"after!\n")
    step = {
        "name": "read",
        "command": ["ls", "$(inputs.drift.path)"],
        "inputs": [{"name": "drift"}],
        "retries": 2,
    }
    status = tenant.finish(tenant.start_steps(step))
    failed = step_of(status, "read")
    assert (status["state"], failed["reason"], failed["attempt"]) == ("Failed", "InputDrift", 1), json.dumps(
        status
    )
    assert "moves.csv" in failed["message"]


def test_a_source_that_matches_nothing_is_a_reason_on_the_dataset(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    tenant.apply("Dataset", "nothing", {"sources": [{"path": "no/such/*.csv"}]})
    status = tenant.until(
        "datasets", "nothing", lambda seen: any(c["status"] == "False" for c in seen.get("conditions", []))
    )
    said = status["conditions"][0]
    assert "no/such/*.csv" in said["message"]
    assert said["reason"] not in ("Probing", "TakingInventory"), said


def test_a_version_cannot_be_changed_and_its_dataset_can_go_without_it(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    space.put("kept/1.csv", b"1\n")
    tenant.apply("Dataset", "kept", {"sources": [{"path": "kept/1.csv"}]})
    tenant.until("datasets", "kept", is_ready)
    with pytest.raises(RefusedError, match="never changes"):
        tenant.direct.patch("datasetversions", "kept-v1", {"spec": {"files": 7}}, tenant.namespace)
    tenant.delete("datasets", "kept")
    assert tenant.get("datasetversions", "kept-v1")["spec"]["files"] == 1
