"""One process from start to end: watch, wait to lead, reconcile; any loop that ends ends the process."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import kopf

from towpath.api.runstatus import RunState
from towpath.flow.decision import Limits
from towpath.flow.sources import Installation
from towpath_operator.cluster.api import TryAgainError
from towpath_operator.cluster.audit import Audit
from towpath_operator.cluster.backoff import Backoff
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.client import Client, load_configuration
from towpath_operator.cluster.events import Recorder
from towpath_operator.cluster.lease import Lease
from towpath_operator.cluster.queue import KeyedQueue
from towpath_operator.cluster.reflector import Reflector, Selection
from towpath_operator.cluster.resources import NAMESPACES
from towpath_operator.cluster.status import StatusWriter
from towpath_operator.handlers.context import Context
from towpath_operator.handlers.passes import PASSES
from towpath_operator.handlers.shell import make_registry, make_settings
from towpath_operator.handlers.workers import work
from towpath_operator.health import Health, LoopLag
from towpath_operator.jobs.settings import MOVER_RESOURCES, SIDECAR_RESOURCES, PodSettings
from towpath_operator.metrics import Metrics
from towpath_operator.settings import Settings
from towpath_operator.web import make_application, serve

log = logging.getLogger(__name__)

CHILDREN = "app.kubernetes.io/managed-by=towpath"
# Bookmarks come each minute; an audit that is late by a whole period is not coming.
WATCH_PATIENCE = 300.0
RUN_STATES = ("New", *(state.value for state in RunState))
# Passes under way when SIGTERM comes: one API request at most stands between each and its end.
FINISHING_SECONDS = 20.0


class Process:
    """The parts of one operator process, and their order of coming and going."""

    def __init__(self, settings: Settings, client: Client, lease_client: Client, metrics: Metrics) -> None:
        self._settings, self._client, self._metrics = settings, client, metrics
        self._queue = KeyedQueue()
        self._cache = Cache(self._queue)
        self._stopping = asyncio.Event()
        self._lag = LoopLag(metrics)
        self._working: asyncio.Task[None] | None = None
        self._holding: asyncio.Task[None] | None = None
        namespaces: tuple[str | None, ...] = settings.watch_namespaces or (None,)
        self._reflectors = [
            Reflector(client, store, Selection(namespace, CHILDREN), metrics)
            for store in (self._cache.jobs, self._cache.pods)
            for namespace in namespaces
        ]
        places = [(store, namespace) for store in self._cache.ours for namespace in namespaces]
        self._audit = Audit(client, places, metrics, settings.audit_seconds)
        self._events = Recorder(client, settings.identity)
        self._lease = Lease(lease_client, settings.namespace, settings.lease_name, settings.identity)
        self.health = Health(self._queue, self._lag, self._contacts())

    async def run(self) -> int:
        """Serve until SIGTERM (0), or until a loop ends by itself (1)."""
        pages = make_application(self.health, self._metrics, self._count_runs)
        web = await serve(pages, self._settings.http_host, self._settings.http_port)
        loops = self._start_loops()
        loops.append(await self._start_kopf(frozenset(loops)))
        stopping = asyncio.create_task(self._stopping.wait(), name="SIGTERM")
        try:
            await asyncio.wait([stopping, *loops], return_when=asyncio.FIRST_COMPLETED)
            code = 0 if self._stopping.is_set() else _report_ended(loops)
            await self._finish(loops)
            return code
        finally:
            stopping.cancel()
            await web.cleanup()

    def _start_loops(self) -> list[asyncio.Task[Any]]:
        loops: dict[str, Coroutine[Any, Any, Any]] = {
            f"watch of {_place(reflector)}": reflector.run() for reflector in self._reflectors
        }
        loops |= {"audit": self._audit.run(), "Events": self._events.run()}
        loops |= {"lag": self._lag.run(), "reconciling": self._lead()}
        return [asyncio.create_task(loop, name=name) for name, loop in loops.items()]

    async def _start_kopf(self, ours: frozenset[asyncio.Task[Any]]) -> asyncio.Task[Any]:
        # Not kopf.operator(): that would take SIGTERM for itself, and end tasks of ours.
        tasks = await kopf.spawn_tasks(
            registry=make_registry(self._cache.ours),
            settings=make_settings(),
            standalone=True,
            clusterwide=not self._settings.watch_namespaces,
            namespaces=self._settings.watch_namespaces,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        current = asyncio.current_task()
        ignored = ours | ({current} if current else set())
        return asyncio.create_task(kopf.run_tasks(tasks, ignored=ignored), name="kopf")

    async def _lead(self) -> None:
        context = await self._make_context()
        for _, contact, _ in self.health.contacts:
            await contact.synced.wait()
        if self._settings.leader_election:
            await self._lease.acquire()
            # What another leader wrote last may not have come by watch yet.
            await self._audit.refresh()
        self.health.leading.set()
        self._cache.mark_all()
        self._working = asyncio.create_task(work(context, PASSES, self._settings.workers), name="passes")
        self._holding = asyncio.create_task(self._hold(), name="Lease")
        await asyncio.gather(self._working, self._holding)

    async def _hold(self) -> None:
        if self._settings.leader_election:
            await self._lease.hold(_lost)

    async def _finish(self, loops: list[asyncio.Task[Any]]) -> None:
        self._queue.close()
        if self._working is not None:
            await asyncio.wait([self._working], timeout=FINISHING_SECONDS)
        if self._holding is not None:
            self._holding.cancel()
            await asyncio.wait([self._holding])
        await self._lease.release()
        for task in loops:
            task.cancel()
        await asyncio.wait(loops, timeout=FINISHING_SECONDS)

    def _count_runs(self) -> None:
        states = Counter((run.get("status") or {}).get("state", "New") for run in self._cache.runs.all())
        for state in RUN_STATES:
            self._metrics.runs.labels(state).set(states[state])

    async def _make_context(self) -> Context:
        settings = self._settings
        return Context(
            client=self._client,
            cache=self._cache,
            queue=self._queue,
            writer=StatusWriter(self._client, self._metrics),
            metrics=self._metrics,
            installation=make_installation(settings, await self._cluster_id()),
            pods=make_pod_settings(settings),
            limits=make_limits(settings),
            events=self._events,
        )

    async def _cluster_id(self) -> str:
        if self._settings.cluster_id:
            return self._settings.cluster_id
        backoff = Backoff()
        while True:
            try:
                system = await self._client.get(NAMESPACES.path(name="kube-system"))
                return str(system["metadata"]["uid"])
            except TryAgainError as error:
                # Who ends here is started again at once, with all that a start asks of a server that is in need.
                log.warning("no cluster's identity yet: %s", error)
                await asyncio.sleep(backoff.next())

    def _contacts(self) -> list[tuple[str, Any, float]]:
        watches: list[tuple[str, Any, float]] = [
            (f"watch of {_place(reflector)}", reflector, WATCH_PATIENCE) for reflector in self._reflectors
        ]
        return [*watches, ("audit of our kinds", self._audit, 3 * self._settings.audit_seconds)]


async def run_process(settings: Settings) -> int:
    """Connect and run; the Lease has a connection of its own, which no burst of writes can hold up."""
    metrics = Metrics()
    client = Client(await load_configuration(), metrics.api_call)
    lease_client = Client(await load_configuration(), metrics.api_call)
    try:
        return await Process(settings, client, lease_client, metrics).run()
    finally:
        await client.close()
        await lease_client.close()


def make_installation(settings: Settings, cluster_id: str) -> Installation:
    """What flow is told of the installation."""
    return Installation(
        step_image=settings.step_image,
        mover_image=settings.mover_image,
        cluster_id=cluster_id,
        sidecar_cache_bytes=settings.fuse_sidecar_cache_bytes if settings.fuse_sidecar_enabled else None,
    )


def make_pod_settings(settings: Settings) -> PodSettings:
    """What pods are told of the installation."""
    return PodSettings(
        user=None if settings.platform_assigns_user else settings.default_user,
        mover_resources=settings.mover_resources or MOVER_RESOURCES,
        sidecar_resources=settings.fuse_sidecar_resources or SIDECAR_RESOURCES,
        mover_image_pull_policy=settings.mover_image_pull_policy,
        image_pull_secrets=settings.image_pull_secrets,
        ttl_seconds_after_finished=settings.ttl_seconds_after_finished,
        termination_grace_period_seconds=settings.termination_grace_period_seconds,
        step_grace_seconds=settings.step_grace_seconds,
    )


def make_limits(settings: Settings) -> Limits:
    """How patient the installation is."""
    return Limits(
        disruptions=settings.disruptions,
        mover_failures=settings.mover_failures,
        start_timeout_seconds=settings.start_timeout_seconds,
        store_timeout_seconds=settings.store_timeout_seconds,
        cancel_grace_seconds=settings.cancel_grace_seconds,
        max_scratch_bytes=settings.max_scratch_bytes,
        sweep_older_than_seconds=settings.sweep_older_than_seconds,
        sweep_is_dry=settings.sweep_is_dry,
        sweep_interval_seconds=settings.sweep_interval_seconds,
    )


def _place(reflector: Reflector) -> str:
    return f"{reflector.resource.plural} in {reflector.namespace or 'all namespaces'}"


def _report_ended(loops: list[asyncio.Task[Any]]) -> int:
    for task in loops:
        if task.done():
            error = None if task.cancelled() else task.exception()
            log.critical("%s ended, so the process ends: %r", task.get_name(), error, exc_info=error)
    return 1


def _lost(why: str) -> None:
    # No clean-up: by the time it is done, another leads. What was begun is safe to find half done.
    log.critical("leadership is lost, so the process ends now: %s", why)
    logging.shutdown()
    os._exit(1)
