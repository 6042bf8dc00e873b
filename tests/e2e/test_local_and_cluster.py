"""The same manifests on a cluster and without one: equal digests, arguments, context and fingerprints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster.provider import Provider
from cluster.space import Space
from cluster.towpath_image import image_name
from e2e.tenant import Tenant, step_of
from local.desk import Desk, a_desk
from towpath.backend import Container

pytestmark = pytest.mark.story

# Says all that it is told, one JSON line, and writes a folder and a file.
TELL = """
import json, os, sys
told = {name: value for name, value in os.environ.items() if name.startswith("TOWPATH_")}
context = json.load(open(os.environ["TOWPATH_CONTEXT"]))
seen = {}
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        seen[os.path.relpath(path, sys.argv[1])] = open(path).read()
print(json.dumps({"argv": sys.argv[1:], "env": told, "context": context, "seen": seen, "cwd": os.getcwd()}))
os.makedirs(sys.argv[2])
open(os.path.join(sys.argv[2], "seen.json"), "w").write(json.dumps(seen, sort_keys=True))
open(os.environ["TOWPATH_METRICS"], "a").write(json.dumps({"name": "files", "value": len(seen)}) + "\\n")
"""
COUNT = """
import json, sys
print(json.dumps({"argv": sys.argv[1:]}))
open(sys.argv[2], "w").write(str(len(json.load(open(sys.argv[1] + "/seen.json")))))
"""
WRITE = """
import os, sys
os.makedirs(sys.argv[1])
with open(os.path.join(sys.argv[1], "table.csv"), "w") as file:
    file.write("id;name;note\\n" + "".join(f'{row};"n;{row}";x\\n' for row in range(60)))
"""
READ = """
import json, os, sys
read = {}
for place in sys.argv[2:]:
    [name] = os.listdir(place)
    read[os.path.basename(place)] = open(os.path.join(place, name)).read()
print(json.dumps({"argv": sys.argv[1:], "read": read}))
open(sys.argv[1], "w").write(json.dumps(read, sort_keys=True))
"""
SPLIT = {"split": {"parts": [{"name": "some", "percent": 60}, {"name": "rest"}], "part": "some", "seed": 7}}


def pipeline_spec(image: str) -> dict[str, Any]:
    """Two steps in one image with a view, a parameter, awkward texts, a registered output and inline code."""
    tell: dict[str, Any] = {
        "name": "tell",
        "code": {"inline": {"tell.py": TELL}},
        "command": ["python3", "tell.py", "$(inputs.letters.path)", "$(outputs.seen.path)"],
        "args": ["$(params.share)", "a b'c\"$$(run.name) $HOME $$", "$(GREETING)", "$(step.name)"],
        "env": [{"name": "GREETING", "value": "share $(params.share)$$"}],
        "inputs": [{"name": "letters", "dataset": {"name": "same-letters"}, "transforms": [SPLIT]}],
        "outputs": [{"name": "seen", "register": {"name": "same-seen"}}],
    }
    count: dict[str, Any] = {
        "name": "count",
        "code": {"inline": {"count.py": COUNT}},
        "command": ["python3", "count.py", "$(inputs.seen.path)", "$(outputs.number.path)"],
        "inputs": [{"name": "seen", "from": {"step": "tell"}}],
        "outputs": [{"name": "number"}],
    }
    rows = {"step": "write", "format": {"csv": {"separator": ";"}}}
    write: dict[str, Any] = {
        "name": "write",
        "code": {"inline": {"write.py": WRITE}},
        "command": ["python3", "write.py", "$(outputs.table.path)"],
        "outputs": [{"name": "table"}],
    }
    read: dict[str, Any] = {
        "name": "read",
        "code": {"inline": {"read.py": READ}},
        "command": [
            "python3",
            "read.py",
            "$(outputs.read.path)",
            "$(inputs.some.path)",
            "$(inputs.names.path)",
        ],
        "inputs": [
            {"name": "some", "from": rows, "transforms": [SPLIT]},
            {
                "name": "names",
                "from": rows,
                "transforms": [{"take": {"count": 3}}, {"columns": {"keep": ["name"]}}],
            },
        ],
        "outputs": [{"name": "read"}],
    }
    return {
        "params": [{"name": "share", "type": "number", "default": 80}],
        "steps": [step | {"image": image} for step in (tell, count, write, read)],
    }


STEPS = ("tell", "count", "write", "read")
PRINT = ("tell", "count", "read")


DATASET = {"sources": [{"path": "same/**/*.txt", "hash": "Content"}]}
FILES = {f"same/{number % 3}/{number}.txt": f"letter {number}" for number in range(20)}


@dataclass(frozen=True)
class Done:
    """A run that has ended: its status, its plan, what its steps said, and where they found /towpath."""

    status: Mapping[str, Any]
    plan: Mapping[str, Mapping[str, Any]]
    said: Mapping[str, Mapping[str, Any]]
    root: str


@pytest.fixture(scope="module")
def image(provider: Provider, tenant: Tenant) -> str:
    """An image of the cluster by its digest, which is what both runs are given."""
    del tenant
    return provider.pinned(image_name())


@pytest.fixture(scope="module")
def on_cluster(tenant: Tenant, space: Space, default_store: str, image: str) -> Done:
    """The run on the cluster."""
    for path, text in FILES.items():
        space.put(path, text.encode())
    tenant.apply("Dataset", "same-letters", DATASET)
    run = tenant.start({"pipelineSpec": pipeline_spec(image), "params": {"share": 7.50}})
    status = tenant.finish(run)
    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    said = {step: json.loads(tenant.log(run, step)) for step in PRINT}
    return Done(status, tenant.plan(run), said, "/towpath")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A local workspace."""
    with a_desk(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture(scope="module")
def without(desk: Desk, image: str) -> Done:
    """The run without a cluster."""
    for path, text in FILES.items():
        desk.put(path, text.encode())
    dataset = {"kind": "Dataset", "metadata": {"name": "same-letters"}, "spec": DATASET}
    spec = {"pipelineSpec": pipeline_spec(image), "params": {"share": 7.50}}
    run = desk.run(dataset, {"kind": "PipelineRun", "metadata": {"generateName": "run-"}, "spec": spec})
    assert run["status"]["state"] == "Succeeded", json.dumps(run["status"], indent=1)
    said = {step: json.loads(desk.said(run, step, Container.STEP)[0]) for step in PRINT}
    root = str(Path(said["tell"]["env"]["TOWPATH_CONTEXT"]).parents[1])
    plan = {name: dict(document) for name, document in (desk.backend.plan_of(run) or {}).items()}
    return Done(run["status"], plan, said, root)


def test_outputs_and_views_have_the_same_digests(on_cluster: Done, without: Done) -> None:
    for name in STEPS:
        here, there = (step_of(done.status, name)["outputs"] for done in (without, on_cluster))
        same = ("name", "digest", "files", "bytes", "scratchBytes", "directory")
        assert [{key: one[key] for key in same} for one in here] == [
            {key: one[key] for key in same} for one in there
        ]
    assert step_of(without.status, "tell")["bytesIn"] == step_of(on_cluster.status, "tell")["bytesIn"]
    assert without.said["tell"]["seen"] == on_cluster.said["tell"]["seen"]
    assert 0 < len(without.said["tell"]["seen"]) < len(FILES)


def test_rows_and_columns_of_what_a_step_wrote_are_the_same(on_cluster: Done, without: Done) -> None:
    assert without.said["read"]["read"] == on_cluster.said["read"]["read"]
    read = on_cluster.said["read"]["read"]
    assert read["names"] == 'name\n"n;0"\n"n;1"\n"n;2"\n'
    header, *rows = read["some"].splitlines()
    assert header == "id;name;note"
    assert set(rows) < {f'{row};"n;{row}";x' for row in range(60)}
    assert 20 <= len(rows) <= 50


def test_fingerprints_are_the_same_and_so_are_the_parts_that_they_are_of(
    on_cluster: Done, without: Done
) -> None:
    for name in STEPS:
        here, there = (step_of(done.status, name) for done in (without, on_cluster))
        assert here["fingerprint"] == there["fingerprint"]
        assert here.get("metrics") == there.get("metrics")
        plans = [done.plan[f"step-{name}"] for done in (without, on_cluster)]
        assert plans[0]["contract"] == plans[1]["contract"]
        assert plans[0]["contract"]["image"].startswith("sha256:")
        paths = [[port["path"] for port in plan.get("inputs", ())] for plan in plans]
        assert paths[0] == paths[1]


def test_a_step_is_told_the_same_but_for_the_folder_that_it_runs_in(on_cluster: Done, without: Done) -> None:
    here, there = (_told(done) for done in (without, on_cluster))
    assert here["argv"] == there["argv"]
    assert here["argv"][2:] == ["7.5", "a b'c\"$(run.name) $HOME $$", "share 7.5$$", "tell"]
    assert here["env"] == there["env"]
    assert here["context"] == there["context"]
    assert here["cwd"] == there["cwd"] == "/towpath/work"


def _told(done: Done) -> dict[str, Any]:
    """What step `tell` was told, with the names that no two runs share made alike."""
    text = json.dumps(done.said["tell"]).replace(done.root, "/towpath")
    context = done.said["tell"]["context"]
    for given, shown in ((context["run"]["name"], "RUN"), (context["run"]["uid"], "UID")):
        text = text.replace(given, shown)
    text = text.replace(f'"namespace": "{context["namespace"]}"', '"namespace": "NAMESPACE"')
    told: dict[str, Any] = json.loads(re.sub(r"tenant-[0-9a-f]{6}", "NAMESPACE", text))
    return told
