"""A control plane of its own on loopback, without root and without the test cluster's real node: etcd, API server,
controller manager and scheduler as the test cluster builds them, with the rates that scale needs, and KWOK's nodes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cluster.access import S3, Access
from cluster.kubectl import Kubectl
from cluster.native.api import has_default_account, is_api_ready
from cluster.native.binary import build_binary
from cluster.native.certificates import make_certificates
from cluster.native.component import Component
from cluster.native.control_plane import (
    Addresses,
    etcd,
    kube_apiserver,
    kube_controller_manager,
    kube_scheduler,
    render_audit_policy,
)
from cluster.native.layout import Layout
from cluster.native.plan import write_users
from cluster.progress import ClusterError
from cluster.waiting import wait_until
from controller.operator_process import free_port
from scale.kwok import kwok_command, node

NODE = "simulated-0"
CRDS = Path(__file__).parents[2] / "crds"
_LOOPBACK = "127.0.0.1"


@contextmanager
def simulated_cluster(folder: Path) -> Iterator[Access]:
    """A cluster whose pods end well at once, serving our kinds; `folder` holds what it stores, and its logs."""
    layout = Layout(state=folder, sockets=folder)
    binaries = build_binary()
    addresses = Addresses(_LOOPBACK, api=free_port(), etcd=free_port(), peers=free_port())
    _write(layout, addresses)
    with ExitStack() as running:
        for component in _servers(binaries, layout, addresses):
            running.enter_context(_started(component, layout))
        _await(lambda: is_api_ready(layout.kubeconfig), layout, "kube-apiserver")
        for component in _clients(binaries, layout):
            running.enter_context(_started(component, layout))
        _await(lambda: has_default_account(layout.kubeconfig), layout, "kube-controller-manager")
        kubectl = Kubectl(binaries / "kubectl", layout.kubeconfig)
        kubectl("apply", "--server-side", "--filename", str(CRDS))
        kubectl("wait", "--for=condition=Established", "--timeout=60s", "--filename", str(CRDS))
        kubectl.apply(node(NODE))
        kubectl("wait", "--for=condition=Ready", "--timeout=60s", f"node/{NODE}")
        yield Access(layout.kubeconfig, S3(""), tools=binaries, audit_log=layout.audit_log)


def _write(layout: Layout, addresses: Addresses) -> None:
    for place in (layout.logs, layout.config):
        place.mkdir(parents=True, exist_ok=True)
    make_certificates(layout.certificates)
    write_users(layout, addresses.url)
    (layout.config / "audit.json").write_text(render_audit_policy())


def _servers(binaries: Path, layout: Layout, addresses: Addresses) -> Sequence[Component]:
    api = kube_apiserver(binaries, layout, addresses)
    # Of loopback the API server makes no Endpoints for pods, and here are none that would ask.
    own = [f"--bind-address={_LOOPBACK}", "--endpoint-reconciler-type=none"]
    return [etcd(binaries, layout, addresses), Component(api.name, [*api.command, *own])]


def _clients(binaries: Path, layout: Layout) -> Iterator[Component]:
    for component in (
        kube_controller_manager(binaries, layout, is_fast=True),
        kube_scheduler(binaries, layout, is_fast=True),
    ):
        # Nobody asks them, and their ports may be taken. Simulated nodes have no heartbeat.
        own = ["--secure-port=0"]
        if component.name == "kube-controller-manager":
            own.append("--node-monitor-grace-period=24h")
        yield Component(component.name, [*component.command, *own])
    yield Component("kwok", kwok_command(layout.kubeconfig))


@contextmanager
def _started(component: Component, layout: Layout) -> Iterator[None]:
    with (layout.logs / f"{component.name}.log").open("ab") as log:
        process = subprocess.Popen(list(component.command), cwd=layout.state, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _await(is_done: Callable[[], bool], layout: Layout, name: str) -> None:
    if not wait_until(is_done, 120):
        said = (layout.logs / f"{name}.log").read_text(errors="replace").splitlines()[-12:]
        raise ClusterError("\n".join([f"the simulated cluster is not ready; {name} says:", *said]))
