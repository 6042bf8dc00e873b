"""Who leads: one Lease, renewed over a connection of its own, whose loss ends the process.

The official client's election goes on working after a lost Lease, blocks on a server that never answers, and
does not release on SIGTERM; this one counts its deadline from the last renewal that was answered.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from towpath_operator.cluster.api import AlreadyExistsError, ApiError, NotFoundError
from towpath_operator.cluster.client import Client
from towpath_operator.cluster.resources import LEASES

Json = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LeaseTimes:
    """Seconds: a successor waits `duration`, the leader gives up after `deadline`, both try each `period`."""

    duration: float = 15.0
    deadline: float = 10.0
    period: float = 2.0

    def __post_init__(self) -> None:
        if not self.duration > self.deadline > 1.2 * self.period:
            raise ValueError(f"a Lease needs duration > deadline > 1.2 * period, not {self}")


class Lease:
    """This process's side of the election, as `identity`, with `client` for itself alone."""

    def __init__(
        self, client: Client, namespace: str, name: str, identity: str, times: LeaseTimes = LeaseTimes()
    ) -> None:
        self.identity, self.is_held = identity, False
        self._client, self._times = client, times
        self._namespace, self._name = namespace, name
        self._seen: tuple[str, float] = ("", 0.0)
        self._object: Json | None = None

    async def acquire(self) -> None:
        """Wait until this process leads."""
        while not await self._try(self._take):
            await asyncio.sleep(self._times.period)
        self.is_held = True
        log.info("leading as %s by Lease %s/%s", self.identity, self._namespace, self._name)

    async def hold(self, lost: Callable[[str], None]) -> None:
        """Renew until that fails for `deadline` or another holds it; then call `lost` with the reason."""
        renewed = time.monotonic()
        while (left := renewed + self._times.deadline - time.monotonic()) > 0:
            await asyncio.sleep(min(self._times.period, left))
            began = time.monotonic()
            if await self._try(self._renew):
                renewed = began
            elif self._is_of_another():
                break
        self.is_held = False
        lost(f"Lease {self._namespace}/{self._name} was not renewed for {time.monotonic() - renewed:.1f} s")

    async def release(self) -> None:
        """Let a successor begin at once."""
        if self.is_held:
            self.is_held = False
            # A renewal under way may have been cut off after it was stored: only a fresh version is sure to do.
            self._object = None
            await self._try(self._give_back)

    async def _try(self, action: Callable[[], Any]) -> bool:
        # Whatever goes wrong with one try, the next one is due in `period`: only the deadline decides.
        try:
            return bool(await action())
        except ApiError as error:
            self._object = None
            log.warning("Lease %s/%s: %s", self._namespace, self._name, error)
            return False

    async def _take(self) -> bool:
        try:
            self._object = await self._client.get(
                LEASES.path(self._namespace, self._name), timeout=self._times.period
            )
        except NotFoundError:
            return await self._create()
        return self._is_free(self._object) and await self._write(self._claim(self._object))

    def _is_free(self, lease: Json) -> bool:
        # Clocks of two machines differ: what counts is how long we saw the same version unchanged.
        spec, version = lease.get("spec", {}), lease["metadata"]["resourceVersion"]
        if self._seen[0] != version:
            self._seen = (version, time.monotonic())
        if spec.get("holderIdentity") in ("", None, self.identity):
            return True
        duration = float(spec.get("leaseDurationSeconds", self._times.duration))
        return time.monotonic() > self._seen[1] + duration

    async def _renew(self) -> bool:
        if self._object is None:
            self._object = await self._client.get(
                LEASES.path(self._namespace, self._name), timeout=self._times.period
            )
        if self._is_of_another():
            return False
        return await self._write({"renewTime": _now()})

    async def _give_back(self) -> bool:
        self._object = await self._client.get(
            LEASES.path(self._namespace, self._name), timeout=self._times.period
        )
        if self._is_of_another():
            return False
        return await self._write({"holderIdentity": "", "leaseDurationSeconds": 1})

    def _is_of_another(self) -> bool:
        return self._object is not None and self._object["spec"].get("holderIdentity") != self.identity

    async def _write(self, changes: Json) -> bool:
        if self._object is None:
            return False
        body = {**self._object, "spec": {**self._object.get("spec", {}), **changes}}
        path = LEASES.path(self._namespace, self._name)
        self._object = await self._client.update(path, body, timeout=self._times.period)
        return True

    async def _create(self) -> bool:
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._claim({}),
        }
        try:
            self._object = await self._client.create(
                LEASES.path(self._namespace), body, timeout=self._times.period
            )
        except AlreadyExistsError:
            return False
        return True

    def _claim(self, lease: Json) -> Json:
        spec, now = lease.get("spec", {}), _now()
        moved = spec.get("holderIdentity") != self.identity
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": math.ceil(self._times.duration),
            "acquireTime": now if moved else spec.get("acquireTime", now),
            "renewTime": now,
            "leaseTransitions": spec.get("leaseTransitions", -1) + int(moved),
        }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
