"""Writes everything that the node's first process needs: configuration of each component, certificates,
tokens, and the list of components in the order of their start."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cluster.native.certificates import make_certificates
from cluster.native.component import Component, dump_components
from cluster.native.control_plane import (
    etcd,
    kube_apiserver,
    kube_controller_manager,
    kube_scheduler,
    render_audit_policy,
)
from cluster.native.dns import coredns, render_corefile
from cluster.native.kubelet import kube_proxy, kubelet, render_kubelet
from cluster.native.layout import API_URL, NODE_ADDRESS, Layout
from cluster.native.runtime import containerd, render_containerd, render_pod_network
from cluster.native.users import COMPONENTS, PEOPLE, make_tokens, render_kubeconfig
from cluster.store import STORE_ENVIRONMENT, Ports, render_identities, store_command

STORE_PORTS = Ports(s3=8333, master=9333, volume=8340, filer=8888)
S3_ENDPOINT = f"http://{NODE_ADDRESS}:{STORE_PORTS.s3}"
FILER = f"http://{NODE_ADDRESS}:{STORE_PORTS.filer}"

# The store's parts meet at sockets in /tmp, named by port: a second node on this machine has the same ports.
# The program is opened first, since it may lie below /tmp itself.
_COVER_TMP = 'exec 3<"$1" && mount --bind "$0" /tmp && shift && exec /proc/self/fd/3 "$@"'
_WITH_OWN_TMP = ("unshare", "--mount", "sh", "-c", _COVER_TMP)


def write_plan(
    layout: Layout, binaries: Path, weed: Path, environment: Mapping[str, str] = os.environ
) -> None:
    """Writes the node's folders, files and its list of components."""
    for folder in (layout.state, layout.logs, layout.config / "cni", layout.state / "store"):
        folder.mkdir(parents=True, exist_ok=True)
    layout.state.chmod(0o700)
    layout.sockets.mkdir(parents=True, exist_ok=True)
    make_certificates(layout.certificates)
    write_users(layout, API_URL)
    for path, text in rendered_files(layout).items():
        path.write_text(text)
    is_fast = environment.get("TOWPATH_CLUSTER_FAST") == "1"
    layout.plan.write_text(dump_components(components(layout, binaries, weed, is_fast)))


def rendered_files(layout: Layout) -> dict[Path, str]:
    """Each configuration file and its text."""
    return {
        layout.config / "containerd.toml": render_containerd(layout),
        layout.config / "cni" / "10-pods.conflist": render_pod_network(layout),
        layout.config / "kubelet.json": render_kubelet(layout),
        layout.config / "audit.json": render_audit_policy(),
        layout.config / "Corefile": render_corefile(layout),
        layout.state / "store" / "s3.json": render_identities(),
    }


def components(layout: Layout, binaries: Path, weed: Path, is_fast: bool) -> Sequence[Component]:
    """Every component of the node, in the order in which they start."""
    return [
        etcd(binaries, layout),
        containerd(layout),
        kube_apiserver(binaries, layout),
        store(layout, weed),
        kubelet(binaries, layout),
        kube_controller_manager(binaries, layout, is_fast),
        kube_scheduler(binaries, layout, is_fast),
        kube_proxy(binaries, layout),
        coredns(binaries, layout),
    ]


def store(layout: Layout, weed: Path) -> Component:
    """The S3 server."""
    folder = layout.state / "store"
    command = store_command(weed, folder, NODE_ADDRESS, "0.0.0.0", STORE_PORTS)  # noqa: S104
    return Component("store", [*_WITH_OWN_TMP, str(folder), *command], environment=STORE_ENVIRONMENT)


def write_users(layout: Layout, server: str) -> None:
    """Writes the users' tokens, and a kubeconfig of this server for people and for each component."""
    tokens = make_tokens(layout.config / "tokens.csv")
    authority = (layout.certificates / "ca.crt").read_bytes()
    people = {user: tokens[user] for user in PEOPLE}
    _write_private(layout.kubeconfig, render_kubeconfig(server, authority, people, "admin"))
    for user in COMPONENTS:
        text = render_kubeconfig(server, authority, {user: tokens[user]}, user)
        _write_private(layout.kubeconfig_of(user), text)


def _write_private(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)
