"""A few requests to the API server with the standard library alone: enough
to see that the cluster is well."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

_SECONDS = 5


def get(kubeconfig: Path, path: str) -> Any:
    """What the API server answers to a GET, parsed if it is JSON; None if it does not answer well."""
    config = json.loads(kubeconfig.read_text())
    server = config["clusters"][0]["cluster"]
    trust = ssl.create_default_context(cadata=base64.b64decode(server["certificate-authority-data"]).decode())
    token = config["users"][0]["user"]["token"]
    request = urllib.request.Request(server["server"] + path, headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    # No proxy: the address is the machine's own.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
    )
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            body = answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None
    return json.loads(body) if body.startswith(("{", "[")) else body


def is_api_ready(kubeconfig: Path) -> bool:
    """Whether the API server serves."""
    return bool(get(kubeconfig, "/readyz") == "ok")


def is_node_ready(kubeconfig: Path, name: str) -> bool:
    """Whether the node's own word is that it can run pods."""
    node = get(kubeconfig, f"/api/v1/nodes/{name}")
    conditions = (node or {}).get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def has_default_account(kubeconfig: Path) -> bool:
    """Whether pods may be made in the default namespace: its service account is there a moment later."""
    return get(kubeconfig, "/api/v1/namespaces/default/serviceaccounts/default") is not None
