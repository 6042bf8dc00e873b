"""What takes pods away, and what holds their publishers until it does: for stories of what is published anyway."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from cluster.waiting import wait_until
from e2e.tenant import Tenant
from mover.breaking_proxy import Break, Request


class Held:
    """The publishers that wait at the proxy, each before it writes its first attempt's object of this name."""

    def __init__(self, held_at: Mapping[str, str]) -> None:
        self._held_at = held_at
        self._reached = {step: Event() for step in held_at}
        self._let_go = Event()

    def rule(self, request: Request) -> Break | None:
        """The proxy's: it forwards what is held when all are let go."""
        for step, held_at in self._held_at.items():
            is_first = f"/{step}/1-" in request.path and request.method == "PUT"
            if is_first and request.path.endswith(held_at):
                self._reached[step].set()
                return Break(beforehand=partial(self._let_go.wait, 300))
        return None

    def until_all_wait(self) -> None:
        for step, reached in self._reached.items():
            assert reached.wait(180), f"{step} never came to write its {self._held_at[step]}"

    def let_all_go(self) -> None:
        self._let_go.set()


@dataclass(frozen=True)
class Scene:
    """The run in which it all happens."""

    tenant: Tenant
    run: str

    def pod(self, step: str) -> dict[str, Any]:
        """The pod of a step's first attempt."""
        labels = f"towpath.dev/run={self.run},towpath.dev/step={step},towpath.dev/attempt=1"
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self.tenant.direct.select("pods", self.tenant.namespace, labels=labels)
            return bool(found)

        assert wait_until(look, 120, pause=0.3), f"{step} has no pod"
        return found[0]

    def name(self, step: str) -> str:
        return str(self.pod(step)["metadata"]["name"])

    def evict(self, step: str) -> None:
        """As `kubectl drain` does."""
        name, namespace = self.name(step), self.tenant.namespace
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
        self.tenant.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))

    def delete(self, step: str, *how: str) -> None:
        self.tenant.kubectl("delete", "pod", self.name(step), "--wait=false", *how)

    def until_gone(self, name: str) -> None:
        self.tenant.kubectl("wait", "--for=delete", f"pod/{name}", "--timeout=120s")

    def has_logged(self, step: str, words: str) -> bool:
        return self.tenant.has_logged(self.name(step), words)


def kill_publisher(pod: str) -> None:
    """SIGKILL from the node: inside a container nobody may send one to its first process."""
    marks = (pod, pod.replace("-", "_"))
    for process in Path("/proc").iterdir():
        try:
            groups, command = (process / "cgroup").read_text(), (process / "cmdline").read_bytes()
        except OSError:
            continue
        if any(mark in groups for mark in marks) and b"\0towpath_mover\0publish\0" in command:
            os.kill(int(process.name), signal.SIGKILL)
            return
    pytest.skip("the processes of the node are not those of this machine")
