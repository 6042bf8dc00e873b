"""Whether the process should live on, and whether it serves: judged from what its loops last did."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.metrics import Metrics


class Contact(Protocol):
    """A loop that keeps something in step with the API server."""

    synced: asyncio.Event
    last_contact: float


@dataclass
class LoopLag:
    """How late the event loop wakes what asked to be woken."""

    metrics: Metrics
    every: float = 0.5
    last: float = 0.0

    async def run(self) -> None:
        """Measure for ever."""
        while True:
            asked = time.monotonic()
            await asyncio.sleep(self.every)
            self.last = max(0.0, time.monotonic() - asked - self.every)
            self.metrics.loop_lag.set(self.last)


@dataclass
class Health:
    """What the probes ask. `contacts` are by a name that a human understands, with their patience in s."""

    queue: KeyedQueue
    lag: LoopLag
    contacts: Sequence[tuple[str, Contact, float]]
    leading: asyncio.Event = field(default_factory=asyncio.Event)
    longest_lag: float = 5.0
    longest_stall: float = 300.0

    def ailments(self) -> list[str]:
        """Why the process should be started again; empty while it is well."""
        now = time.monotonic()
        told = [
            f"{name}: no sign of life for {now - contact.last_contact:.0f} s"
            for name, contact, patience in self.contacts
            if now - contact.last_contact > patience
        ]
        if self.lag.last > self.longest_lag:
            told.append(f"the event loop was blocked for {self.lag.last:.1f} s")
        if self._is_stalled(now):
            told.append(f"the queue has given out nothing for {now - self.queue.last_progress:.0f} s")
        return told

    def missing(self) -> list[str]:
        """What is not ready yet; a standby is ready as soon as it has synced."""
        return [f"{name}: not synced" for name, contact, _ in self.contacts if not contact.synced.is_set()]

    def _is_stalled(self, now: float) -> bool:
        stall = min(self.queue.oldest_age(), now - self.queue.last_progress)
        return self.leading.is_set() and stall > self.longest_stall
