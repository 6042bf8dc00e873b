"""The control plane: etcd, API server, controller manager and scheduler, with upstream's own rates, so that
measured times mean something; TOWPATH_CLUSTER_FAST=1 lifts them for runs at scale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from cluster.native.component import Component, flags
from cluster.native.layout import NODE_ADDRESS, SERVICE_RANGE, Layout


class Addresses(NamedTuple):
    """Where the API server listens, and etcd on loopback."""

    address: str = NODE_ADDRESS
    api: int = 6443
    etcd: int = 2379
    peers: int = 2380

    @property
    def url(self) -> str:
        """The API server's."""
        return f"https://{self.address}:{self.api}"

    @property
    def store(self) -> str:
        """etcd's."""
        return f"http://127.0.0.1:{self.etcd}"


_OF_THE_NODE = Addresses()


def render_audit_policy() -> str:
    """Every write is noted once, when it is done, with who made it; reads are not."""
    writes = {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]}
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [writes, {"level": "None"}],
    }
    return json.dumps(policy, indent=1)


def etcd(binaries: Path, layout: Layout, addresses: Addresses = _OF_THE_NODE) -> Component:
    """The API server's store."""
    settings = flags(
        data_dir=layout.state / "etcd",
        listen_client_urls=addresses.store,
        advertise_client_urls=addresses.store,
        listen_peer_urls=f"http://127.0.0.1:{addresses.peers}",
        log_level="warn",
    )
    # What a crash of this machine would lose is thrown away anyway.
    return Component("etcd", [str(binaries / "etcd"), *settings, "--unsafe-no-fsync"])


def kube_apiserver(binaries: Path, layout: Layout, addresses: Addresses = _OF_THE_NODE) -> Component:
    """The API server; Pod Security and ResourceQuota are on, as they are by default."""
    keys = layout.certificates
    settings = flags(
        etcd_servers=addresses.store,
        advertise_address=addresses.address,
        secure_port=addresses.api,
        tls_cert_file=keys / "api.crt",
        tls_private_key_file=keys / "api.key",
        client_ca_file=keys / "ca.crt",
        token_auth_file=layout.config / "tokens.csv",
        service_account_issuer="https://kubernetes.default.svc",
        service_account_key_file=keys / "accounts.pub",
        service_account_signing_key_file=keys / "accounts.key",
        authorization_mode="Node,RBAC",
        service_cluster_ip_range=SERVICE_RANGE,
        allow_privileged="true",
        audit_policy_file=layout.config / "audit.json",
        audit_log_path=layout.audit_log,
        # Without it `kubectl logs` would look up the node's name.
        kubelet_preferred_address_types="InternalIP",
        profiling="false",
    )
    return Component("kube-apiserver", [str(binaries / "kube-apiserver"), *settings])


def kube_controller_manager(binaries: Path, layout: Layout, is_fast: bool) -> Component:
    """The controllers."""
    settings = flags(
        kubeconfig=layout.kubeconfig_of("system:kube-controller-manager"),
        service_account_private_key_file=layout.certificates / "accounts.key",
        root_ca_file=layout.certificates / "ca.crt",
        use_service_account_credentials="true",
        leader_elect="false",
        allocate_node_cidrs="false",
    )
    rates = flags(kube_api_qps=500, kube_api_burst=1000, concurrent_job_syncs=50) if is_fast else []
    command = [str(binaries / "kube-controller-manager"), *settings, *rates]
    return Component("kube-controller-manager", command, needs_api=True)


def kube_scheduler(binaries: Path, layout: Layout, is_fast: bool) -> Component:
    """The scheduler."""
    settings = flags(kubeconfig=layout.kubeconfig_of("system:kube-scheduler"), leader_elect="false")
    rates = flags(kube_api_qps=500, kube_api_burst=1000) if is_fast else []
    return Component("kube-scheduler", [str(binaries / "kube-scheduler"), *settings, *rates], needs_api=True)
