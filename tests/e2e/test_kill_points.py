"""What takes a step's pod away, at the moments that matter: nobody ever sees a part, and what counts is published once.

All of it happens to the steps of one run at the same time. The proxy before the store holds a publisher where it is to
be hit; the disasters are those of a cluster: eviction by its API, deletion, deletion by force, the kernel's kill.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.disasters import Held, Scene, kill_publisher
from e2e.tenant import Tenant, is_ready, step_of
from mover.breaking_proxy import breaking_proxy

pytestmark = [pytest.mark.story, pytest.mark.fault, pytest.mark.timeout(600)]

WRITE = """
import json, os, signal, sys, time
story, out = sys.argv[1:]
attempt = json.load(open(os.environ["TOWPATH_CONTEXT"]))["attempt"]
def write(name):
    with open(f"{out}/{name}", "w") as file:
        file.write(f"{name} of attempt {attempt}")
def flush(*_):
    write("whole")
    os._exit(0)
signal.signal(signal.SIGTERM, flush)
os.makedirs(out)
write("half")
print("half is written", flush=True)
if attempt == 1 and story == "fails":
    sys.exit(3)
if attempt == 1 and story == "eats":
    b"x" * (1 << 30)
if attempt == 1 and story == "evicted":
    time.sleep(600)
if attempt == 1 and story == "squeezed":
    for number in range(24):
        with open(f"{out}/{number}", "wb") as file:
            file.write(os.urandom(1 << 20) * 8)
write("whole")
"""
READ = """
import json, os, sys
stories = {name: f"/towpath/inputs/{name}" for name in sys.argv[2:]}
seen = {story: {name: open(f"{place}/{name}").read() for name in os.listdir(place)} for story, place in stories.items()}
json.dump(seen, open(sys.argv[1], "w"))
"""


class Story(NamedTuple):
    """What happens to a step's first attempt, and what of it is counted; None: the first one counts."""

    what: str
    counted: str | None
    held_at: str = ""


STORIES = {
    "fails": Story("it exits with 3 after it has written", "user"),
    "eats": Story("it is killed for want of memory after it has written", "user"),
    "evicted": Story(
        "the API evicts its pod while it runs; told to stop it writes the rest, and exits 0", "disruption"
    ),
    "deleted": Story(
        "its pod is deleted before its inventory is written", "disruption", "inventory.jsonl.gz"
    ),
    "forced": Story(
        "its pod is removed by force before its inventory is written", "disruption", "inventory.jsonl.gz"
    ),
    "killed": Story("its publisher is killed before it writes the result", "mover", "result"),
    "squeezed": Story("its publisher is killed for want of memory", "mover"),
    "drained": Story(
        "the API evicts its pod while it publishes: it ends that in its grace", None, "inventory.jsonl.gz"
    ),
    "late": Story("its pod is removed by force after its success was seen", None),
}


def make_it_happen(scene: Scene, held: Held) -> None:
    """Every disaster, at its moment."""
    assert wait_until(lambda: scene.has_logged("evicted", "half is written"), 180, pause=0.5)
    scene.evict("evicted")
    held.until_all_wait()
    taken = [scene.name("deleted"), scene.name("forced")]
    scene.delete("deleted", "--grace-period=1")
    scene.delete("forced", "--grace-period=0", "--force")
    scene.evict("drained")
    kill_publisher(scene.pod("killed")["metadata"]["uid"])
    for pod in taken:
        scene.until_gone(pod)
    # What was on its way arrives after those who sent it are gone.
    held.let_all_go()
    scene.tenant.until(
        "pipelineruns", scene.run, lambda status: step_of(status, "late").get("state") == "Succeeded", 180
    )
    scene.delete("late", "--grace-period=0", "--force")


def steps() -> list[dict[str, Any]]:
    """One step for each story, and one that reads what all of them came to."""
    writing = [
        {
            "name": name,
            "command": ["python3", "-c", WRITE, name, "$(outputs.out.path)"],
            "retries": 1,
            "resources": {"limits": {"memory": "64Mi"}} if name == "eats" else {},
            "outputs": [
                {
                    "name": "out",
                    "datastore": "narrow" if name == "squeezed" else "held",
                    "register": {"name": f"killed-{name}"},
                }
            ],
        }
        for name in STORIES
    ]
    reading = {
        "name": "read",
        "command": ["python3", "-c", READ, "$(outputs.seen.path)", *STORIES],
        "inputs": [{"name": name, "from": {"step": name}} for name in STORIES],
        "outputs": [{"name": "seen"}],
    }
    return [*writing, reading]


@dataclass(frozen=True)
class Ended:
    """How it all ended: the run's status, and what the reader saw of each story."""

    scene: Scene
    status: dict[str, Any]
    seen: dict[str, dict[str, str]]


@contextmanager
def held_store(tenant: Tenant, space: Space, host: str, held: Held) -> Iterator[None]:
    """A Datastore whose requests pass the proxy, and one whose movers have little memory."""
    with breaking_proxy(space.s3.endpoint, held.rule, host=host) as proxy:
        tenant.apply("Datastore", "held", tenant.s3_datastore(space, endpoint=proxy.endpoint))
        narrow = {"mover": {"resources": {"limits": {"memory": "48Mi"}}}}
        tenant.apply("Datastore", "narrow", tenant.s3_datastore(space) | narrow)
        for name in ("held", "narrow"):
            tenant.until("datastores", name, is_ready, 120)
        yield


@pytest.fixture(scope="module")
def ended(tenant: Tenant, space: Space, default_store: str, this_machine: str) -> Iterator[Ended]:
    held = Held({name: story.held_at for name, story in STORIES.items() if story.held_at})
    with held_store(tenant, space, this_machine, held):
        scene = Scene(tenant, tenant.start_steps(*steps()))
        make_it_happen(scene, held)
        status = tenant.finish(scene.run, 300)
        assert status["state"] == "Succeeded", json.dumps(status, indent=1)
        [seen] = step_of(status, "read")["outputs"]
        content = space.get(seen["inventory"].replace("inventory.jsonl.gz", "data/seen"))
        yield Ended(scene, status, json.loads(content))


@pytest.mark.parametrize("name", STORIES)
def test_one_attempt_is_accepted_whole_and_read_and_registered_once(
    name: str, ended: Ended, tenant: Tenant, space: Space
) -> None:
    step, counted = step_of(ended.status, name), STORIES[name].counted
    attempt = 2 if counted else 1
    assert (step["attempt"], step.get("failures", {})) == (attempt, {counted: 1} if counted else {}), step
    assert step["attemptId"].startswith(f"{attempt}-")
    assert ended.seen[name] == {file: f"{file} of attempt {attempt}" for file in ("half", "whole")}

    versions = tenant.tools.kubectl.json(
        "-n",
        tenant.namespace,
        "get",
        "datasetversions.towpath.dev",
        "-l",
        f"towpath.dev/dataset=killed-{name}",
    )["items"]
    assert [version["spec"]["producedBy"]["attempt"] for version in versions] == [step["attemptId"]]
    assert f"/{step['attemptId']}/" in versions[0]["spec"]["inventory"]["path"]
    # What the other attempt left lies elsewhere; and nothing says of it that it is whole, unless that was on its way.
    others = [
        key
        for key in space.keys(f"{tenant.namespace}/datasets/killed-{name}/")
        if step["attemptId"] not in key
    ]
    assert all(f"/{name}/1-" in key for key in others)
    if not STORIES[name].held_at:
        assert not any("inventory" in key for key in others)
