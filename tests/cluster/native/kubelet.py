"""The node agent and the service proxy, with the settings that a node without systemd, without swap control
and perhaps with the old cgroups needs."""

from __future__ import annotations

import json
from pathlib import Path

from cluster.native.component import Component, flags
from cluster.native.layout import CGROUP, DNS_SERVICE_ADDRESS, NODE_ADDRESS, NODE_NAME, POD_RANGE, Layout

FOLDER = "/var/lib/kubelet"


def render_kubelet(layout: Layout) -> str:
    """The kubelet's configuration (in JSON, which is YAML)."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "clusterDNS": [DNS_SERVICE_ADDRESS],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "200Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        # From 1.35 on a node with the old cgroups is refused unless this says otherwise.
        "failCgroupV1": False,
        "failSwapOn": False,
        # There is no registry to fetch a collected image from again.
        "imageGCHighThresholdPercent": 100,
        "maxPods": 200,
        "oomScoreAdj": 0,
        "registryPullQPS": 0,
        "resolvConf": "/dev/null",
        "serializeImagePulls": False,
        "volumePluginDir": str(layout.state / "volume-plugins"),
    }
    return json.dumps(config, indent=1)


def kubelet(binaries: Path, layout: Layout) -> Component:
    """The node agent."""
    settings = flags(
        kubeconfig=layout.kubeconfig_of(f"system:node:{NODE_NAME}"),
        config=layout.config / "kubelet.json",
        root_dir=FOLDER,
        node_ip=NODE_ADDRESS,
        hostname_override=NODE_NAME,
    )
    return Component("kubelet", [str(binaries / "kubelet"), *settings], needs_api=True)


def kube_proxy(binaries: Path, layout: Layout) -> Component:
    """What turns service addresses into pod addresses, by iptables of the node's own."""
    settings = flags(
        kubeconfig=layout.kubeconfig_of("system:kube-proxy"),
        hostname_override=NODE_NAME,
        proxy_mode="iptables",
        cluster_cidr=POD_RANGE,
        # Nothing of the kernel's connection tracking is changed: it is the host's too.
        conntrack_max_per_core=0,
        conntrack_tcp_timeout_established=0,
        conntrack_tcp_timeout_close_wait=0,
        oom_score_adj=0,
    )
    return Component("kube-proxy", [str(binaries / "kube-proxy"), *settings], needs_api=True)
