"""The container runtime of the node: containerd with its own folders and socket, and a bridge for pods."""

from __future__ import annotations

import json

from cluster.native.component import Component
from cluster.native.layout import PAUSE_IMAGE, POD_RANGE, Layout

_CONTAINERD = """\
version = 2
root = "{state}/containerd"
state = "{sockets}/containerd"

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{state}/containerd-opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  # Without CAP_SYS_RESOURCE runc may not lower oom_score_adj, and no sandbox would start.
  restrict_oom_score_adj = true

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{config}/cni"

  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def render_containerd(layout: Layout) -> str:
    """containerd's configuration."""
    return _CONTAINERD.format(
        state=layout.state,
        sockets=layout.sockets,
        socket=layout.containerd_socket,
        config=layout.config,
        pause=PAUSE_IMAGE,
    )


def render_pod_network(layout: Layout) -> str:
    """The CNI chain: a bridge whose pods reach each other, the node and the services, and nothing else."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(layout.state / "addresses"),
    }
    bridge = {
        "type": "bridge",
        "bridge": "pods",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": addresses,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "towpath", "plugins": [bridge, ports]}, indent=1)


def containerd(layout: Layout) -> Component:
    """The container runtime."""
    return Component("containerd", ["containerd", "--config", str(layout.config / "containerd.toml")])
