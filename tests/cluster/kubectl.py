"""kubectl as tests use it: text, parsed JSON, or the message of a refusal; and a look at our kinds without it."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from kubernetes import client, config

from cluster.waiting import wait_until
from towpath.api.meta import GROUP, VERSION


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

    def look(self, plural: str, name: str, namespace: str) -> Any:
        """An object of ours, for who looks again and again: a kubectl for each look would cost more than it."""
        place = (GROUP, VERSION, namespace, plural, name)
        try:
            return _connection(self.kubeconfig, self.context).get_namespaced_custom_object(*place)
        except client.ApiException as refused:
            raise KubectlError(
                f"no look at {plural}/{name} in {namespace}: {refused.status} {refused.reason}"
            ) from None

    def make(self, plural: str, body: dict[str, Any], namespace: str) -> None:
        """Makes an object of ours, for who makes many."""
        objects = _connection(self.kubeconfig, self.context)
        place = (GROUP, VERSION, namespace, plural, body)
        objects.create_namespaced_custom_object(*place, field_validation="Strict")

    def select(self, plural: str, selector: str, namespace: str) -> list[Any]:
        """The Jobs or pods with these labels, for who looks again and again."""
        core = self.core()
        jobs = client.BatchV1Api(core.api_client).list_namespaced_job
        listing: Any = {"pods": core.list_namespaced_pod, "jobs": jobs}[plural]
        # As the server has them: the client's own objects have other names for the fields.
        answer = listing(namespace, label_selector=selector, _preload_content=False)
        items: list[Any] = json.loads(answer.data)["items"]
        return items

    def has_namespace(self, name: str) -> bool:
        """Whether the namespace is there, or still on its way out, for who looks again and again."""
        return bool(self.core().list_namespace(field_selector=f"metadata.name={name}").items)

    def core(self) -> client.CoreV1Api:
        """Pods, namespaces and what else is of Kubernetes' core, for who asks for much of it."""
        return client.CoreV1Api(_connection(self.kubeconfig, self.context).api_client)

    def refusal(self, *words: str, stdin: str | None = None) -> str:
        """What kubectl says of a command that must not work."""
        done = self._run(words, stdin)
        if done.returncode == 0:
            raise KubectlError(
                f"kubectl {' '.join(words)} worked, though it must be refused: {done.stdout.strip()}"
            )
        return done.stderr.strip()

    def apply(self, *objects: dict[str, Any], namespace: str | None = None) -> str:
        """Applies objects given as dicts."""
        items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        where = ("--namespace", namespace) if namespace else ()
        return self("apply", *where, "--filename", "-", stdin=json.dumps(items))

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
    core = kubectl.core()
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name, labels=labels)))
    # Without it no pod can be made there.
    account = partial(core.list_namespaced_service_account, name, field_selector="metadata.name=default")
    assert wait_until(lambda: bool(account().items), 30)
    try:
        yield name
    finally:
        _delete(core, name)


def _delete(core: client.CoreV1Api, namespace: str) -> None:
    try:
        core.delete_namespace(namespace)
    except client.ApiException as refused:
        # A test may have deleted it, and it may be on its way out.
        if refused.status not in (404, 409):
            raise


@cache
def _connection(kubeconfig: Path, context: str) -> client.CustomObjectsApi:
    return client.CustomObjectsApi(config.new_client_from_config(str(kubeconfig), context=context or None))
