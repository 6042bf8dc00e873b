"""What chaos happens in: a namespace on a real cluster, two operators behind a relay, a store behind another."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from builders import in_namespace, make_datastore, make_run
from chaos.cutting_proxy import CuttingProxy, cutting_proxy
from chaos.published import Published
from cluster.access import Access
from cluster.kubectl import Kubectl, fresh_namespace
from cluster.space import Space, fresh_space
from cluster.towpath_image import load_image
from cluster.waiting import wait_until
from controller.operator_process import OperatorProcess
from scale.api import Api

Json = dict[str, Any]


@dataclass
class Scene:
    """Everything that faults act on, and that invariants look at."""

    access: Access
    kubectl: Kubectl
    namespace: str
    operators: list[OperatorProcess]
    api: CuttingProxy
    store: CuttingProxy
    published: Published
    # A look at all of a kind after each fault: a kubectl for each would take longer than what is looked at.
    objects: Api
    # Which operators are meant to run.
    alive: set[int] = field(default_factory=set)
    # Jobs that a fault took away: one that no operator had seen by then is rightly made again.
    deleted_jobs: set[str] = field(default_factory=set)

    def create(self, name: str, spec: Json) -> None:
        """Make a run."""
        self.objects.create("pipelineruns", in_namespace(self.namespace, make_run(name, **spec)))

    def all(self, kind: str) -> list[Json]:
        """All objects of a kind, by its plural."""
        return self.objects.all(kind)

    def do(self, *words: str) -> None:
        """A command of kubectl in the namespace, whether or not what it names is still there."""
        self.kubectl(*words, "--namespace", self.namespace, "--ignore-not-found")

    def start(self, number: int) -> None:
        """Start one of the operators, unless it runs."""
        if number not in self.alive:
            self.operators[number].start()
            self.alive.add(number)

    def restart(self) -> None:
        """Start those again that ended by themselves, as a Deployment does: a lost Lease ends an operator."""
        for number in self.alive:
            process = self.operators[number].process
            if process is not None and process.exitcode is not None:
                self.operators[number].start()

    def kill(self, number: int) -> None:
        """Kill one of the operators, with whatever it is at."""
        self.operators[number].kill()
        self.alive.discard(number)

    def leaders(self) -> list[int]:
        """Who says now that it leads."""
        return [number for number in sorted(self.alive) if self.operators[number].is_leading()]


@contextmanager
def scene(access: Access, kubectl: Kubectl, folder: Path, code: tuple[str, ...] = ()) -> Iterator[Scene]:
    """A scene with both operators running and the Datastore Ready; `code` is where theirs is found, if not ours."""
    load_image()
    with ExitStack() as stack:
        namespace = stack.enter_context(fresh_namespace(kubectl))
        space = stack.enter_context(fresh_space(access.s3))
        api = stack.enter_context(cutting_proxy("127.0.0.1", address_of(_server(access))))
        store = stack.enter_context(cutting_proxy(_this_machine(access), address_of(access.s3.endpoint)))
        settings = {"KUBECONFIG": str(kubeconfig_through(access, api, folder))}
        operators = [
            OperatorProcess(
                access,
                namespace,
                folder / f"operator-{number}.log",
                identity=f"o{number}",
                settings=settings,
                code=code,
            )
            for number in range(2)
        ]
        objects = Api(access, namespace)
        made = Scene(access, kubectl, namespace, operators, api, store, Published(space, folder), objects)
        _make_store(made, space, _this_machine(access))
        try:
            for number in range(len(operators)):
                made.start(number)
            _await_store(made)
            yield made
        finally:
            for number in list(made.alive):
                made.kill(number)


def _make_store(made: Scene, space: Space, address: str) -> None:
    identity = space.s3.admin
    data = {"AWS_ACCESS_KEY_ID": identity.access_key, "AWS_SECRET_ACCESS_KEY": identity.secret_key}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "store"}, "stringData": data}
    location = {
        "endpoint": f"http://{address}:{made.store.port}",
        "bucket": space.bucket,
        "prefix": space.prefix,
        "region": space.s3.region,
        "credentialsSecretRef": {"name": "store"},
    }
    made.kubectl.apply(secret, namespace=made.namespace)
    made.kubectl.apply(in_namespace(made.namespace, make_datastore(s3=location)))


def _await_store(made: Scene) -> None:
    def is_ready() -> bool:
        [found] = made.all("datastores")
        conditions = found.get("status", {}).get("conditions", [])
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

    assert wait_until(is_ready, 90, 0.5), made.operators[0].tail()


def _server(access: Access) -> str:
    server: str = json.loads(access.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return server


def address_of(url: str) -> tuple[str, int]:
    """Host and port."""
    place = urlsplit(url)
    assert place.hostname is not None
    return place.hostname, place.port or 443


def _this_machine(access: Access) -> str:
    """Where pods find this machine: the address from which it speaks to the cluster's store."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(address_of(access.s3.endpoint))
        return str(probe.getsockname()[0])


def kubeconfig_through(access: Access, api: CuttingProxy, folder: Path) -> Path:
    """A kubeconfig in which the API server is behind the relay."""
    config = json.loads(access.kubeconfig.read_text())
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = f"https://127.0.0.1:{api.port}"
    path = folder / f"kubeconfig-{secrets.token_hex(3)}"
    path.touch(0o600)
    path.write_text(json.dumps(config))
    return path
