"""Many objects at once through the API server, as its administrator, on connections that stay open."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import urllib3

from cluster.access import Access

Json = dict[str, Any]
Item = TypeVar("Item")
_AT_ONCE = 16
_PAGE = 500
_OURS = "/apis/towpath.dev/v1alpha1"
_OTHERS = {"jobs": "/apis/batch/v1", "pods": "/api/v1"}


class Api:
    """One namespace of a cluster."""

    def __init__(self, access: Access, namespace: str) -> None:
        config = json.loads(access.kubeconfig.read_text())
        server = config["clusters"][0]["cluster"]
        authority = base64.b64decode(server["certificate-authority-data"]).decode()
        headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        self.namespace = namespace
        self._pool = urllib3.PoolManager(maxsize=_AT_ONCE, ca_cert_data=authority, headers=headers)
        self._server = server["server"]

    def create(self, plural: str, body: Json) -> Json:
        """Make one of our kinds."""
        return self._ask("POST", self._place(plural), body)

    def write_status(self, plural: str, body: Json) -> Json:
        """Write the status of one of our kinds, as nobody but the operator does."""
        where = f"{self._place(plural)}/{body['metadata']['name']}/status"
        return self._ask("PUT", where, body)

    def get(self, plural: str, name: str) -> Json:
        """One of our kinds."""
        return self._ask("GET", f"{self._place(plural)}/{name}")

    def all(self, plural: str) -> list[Json]:
        """All of one of our kinds, or all Jobs or pods, page by page."""
        found: list[Json] = []
        after = ""
        while True:
            page = self._ask("GET", f"{self._place(plural)}?limit={_PAGE}&continue={after}")
            found += page["items"]
            after = page["metadata"].get("continue", "")
            if not after:
                return found

    def at_once(self, work: Callable[[Item], object], items: Iterable[Item]) -> None:
        """Do this for all items, a few at a time."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for _ in threads.map(work, items):
                pass

    def _place(self, plural: str) -> str:
        return f"{_OTHERS.get(plural, _OURS)}/namespaces/{self.namespace}/{plural}"

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = self._pool.request(method, self._server + path, json=body)
        found: Json = answer.json()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {found.get('message')}")
        return found


def kubeconfig_of(access: Access, user: str, folder: Path) -> Path:
    """A kubeconfig in which this user is the current one: the audit log then tells its writes apart."""
    config = json.loads(access.kubeconfig.read_text())
    path = folder / f"{user}.kubeconfig"
    path.touch(0o600)
    path.write_text(json.dumps(config | {"current-context": user}))
    return path
