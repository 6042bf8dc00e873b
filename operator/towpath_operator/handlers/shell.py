"""kopf as the shell: it watches our five kinds, and nothing else; an event is stored, its key marked dirty.

Each setting here answers a measured limit of kopf 1.45; a test asserts them: minor releases rename settings.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

import kopf

from towpath_operator.cluster.client import Credentials, read_credentials
from towpath_operator.cluster.store import Store


class NoDiffBase(kopf.DiffBaseStorage):
    """Keeps no copy of any object: kopf would write it into an annotation."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[Any] | None = None) -> Any:  # noqa: ARG002
        """Nothing of the body."""
        return {}

    def fetch(self, *, body: kopf.Body) -> Any:  # noqa: ARG002
        """Nothing was kept."""
        return

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: Any) -> None:
        """Keep nothing."""


class NoProgress(kopf.ProgressStorage):
    """Keeps no progress of handlers: there are none that have any."""

    def fetch(self, *, key: Any, body: kopf.Body) -> Any:  # noqa: ARG002
        """Nothing was kept."""
        return

    def store(self, *, key: Any, record: Any, body: kopf.Body, patch: kopf.Patch) -> None:
        """Keep nothing."""

    def purge(self, *, key: Any, body: kopf.Body, patch: kopf.Patch) -> None:
        """Nothing is there."""

    def touch(self, *, body: kopf.Body, patch: kopf.Patch, value: str | None) -> None:
        """Touch nothing."""

    def clear(self, *, essence: Any) -> Any:
        """The essence as it is."""
        return essence


class EndlessBackoffs:
    """Pauses between kopf's tries of one request: a finite list would end in an escalation."""

    def __iter__(self) -> Iterator[float]:
        pause = 1.0
        while True:
            yield pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
            pause = min(30.0, pause * 2)


def make_settings() -> kopf.OperatorSettings:
    """kopf's settings for an operator that only watches."""
    settings = kopf.OperatorSettings()
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.persistence.progress_storage = NoProgress()
    settings.persistence.finalizer = "towpath.dev/none"
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.scanning.disabled = True
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 5
    settings.networking.error_backoffs = EndlessBackoffs()
    settings.networking.enforce_retry_after = True
    settings.queueing.idle_timeout = 1.5
    settings.queueing.error_delays = (1, 1, 2, 3, 5, 8)
    settings.execution.default_backoff = 5
    return settings


def make_registry(stores: Iterable[Store]) -> kopf.OperatorRegistry:
    """One event handler per kind, and the login."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(login)
    for store in stores:
        _watch(registry, store)
    return registry


async def login(**_: Any) -> kopf.ConnectionInfo:
    """The credentials that our own client uses; after a 401 kopf asks again, and a rotated token is read."""
    return _connection(await read_credentials())


def _watch(registry: kopf.OperatorRegistry, store: Store) -> None:
    of = store.resource

    async def seen(event: kopf.RawEvent, **_: Any) -> None:
        take: Any = store.remove if event["type"] == "DELETED" else store.put
        take(event["object"])

    kopf.on.event(of.group, of.version, of.plural, registry=registry, id=of.plural)(seen)


def _connection(credentials: Credentials) -> kopf.ConnectionInfo:
    return kopf.ConnectionInfo(
        server=credentials.server,
        ca_path=credentials.ca_path,
        insecure=credentials.insecure,
        token=credentials.token,
        certificate_path=credentials.certificate_path,
        private_key_path=credentials.private_key_path,
        trust_env=True,
    )
