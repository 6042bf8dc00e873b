"""One process per local workspace does what the operator does in a cluster, with the operator's own passes.

It holds the workspace's lock, follows the object files, and ends when nothing is left to do; whoever writes an object
starts it again (`waking.py`). Killed at any moment it leaves what a killed operator leaves: the next one goes on.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import sys
import time
from contextlib import suppress

from towpath.flow import names
from towpath.flow.decision import Limits
from towpath.flow.sources import Installation
from towpath.local import rules, wreckage
from towpath.local.api import LocalApi
from towpath.local.descendants import adopt, started_at
from towpath.local.follow import FolderFollower
from towpath.local.interpreter import interpreter_image
from towpath.local.node import Node
from towpath.local.objects import ObjectFolder
from towpath.local.places import CLUSTER_ID, LocalPlaces
from towpath.local.pod_order import place_programs
from towpath.local.waking import OperatorLock
from towpath_operator.cluster.cache import Cache, is_finished
from towpath_operator.cluster.events import Recorder
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.resources import PIPELINE_RUNS
from towpath_operator.cluster.status import StatusWriter
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.passes import PASSES
from towpath_operator.handlers.workers import work
from towpath_operator.jobs.settings import PodSettings
from towpath_operator.metrics import Metrics

log = logging.getLogger(__name__)

# A laptop's user waits: what fails here is rather a mistake than a crowded cluster.
LIMITS = Limits(
    start_timeout_seconds=10,
    store_timeout_seconds=30,
    not_found_seconds=2,
    first_pause_seconds=1,
    cancel_grace_seconds=10,
    no_pod_seconds=3600,
)
MOVER_IMAGE = "local/towpath"
_WORKERS = 8
_LOOK_SECONDS = 0.02
_FOLLOWER_SECONDS = 0.5
# Two commands of a script, one after another, should not pay for two starts.
IDLE_SECONDS = 3.0


class LocalOperator:
    """Passes, node and files of one workspace, in one event loop."""

    def __init__(self, places: LocalPlaces) -> None:
        objects = ObjectFolder(places.objects, rules.check)
        token = f"/towpath-{secrets.token_hex(16)}"
        metrics, queue = Metrics(), KeyedQueue()
        self._queue, self._cache, self._api = queue, Cache(queue), LocalApi(objects)
        self._node = Node(self._api, self._cache, places, token, max(2, os.cpu_count() or 2))
        self._files = FolderFollower(objects, self._cache)
        self._events = Recorder(self._api, "local")
        self._context = Context(
            client=self._api,
            cache=self._cache,
            queue=queue,
            writer=StatusWriter(self._api, metrics),
            metrics=metrics,
            installation=Installation(interpreter_image(), MOVER_IMAGE, CLUSTER_ID, can_mount=False),
            pods=PodSettings(user=None, root=token, step_grace_seconds=10),
            limits=LIMITS,
            events=self._events,
        )
        self._stopping = asyncio.Event()

    async def run(self, lock: OperatorLock) -> None:
        """Reconcile until nothing is left to do, or a signal comes."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        self._files.look()
        self._cache.mark_all()
        passes = asyncio.create_task(work(self._context, PASSES, _WORKERS))
        events = asyncio.create_task(self._events.run())
        try:
            await self._until_idle(lock)
        finally:
            self._queue.close()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(passes, 10)
            events.cancel()
            await self._node.close()

    async def _until_idle(self, lock: OperatorLock) -> None:
        busy_at = followed_at = time.monotonic()
        while not self._stopping.is_set():
            self._files.look()
            now = time.monotonic()
            if now - followed_at > _FOLLOWER_SECONDS:
                followed_at = now
                await self._cancel_forsaken()
            if self._is_busy():
                busy_at = now
            elif now - busy_at > IDLE_SECONDS and lock.release_unless(self._files.look):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_busy(self) -> bool:
        unfinished = any(not is_finished(run) for run in self._cache.runs.all())
        return bool(unfinished or self._node.is_busy or len(self._queue) or self._queue.active)

    async def _cancel_forsaken(self) -> None:
        """Cancel the runs whose followers are gone: nobody is left who waits for them."""
        for run in self._cache.runs.all():
            follower = (run["metadata"].get("annotations") or {}).get(names.LOCAL_FOLLOWER_ANNOTATION)
            if not follower or is_finished(run) or run["spec"].get("cancel"):
                continue
            pid, _, started = follower.partition("/")
            if started != started_at(int(pid)):
                meta = run["metadata"]
                log.warning("run %s: the process that waited for it is gone: cancelled", meta["name"])
                path = PIPELINE_RUNS.path(meta["namespace"], meta["name"])
                await self._api.patch(path, {"spec": {"cancel": True}})


def run(places: LocalPlaces, lock: OperatorLock) -> None:
    """Be the operator of this workspace, whose lock this is."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    lock.sign()
    places.make()
    adopt()
    wreckage.clear(places)
    place_programs(places)
    asyncio.run(_serve(places, lock))


async def _serve(places: LocalPlaces, lock: OperatorLock) -> None:
    await LocalOperator(places).run(lock)
