"""Helm as the chart's tests use it: rendered objects, or what it says when it refuses."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cluster.access import REPOSITORY

Object = dict[str, Any]

CHART = REPOSITORY / "charts" / "towpath"
RELEASE = "towpath"
NAMESPACE = "towpath-system"
WATCHING = ["team-a", "team-b"]


@dataclass(frozen=True)
class Helm:
    """helm with a kubeconfig."""

    program: Path
    kubeconfig: Path

    def __call__(self, *words: str) -> str:
        """What it printed; it must work."""
        done = self.run(*words)
        assert done.returncode == 0, f"helm {' '.join(words)}: {done.stderr or done.stdout}"
        return done.stdout

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, however it ends."""
        command = [str(self.program), "--kubeconfig", str(self.kubeconfig), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def render(self, namespace: str = NAMESPACE, release: str = RELEASE, **values: Any) -> list[Object]:
        """The objects of the chart with these values (`__` stands for a dot in their names)."""
        text = _rendered(self, "template", release, str(CHART), "--namespace", namespace, *flags(values))
        return [each for each in yaml.load_all(text, Loader=yaml.CSafeLoader) if each]


@cache
def _rendered(helm: Helm, *words: str) -> str:
    return helm(*words)


def flags(values: dict[str, Any]) -> list[str]:
    """Values as words of a command line."""
    pairs = [f"{name.replace('__', '.')}={json.dumps(value)}" for name, value in values.items()]
    return [word for pair in pairs for word in ("--set-json", pair)]


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """Those objects that are of these kinds."""
    return [each for each in objects if each["kind"] in kinds]


def the_one(objects: list[Object], kind: str) -> Object:
    """The only object of a kind."""
    (found,) = of_kind(objects, kind)
    return found


def operator_pod(objects: list[Object]) -> Object:
    """The pod spec of the operator."""
    spec: Object = the_one(objects, "Deployment")["spec"]["template"]["spec"]
    return spec
