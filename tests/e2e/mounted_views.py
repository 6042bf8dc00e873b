"""One suite over Download and every way to mount: steps that tell all of their input, and all tell the same."""

from __future__ import annotations

import json
from typing import Any

from cluster.pods import PYTHON_IMAGE
from cluster.space import Space
from e2e.tenant import Tenant, is_ready, step_of

# Everything that a program can tell of its input, through links; and whether it can be written.
TELL_ONE = """
import hashlib, json, os, sys
def tell(top):
    seen = {}
    is_folder = os.path.isdir(top)
    for folder, _, names in os.walk(top) if is_folder else [(os.path.dirname(top), [], [os.path.basename(top)])]:
        for name in names:
            path = os.path.join(folder, name)
            state = os.stat(path)
            seen[os.path.relpath(path, os.path.dirname(top))] = [
                state.st_size, oct(state.st_mode), hashlib.sha256(open(path, "rb").read()).hexdigest()
            ]
            try:
                open(path, "ab")
                seen["written"] = path
            except OSError:
                pass
    links = sum(os.path.islink(os.path.join(folder, name)) for folder, _, names in os.walk(top) for name in names)
    return {"path": top, "seen": seen, "links": links}
"""
TELL = (
    TELL_ONE
    + """
told = tell(sys.argv[1])
print(json.dumps(told, sort_keys=True))
with open(sys.argv[2], "w") as out:
    json.dump(told["seen"], out, sort_keys=True)
"""
)
TELL_ALL = (
    TELL_ONE
    + """
count = len(sys.argv) // 2 - 1
told = {name: tell(top) for name, top in zip(sys.argv[2 : 2 + count], sys.argv[2 + count :])}
print(json.dumps(told, sort_keys=True))
with open(sys.argv[1], "w") as out:
    json.dump({name: one["seen"] for name, one in told.items()}, out, sort_keys=True)
"""
)
SPLIT = [{"split": {"parts": [{"name": "some", "percent": 60}, {"name": "rest"}], "part": "some", "seed": 3}}]


def tells(mode: str, **given: Any) -> dict[str, Any]:
    """A step that tells all of its input."""
    name = given.pop("name", "data")
    return {
        "name": f"{mode.lower()}_{name}",
        "image": PYTHON_IMAGE,
        "command": ["python3", "-c", TELL, f"$(inputs.{name}.path)", "$(outputs.told.path)"],
        "inputs": [{"name": name, "mode": mode} | given],
        "outputs": [{"name": "told"}],
        "reuse": "Never",
    }


def said(tenant: Tenant, run: str, step: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(tenant.log(run, step))
    return found


FILES = {
    "2026/a.csv": b"one",
    "2026/b c.csv": b"two",
    "2026/deep/.hidden": b"three",
    "d.txt": b"four",
    "\u00fcn\u00ef/o\u0301.txt": b"five",
    "empty": b"",
    "large.bin": bytes(1_000_000),
}
TABLE = {"rows/a.csv": b"id,name\n1,x\n2,y\n", "rows/more/b.csv": b"id,name\n3,z\n"}


def put_files(space: Space, folder: str) -> None:
    """The files, and a table, below a folder of a space."""
    for path, content in (FILES | TABLE).items():
        space.put(f"{folder}/{path}", content)


def make_datasets(tenant: Tenant, datastore: str, mark: str) -> dict[str, dict[str, Any]]:
    """Datasets of them, Ready: a folder, a table, one file; with the views that steps take of them, by input."""
    everything = {"path": "**", "datastore": datastore}
    table = {
        "type": "Tabular",
        "format": {"csv": {}},
        "sources": [{"path": "rows/**", "datastore": datastore}],
    }
    datasets: dict[str, dict[str, Any]] = {
        f"{mark}-all": {"sources": [everything]},
        f"{mark}-table": table,
        f"{mark}-one": {"sources": [{"path": "d.txt", "datastore": datastore}]},
    }
    for name, spec in datasets.items():
        tenant.apply("Dataset", name, spec)
    for name in datasets:
        tenant.until("datasets", name, is_ready, 120)
    return {
        "data": {"dataset": {"name": f"{mark}-all"}},
        "part": {"dataset": {"name": f"{mark}-all"}, "transforms": SPLIT},
        "table": {"dataset": {"name": f"{mark}-table"}},
        "single": {"dataset": {"name": f"{mark}-one"}},
    }


def compare(tenant: Tenant, views: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """One step mounts all views, another downloads them, and both tell the same; what the first told, and its notes."""
    modes = ("Mount", "Download")
    run = tenant.start_steps(*(_tells_all(mode, views) for mode in modes))
    status = tenant.finish(run, 300)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    mounts, downloads = (said(tenant, run, mode.lower()) for mode in modes)
    for name in views:
        mount, download = mounts[name], downloads[name]
        assert (mount["path"], mount["seen"]) == (download["path"], download["seen"])
        assert "written" not in mount["seen"]
        assert download["links"] == 0
    digests = {step_of(status, mode.lower())["outputs"][0]["digest"] for mode in modes}
    assert len(digests) == 1
    return mounts | {"notes": step_of(status, "mount")["notes"]}


def _tells_all(mode: str, views: dict[str, dict[str, Any]]) -> dict[str, Any]:
    paths = [f"$(inputs.{name}.path)" for name in views]
    return {
        "name": mode.lower(),
        "image": PYTHON_IMAGE,
        "command": ["python3", "-c", TELL_ALL, "$(outputs.told.path)", *views, *paths],
        "inputs": [{"name": name, "mode": mode} | given for name, given in views.items()],
        "outputs": [{"name": "told"}],
        "reuse": "Never",
    }


# It reads once it may, and not before; what it read it has published.
WAITS = """
import os, sys, time
print("reads when it is told", flush=True)
while not os.path.exists("/tmp/go"):
    time.sleep(0.05)
with open(sys.argv[1], "rb") as file:
    read = file.read()
with open(sys.argv[2], "wb") as out:
    out.write(read)
"""


def reads_when_told(datastore: str) -> dict[str, Any]:
    """A step that reads a mounted file once it is told to, and has no retries of its own."""
    source = {"sources": [{"path": "d.txt", "datastore": datastore}]}
    return {
        "name": "waits",
        "image": PYTHON_IMAGE,
        "command": ["python3", "-c", WAITS, "$(inputs.file.path)", "$(outputs.read.path)"],
        "inputs": [{"name": "file", "mode": "Mount", "source": source}],
        "outputs": [{"name": "read"}],
        "retries": 0,
    }


def waits_in(tenant: Tenant, run: str, attempt: int) -> bool:
    """Whether so many pods were made, and the last one's step waits to be told."""
    pods = pods_of(tenant, run)
    return len(pods) == attempt and tenant.has_logged(pods[-1]["metadata"]["name"], "reads when")


def tell(tenant: Tenant, pod: dict[str, Any]) -> None:
    """Let the step of this pod read."""
    tenant.kubectl("exec", pod["metadata"]["name"], "-c", "step", "--", "touch", "/tmp/go")


def published_last_words(tenant: Tenant, run: str) -> str:
    """With what `publish` of the first pod ended."""
    statuses = pods_of(tenant, run)[0]["status"]["containerStatuses"]
    return next(str(one["state"]["terminated"]["message"]) for one in statuses if one["name"] == "publish")


def pods_of(tenant: Tenant, run: str) -> list[dict[str, Any]]:
    labels = f"towpath.dev/run={run},towpath.dev/component=step"
    pods = tenant.direct.select("pods", tenant.namespace, labels=labels)
    return sorted(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
