"""kubectl as tests use it: text, parsed JSON, or the message of a refusal."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.direct import Direct, RefusedError
from cluster.waiting import wait_until


class KubectlError(AssertionError):
    """kubectl failed where the test expected it to work."""


@dataclass(frozen=True)
class Kubectl:
    """kubectl with a kubeconfig, perhaps as one of its users."""

    program: Path
    kubeconfig: Path
    context: str = "admin"

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        """The standard output of a command that must work."""
        done = self._run(words, stdin)
        if done.returncode != 0:
            raise KubectlError(
                f"kubectl {' '.join(words)} ended with {done.returncode}: {done.stderr.strip()}"
            )
        return done.stdout

    def json(self, *words: str, stdin: str | None = None) -> Any:
        """The parsed output of a command, asked for as JSON."""
        return json.loads(self(*words, "--output", "json", stdin=stdin))

    @property
    def direct(self) -> Direct:
        """The same user without kubectl, for who asks much."""
        return Direct(self.kubeconfig, self.context)

    def refusal(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl says of a command that must not work."""
        done = self._run(words, stdin)
        if done.returncode == 0:
            raise KubectlError(
                f"kubectl {' '.join(words)} worked, though it must be refused: {done.stdout.strip()}"
            )
        return done.stderr.strip()

    def apply(self, *objects: dict[str, Any], namespace: str = "") -> None:
        """Applies objects given as dicts."""
        self.direct.apply(*objects, namespace=namespace)

    def watch(self, *words: str) -> subprocess.Popen[str]:
        """A kubectl that goes on by itself; its standard output is a pipe."""
        return subprocess.Popen([*self._how(), *words], stdout=subprocess.PIPE, text=True)

    def as_user(self, context: str) -> Kubectl:
        """The same as another user of the kubeconfig."""
        return Kubectl(self.program, self.kubeconfig, context)

    def _run(self, words: tuple[str, ...], stdin: str | None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._how(), *words], input=stdin, capture_output=True, text=True, check=False
        )

    def _how(self) -> list[str]:
        context = ["--context", self.context] if self.context else []
        return [str(self.program), "--kubeconfig", str(self.kubeconfig), *context]


@contextmanager
def fresh_namespace(kubectl: Kubectl, level: str = "restricted") -> Iterator[str]:
    """A namespace under a Pod Security level; its deletion is not waited for."""
    name = f"test-{secrets.token_hex(4)}"
    labels = {"pod-security.kubernetes.io/enforce": level}
    direct = kubectl.direct
    direct.make("namespaces", {"metadata": {"name": name, "labels": labels}})
    # Without it no pod can be made there.
    default = {"fields": "metadata.name=default"}
    assert wait_until(lambda: bool(direct.select("serviceaccounts", name, **default)), 30)
    try:
        yield name
    finally:
        _delete(direct, name)


def _delete(direct: Direct, namespace: str) -> None:
    try:
        direct.delete("namespaces", namespace, wait=False)
    except RefusedError as refused:
        # A test may have deleted it, and it may be on its way out.
        if refused.status not in (404, 409):
            raise
