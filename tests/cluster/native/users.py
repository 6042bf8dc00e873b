"""The people of the test cluster: a token each, so that the audit log can tell their writes apart, and the
kubeconfig that holds them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path

from cluster.native.layout import NODE_NAME

# `subject` is for the program under measurement: the audit log counts its writes by that name.
PEOPLE = {"admin": "system:masters", "subject": "system:masters"}
# Components with the rights that upstream gives them, not with all.
COMPONENTS = {
    "system:kube-controller-manager": "",
    "system:kube-scheduler": "",
    "system:kube-proxy": "",
    f"system:node:{NODE_NAME}": "system:nodes",
    "coredns": "system:masters",
}


def make_tokens(path: Path) -> dict[str, str]:
    """A token per user, in the file that the API server reads; an existing file is kept."""
    if not path.exists():
        groups = {**PEOPLE, **COMPONENTS}
        lines = [f'{secrets.token_hex(16)},{user},{user},"{group}"' for user, group in groups.items()]
        path.touch(0o600)
        path.write_text("\n".join(lines) + "\n")
    return {line.split(",")[1]: line.split(",")[0] for line in path.read_text().splitlines()}


def render_kubeconfig(server: str, authority: bytes, tokens: Mapping[str, str], current: str) -> str:
    """A kubeconfig (in JSON, which is YAML) with one context per user, one of them current."""
    cluster = {"server": server, "certificate-authority-data": base64.b64encode(authority).decode()}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "towpath", "cluster": cluster}],
        "users": [{"name": user, "user": {"token": token}} for user, token in tokens.items()],
        "contexts": [{"name": user, "context": {"cluster": "towpath", "user": user}} for user in tokens],
        "current-context": current,
    }
    return json.dumps(config, indent=1) + "\n"
