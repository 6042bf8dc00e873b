"""Names inside the cluster: CoreDNS on the node, and the Service that pods find it by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cluster.native.component import Component
from cluster.native.layout import DNS_SERVICE_ADDRESS, NODE_ADDRESS, Layout
from cluster.progress import run

_COREFILE = """\
.:53 {{
    errors
    ready 127.0.0.1:8182
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        ttl 5
    }}
    cache 5
}}
"""


def render_corefile(layout: Layout) -> str:
    """CoreDNS' configuration: cluster names only, since no pod reaches another network."""
    return _COREFILE.format(kubeconfig=layout.kubeconfig_of("coredns"))


def coredns(binaries: Path, layout: Layout) -> Component:
    """The name server."""
    command = [str(binaries / "coredns"), "-conf", str(layout.config / "Corefile")]
    return Component("coredns", command, needs_api=True)


def dns_objects() -> list[dict[str, Any]]:
    """The Service of the name server, and the endpoint that it leads to: the node itself."""
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP"},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
    ]
    metadata = {"name": "kube-dns", "namespace": "kube-system"}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": DNS_SERVICE_ADDRESS, "ports": ports},
    }
    slice_ = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4",
        "ports": ports,
        "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
    }
    return [service, slice_]


def apply_dns(kubectl: Path, kubeconfig: Path) -> None:
    """Makes the name server known to pods."""
    objects = {"apiVersion": "v1", "kind": "List", "items": dns_objects()}
    run([kubectl, "--kubeconfig", kubeconfig, "apply", "--filename", "-"], stdin=json.dumps(objects))
