"""The faults, by name: each does something bad now, and may give what ends it after a while."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from chaos.cutting_proxy import CuttingProxy, Mode
from chaos.scene import Scene
from cluster.kubectl import KubectlError

Json = dict[str, Any]
# Seconds until it is over, and what ends it.
Cure = tuple[float, Callable[[], None]]
Fault = Callable[[Scene, Random], Cure | bool]
FAULTS: dict[str, Fault] = {}

_LONGEST_OUTAGE = 12.0


def fault(name: str) -> Callable[[Fault], Fault]:
    """Register a fault by its name."""

    def register(function: Fault) -> Fault:
        FAULTS[name] = function
        return function

    return register


@fault("an operator is killed")
def _operator(scene: Scene, dice: Random) -> Cure | bool:
    number = dice.randrange(len(scene.operators))
    scene.kill(number)
    return dice.uniform(0.0, 4.0), lambda: scene.start(number)


@fault("the leader is killed")
def _leader(scene: Scene, dice: Random) -> Cure | bool:
    leaders = scene.leaders()
    for number in leaders:
        scene.kill(number)
    return bool(leaders) and (dice.uniform(0.0, 8.0), partial(_start, scene, leaders))


@fault("all operators are killed")
def _operators(scene: Scene, dice: Random) -> Cure | bool:
    killed = sorted(scene.alive)
    for number in killed:
        scene.kill(number)
    return dice.uniform(0.0, 10.0), partial(_start, scene, killed)


@fault("a pod is deleted")
def _pod(scene: Scene, dice: Random) -> Cure | bool:
    pod = _some_pod(scene, dice)
    if pod:
        scene.do("delete", "pod", pod["metadata"]["name"], "--wait=false")
    return pod is not None


@fault("a pod is removed by force, as when its node is lost")
def _force(scene: Scene, dice: Random) -> Cure | bool:
    pod = _some_pod(scene, dice)
    if pod:
        scene.do("delete", "pod", pod["metadata"]["name"], "--force", "--grace-period=0", "--wait=false")
    return pod is not None


@fault("a pod is evicted")
def _evict(scene: Scene, dice: Random) -> Cure | bool:
    pod = _some_pod(scene, dice)
    if pod is None:
        return False
    name = pod["metadata"]["name"]
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": scene.namespace},
    }
    try:
        path = f"/api/v1/namespaces/{scene.namespace}/pods/{name}/eviction"
        scene.kubectl("create", "--raw", path, "--filename", "-", stdin=json.dumps(body))
    except KubectlError:
        return False
    return True


@fault("a Job is deleted")
def _job(scene: Scene, dice: Random) -> Cure | bool:
    return _delete_job(scene, dice)


@fault("a Job is deleted, and its pod is left")
def _orphan(scene: Scene, dice: Random) -> Cure | bool:
    return _delete_job(scene, dice, "--cascade=orphan")


@fault("a mover is killed")
def _mover(scene: Scene, dice: Random) -> Cure | bool:
    return _kill_process(scene, dice, b"towpath_mover")


@fault("a step's process is killed")
def _process(scene: Scene, dice: Random) -> Cure | bool:
    return _kill_process(scene, dice, b"unfinished")


@fault("connections to the API server are cut")
def _cut_api(scene: Scene, dice: Random) -> Cure | bool:
    scene.api.cut()
    return True


@fault("the API server refuses connections")
def _refuse_api(scene: Scene, dice: Random) -> Cure | bool:
    return _outage(scene.api, Mode.REFUSE, dice)


@fault("the API server does not answer")
def _stall_api(scene: Scene, dice: Random) -> Cure | bool:
    return _outage(scene.api, Mode.STALL, dice)


@fault("answers of the API server are lost")
def _lose_api(scene: Scene, dice: Random) -> Cure | bool:
    scene.api.mode = Mode.LOSE_ANSWERS
    return dice.uniform(1.0, _LONGEST_OUTAGE), partial(_relay, scene.api)


@fault("answers of the store are lost")
def _lose_store(scene: Scene, dice: Random) -> Cure | bool:
    scene.store.mode = Mode.LOSE_ANSWERS
    return dice.uniform(1.0, _LONGEST_OUTAGE), partial(_relay, scene.store)


@fault("connections to the store are cut")
def _cut_store(scene: Scene, dice: Random) -> Cure | bool:
    scene.store.cut()
    return True


@fault("the store refuses connections")
def _refuse_store(scene: Scene, dice: Random) -> Cure | bool:
    return _outage(scene.store, Mode.REFUSE, dice)


@fault("the store asks to slow down")
def _slow_store(scene: Scene, dice: Random) -> Cure | bool:
    return _outage(scene.store, Mode.SLOW_DOWN, dice)


@fault("a run is cancelled")
def _cancel(scene: Scene, dice: Random) -> Cure | bool:
    going = [run for run in scene.all("pipelineruns") if "completionTime" not in run.get("status", {})]
    if not going or dice.random() < 0.5:
        return False
    name = dice.choice(going)["metadata"]["name"]
    patch = ("--type=merge", "--patch", '{"spec": {"cancel": true}}')
    scene.kubectl("patch", f"pipelinerun.towpath.dev/{name}", "--namespace", scene.namespace, *patch)
    return True


def _delete_job(scene: Scene, dice: Random, *how: str) -> bool:
    pod = _some_pod(scene, dice)
    if pod:
        name = pod["metadata"]["labels"]["batch.kubernetes.io/job-name"]
        scene.deleted_jobs.add(name)
        scene.do("delete", "job", name, "--wait=false", *how)
    return pod is not None


def _start(scene: Scene, operators: list[int]) -> None:
    for number in operators:
        scene.start(number)


def _outage(proxy: CuttingProxy, mode: Mode, dice: Random) -> Cure:
    proxy.mode = mode
    proxy.cut()
    return dice.uniform(1.0, _LONGEST_OUTAGE), partial(_relay, proxy)


def _relay(proxy: CuttingProxy) -> None:
    proxy.mode = Mode.RELAY
    proxy.cut()


def _some_pod(scene: Scene, dice: Random) -> Json | None:
    label = "batch.kubernetes.io/job-name"
    pods = [pod for pod in scene.all("pods") if label in pod["metadata"].get("labels", {})]
    # Most often one that has something to lose.
    busy = [pod for pod in pods if pod["status"].get("phase") in ("Pending", "Running")]
    choice = busy if busy and dice.random() < 0.8 else pods
    return dice.choice(choice) if choice else None


def _kill_process(scene: Scene, dice: Random, words: bytes) -> bool:
    pods = {pod["metadata"]["uid"] for pod in scene.all("pods")}
    found = [pid for pid, command in _processes(pods) if words in command]
    if not found:
        return False
    try:
        os.kill(dice.choice(found), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _processes(pods: set[str]) -> Iterator[tuple[int, bytes]]:
    """Processes in these pods, where the node is this machine; by their cgroups, which name the pod."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            groups = (folder / "cgroup").read_text().replace("_", "-")
            if any(uid in groups for uid in pods):
                yield int(folder.name), (folder / "cmdline").read_bytes()
        except OSError:
            continue


def weights() -> Mapping[str, int]:
    """How often each fault is chosen beside the others."""
    rare = {"a run is cancelled", "the API server does not answer"}
    return {name: 1 if name in rare else 3 for name in FAULTS}
