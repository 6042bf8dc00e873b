"""Jobs → pods → processes: what the Job controller, the scheduler and a kubelet are to a cluster.

Every change of a Job or pod goes where a watch would bring it. Nothing here judges: how a container ended is told as
a kubelet tells it, and the passes make of it what they make of it anywhere.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from towpath.backend import Kind
from towpath.flow import names
from towpath.local.api import LocalApi
from towpath.local.descendants import kill_orphans
from towpath.local.engine import engine_of
from towpath.local.log_files import run_logs
from towpath.local.mounts import link_into_work, place_volumes
from towpath.local.objects import utc_text
from towpath.local.places import LocalPlaces
from towpath.local.pod_order import PodPlace, pod_order
from towpath.local.pod_status import Pods, ended_job, new_pod, with_container
from towpath.local.variables import NotThereError
from towpath.local.wreckage import remember, remove_folder
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.resources import JOBS, PODS

Json = dict[str, Any]

_POD = (sys.executable, "-P", "-m", "towpath.local.pod")
_TRY_AGAIN_SECONDS = 1.0
_LINE_LIMIT = 1 << 20


@dataclass
class _Running:
    """A pod that is there, and the process that runs it."""

    pod: Json
    process: asyncio.subprocess.Process | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)


class Node:
    """Runs what Jobs ask for. At most `slots` steps run at once; movers alone wait for nobody."""

    def __init__(self, api: LocalApi, cache: Cache, places: LocalPlaces, token: str, slots: int) -> None:
        self._api, self._cache, self._places, self._token = api, cache, places, token
        self._slots = asyncio.Semaphore(slots)
        self._running: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        api.begun, api.ended = self.begin, self.end

    @property
    def is_busy(self) -> bool:
        """Whether any pod is there."""
        return bool(self._running)

    def begin(self, job: Json) -> None:
        """A Job was created."""
        task = asyncio.get_running_loop().create_task(self._run_job(job), name=job["metadata"]["name"])
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def end(self, item: Json, grace_seconds: int | None) -> None:
        """A Job or pod was deleted."""
        if item.get("kind") == PODS.kind:
            self._stop(self._running.get(item["metadata"]["uid"]), grace_seconds)
            return
        self._api.forget_child(JOBS, item)
        self._cache.jobs.remove(item)
        for running in list(self._running.values()):
            if running.pod["metadata"]["ownerReferences"][0]["uid"] == item["metadata"]["uid"]:
                self._stop(running, None)

    async def close(self) -> None:
        """Kill what runs: a later process takes it for pods that were lost."""
        for running in list(self._running.values()):
            self._stop(running, 0)
        for task in list(self._tasks):
            with suppress(asyncio.CancelledError):
                await task

    async def _run_job(self, job: Json) -> None:
        spec, pods = job["spec"], Pods()
        is_indexed = spec.get("completionMode") == "Indexed"
        gate = asyncio.Semaphore(int(spec.get("parallelism") or 1))
        indexes = range(int(spec.get("completions") or 1)) if is_indexed else [None]

        async def run_one(index: int | None) -> None:
            async with gate:
                if self._is_there(job):
                    pods.ended[index] = await self._run_pod(job, index)

        await asyncio.gather(*(run_one(index) for index in indexes))
        if self._is_there(job):
            self._put_job(job | {"status": ended_job(job, pods)})

    def _is_there(self, job: Json) -> bool:
        there = self._api.children[JOBS.plural].get(job["metadata"]["name"])
        return there is not None and there["metadata"]["uid"] == job["metadata"]["uid"]

    async def _run_pod(self, job: Json, index: int | None) -> bool:
        """Run one pod of a Job; whether all its containers ended well."""
        is_step = any(
            one["name"] == names.STEP_CONTAINER for one in job["spec"]["template"]["spec"]["containers"]
        )
        if is_step:
            await self._slots.acquire()
        try:
            running = _Running(new_pod(job, index, f"{job['metadata']['name']}-{secrets.token_hex(3)}"))
            self._running[running.pod["metadata"]["uid"]] = running
            self._put_pod(running)
            return await self._keep(job, running)
        finally:
            if is_step:
                self._slots.release()

    async def _keep(self, job: Json, running: _Running) -> bool:
        uid = running.pod["metadata"]["uid"]
        place = self._place(job, running.pod)
        try:
            while not await self._start(job, running, place):
                with suppress(TimeoutError):
                    await asyncio.wait_for(running.stopped.wait(), _TRY_AGAIN_SECONDS)
                if running.stopped.is_set():
                    break
            else:
                await self._listen(running)
            self._put_pod(running, with_container(running.pod, None))
            return bool(running.pod["status"]["phase"] == "Succeeded")
        finally:
            del self._running[uid]
            if "deletionTimestamp" in running.pod["metadata"] or not self._is_there(job):
                self._api.forget_child(PODS, running.pod)
                self._cache.pods.remove(running.pod)
            await asyncio.to_thread(remove_folder, place.folder)

    async def _start(self, job: Json, running: _Running, place: PodPlace) -> bool:
        place.folder.mkdir(parents=True, exist_ok=True)
        pod = job["spec"]["template"] | {"metadata": running.pod["metadata"]}
        try:
            place_volumes(pod["spec"], place.folder, self._api.objects, self._places)
            if place.engine is None:
                link_into_work(pod["spec"], place.folder)
            order = pod_order(pod, place, self._api.objects, self._places)
        except NotThereError as error:
            told = {"container": names.STEP_CONTAINER, "state": "waiting", "message": str(error)}
            self._put_pod(
                running, with_container(running.pod, told | {"reason": "CreateContainerConfigError"})
            )
            return False
        _write_privately(place.folder / "pod.json", json.dumps(order))
        running.process = await asyncio.create_subprocess_exec(
            *_POD,
            str(place.folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=_LINE_LIMIT,
        )
        remember(place.folder, running.process.pid)
        return True

    async def _listen(self, running: _Running) -> None:
        process = running.process
        if process is None or process.stdout is None:
            return
        async for line in process.stdout:
            self._put_pod(running, with_container(running.pod, json.loads(line)))
        await process.wait()
        if process.returncode != 0:
            # It was killed, and what it ran was left to this process.
            others = (one.process for one in self._running.values())
            kill_orphans([other.pid for other in others if other is not None and other.returncode is None])

    def _stop(self, running: _Running | None, grace_seconds: int | None) -> None:
        if running is None or "deletionTimestamp" in running.pod["metadata"]:
            return
        grace = grace_seconds
        if grace is None:
            grace = int(running.pod["spec"].get("terminationGracePeriodSeconds", 30))
        running.stopped.set()
        meta = running.pod["metadata"] | {"deletionTimestamp": utc_text()}
        self._put_pod(running, running.pod | {"metadata": meta})
        if running.process is not None and running.process.stdin is not None:
            with suppress(ConnectionError):
                running.process.stdin.write(f"{grace}\n".encode())

    def _place(self, job: Json, pod: Json) -> PodPlace:
        meta = pod["metadata"]
        logs = log_folder(self._places, meta)
        return PodPlace(self._places.pods / meta["name"], logs, self._token, self._engine_of(job))

    def _engine_of(self, job: Json) -> str | None:
        owner = job["metadata"]["ownerReferences"][0]
        is_of_run = owner["kind"] == Kind.PIPELINE_RUN
        run = self._api.objects.read(Kind.PIPELINE_RUN, owner["name"]) if is_of_run else None
        return engine_of(run) if run else None

    def _put_pod(self, running: _Running, pod: Json | None = None) -> None:
        running.pod = self._api.put_child(
            PODS, dict(pod or running.pod) | {"metadata": dict((pod or running.pod)["metadata"])}
        )
        self._cache.pods.put(running.pod)

    def _put_job(self, job: Json) -> None:
        stored = self._api.put_child(JOBS, job | {"metadata": dict(job["metadata"])})
        self._cache.jobs.put(stored)


def log_folder(places: LocalPlaces, meta: Mapping[str, Any]) -> Path:
    """Where the logs of a pod go: by run, step and attempt, or by the object that it looks at."""
    labels, annotations = meta["labels"], meta.get("annotations") or {}
    run, uid = labels.get(names.RUN_LABEL), labels.get(names.RUN_UID_LABEL)
    step, attempt = annotations.get(names.STEP_NAME_ANNOTATION), labels.get(names.ATTEMPT_LABEL)
    if not (run and uid and step and attempt):
        return places.logs / "movers" / str(meta["name"])
    index = labels.get(names.INDEX_LABEL)
    return run_logs(places, run, uid) / str(step) / (attempt if index is None else f"{attempt}.{index}")


def _write_privately(file: Path, text: str) -> None:
    # It may hold what a Secret holds.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
