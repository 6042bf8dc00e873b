"""A node that is lost: what it had reported counts, what it goes on doing does not, and each step is published once.

The kubelet is stopped, as it is to everybody else on a node that is cut off: its containers go on, and nobody hears of
them. Nothing else can use the cluster meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.space import Space
from cluster.waiting import wait_until
from e2e.disasters import Held, Scene
from e2e.tenant import Tenant, is_ready, step_of
from mover.breaking_proxy import breaking_proxy

pytestmark = [pytest.mark.story, pytest.mark.fault, pytest.mark.alone, pytest.mark.timeout(900)]

LONGEST_SECONDS = 240
# What is written says which pod wrote it.
WRITE = 'hostname > "$1"'


@contextmanager
def without_kubelet() -> Iterator[None]:
    """Stop the node's kubelet for a while."""
    kubelets = [
        int(process.name)
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and _program(process) == "kubelet"
    ]
    if len(kubelets) != 1:
        pytest.skip("the kubelet of the node is not a process of this machine")
    [kubelet] = kubelets
    # Goes on by itself too: whoever ends this test from outside must not leave everybody without a node.
    guard = subprocess.Popen(["sh", "-c", f"sleep {LONGEST_SECONDS}; kill -CONT {kubelet}"])
    os.kill(kubelet, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(kubelet, signal.SIGCONT)
        guard.kill()
        guard.wait()


def _program(process: Path) -> str:
    try:
        return Path((process / "cmdline").read_bytes().split(b"\0")[0].decode()).name
    except (OSError, UnicodeDecodeError):
        return ""


def steps() -> list[dict[str, Any]]:
    """Two steps that write, one of them slowly, and one that reads both."""
    writing = [
        {
            "name": name,
            "command": ["sh", "-c", WRITE, "sh", "$(outputs.out.path)"],
            "outputs": [{"name": "out", "datastore": "cut-off", "register": {"name": f"lost-{name}"}}],
        }
        for name in ("quick", "slow")
    ]
    reading = {
        "name": "read",
        "command": ["sh", "-c", 'cat "$1" "$2" > "$3"', "sh"],
        "args": ["$(inputs.quick.path)", "$(inputs.slow.path)", "$(outputs.seen.path)"],
        "inputs": [{"name": name, "from": {"step": name}} for name in ("quick", "slow")],
        "outputs": [{"name": "seen"}],
    }
    return [*writing, reading]


def has_succeeded(status: dict[str, Any]) -> bool:
    return bool(step_of(status, "quick").get("state") == "Succeeded")


def is_waiting(status: dict[str, Any]) -> bool:
    return bool(step_of(status, "slow").get("state") == "Waiting")


def test_what_a_lost_node_had_reported_counts_and_what_it_goes_on_doing_does_not(
    tenant: Tenant, space: Space, default_store: str, this_machine: str
) -> None:
    held = Held({"slow": "result"})
    with breaking_proxy(space.s3.endpoint, held.rule, host=this_machine) as proxy:
        tenant.apply("Datastore", "cut-off", tenant.s3_datastore(space, endpoint=proxy.endpoint))
        tenant.until("datastores", "cut-off", is_ready, 120)
        scene = Scene(tenant, tenant.start_steps(*steps()))
        held.until_all_wait()
        tenant.until("pipelineruns", scene.run, has_succeeded, 120)
        quick, slow = (scene.pod(step)["metadata"] for step in ("quick", "slow"))
        with without_kubelet():
            for pod in (quick, slow):
                remove_by_force(tenant, pod["name"])
            # Its Job makes another pod, which waits for a node that answers; that of the other step goes.
            assert wait_until(lambda: scene.name("slow") != slow["name"], 120)
            assert wait_until(lambda: "quick" not in steps_with_jobs(tenant, scene.run), 120)
            held.let_all_go()
            below = f"{tenant.namespace}/runs/{scene.run}"
            lost = f"/1-{slow['uid']}/result"
            # Its publisher commits what nobody will accept.
            assert wait_until(lambda: any(key.endswith(lost) for key in space.keys(below)), 120)
            tenant.until("pipelineruns", scene.run, is_waiting, 60)
            again = scene.pod("slow")["metadata"]
        status = tenant.finish(scene.run, 300)

    assert status["state"] == "Succeeded", json.dumps(status, indent=1)
    accepted = {name: step_of(status, name)["attemptId"] for name in ("quick", "slow")}
    assert accepted == {"quick": f"1-{quick['uid']}", "slow": f"1-{again['uid']}"}
    assert {name: made_by(tenant, name) for name in accepted} == {
        name: [attempt] for name, attempt in accepted.items()
    }
    [seen] = step_of(status, "read")["outputs"]
    content = space.get(seen["inventory"].replace("inventory.jsonl.gz", "data/seen"))
    assert content.decode().split() == [quick["name"], again["name"]]


def remove_by_force(tenant: Tenant, pod: str) -> None:
    """As one does who knows that a node is lost: its Job would hold the pod until a kubelet says that it ended."""
    tenant.kubectl("delete", "pod", pod, "--wait=false", "--grace-period=0", "--force")
    tenant.kubectl("patch", "pod", pod, "--type=merge", "--patch", '{"metadata": {"finalizers": null}}')


def steps_with_jobs(tenant: Tenant, run: str) -> set[str]:
    return {job["metadata"]["labels"]["towpath.dev/step"] for job in tenant.jobs(run)}


def made_by(tenant: Tenant, step: str) -> list[str]:
    """The attempts of which versions were made of what this step registers."""
    label = f"towpath.dev/dataset=lost-{step}"
    kubectl = tenant.tools.kubectl
    listed = kubectl.json("-n", tenant.namespace, "get", "datasetversions.towpath.dev", "-l", label)
    return [version["spec"]["producedBy"]["attempt"] for version in listed["items"]]
