"""The logs of a run's containers: what is kept now, or each line as it comes until the run has ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Queue
from typing import TYPE_CHECKING

from towpath.backend import Container, Kind, LogLine, Manifest
from towpath.cluster.addresses import PODS
from towpath.cluster.client import RefusedError, Request
from towpath.cluster.patience import Patience
from towpath.cluster.pods import LogSource, log_sources, selector_of
from towpath.cluster.watching import lines_of
from towpath.errors import UnreachableError

if TYPE_CHECKING:
    from towpath.cluster.backend import ClusterBackend

_LOOK_SECONDS = 1.0
_SILENCE_SECONDS = 600.0
# Each is a thread and a connection; what a wide run has more of follows when others have ended.
_AT_ONCE = 32


def read_logs(
    backend: ClusterBackend, run: Manifest, step: str | None, container: Container | None
) -> Iterator[LogLine]:
    """What is kept: of steps whose pods are gone, the end of the log that the run's status has of a failure."""
    sources = _sources(backend, run, step, container)
    there = {source.step for source in sources}
    for source in sources:
        for _, text in _lines(backend, source, follow=False, since=""):
            yield LogLine(source.step, source.attempt, source.container, text)
    if container in (None, Container.STEP):
        yield from _tails(run, step, there)


def follow_logs(
    backend: ClusterBackend, run: Manifest, step: str | None, container: Container | None
) -> Iterator[LogLine]:
    """Each line as it comes; those of one container in their order. Ends when the run has ended."""
    following, patience = _Following(backend), Patience()
    over = False
    while True:
        try:
            # Asked for before the pods are: whatever they say after the end is then complete.
            over = over or _has_ended(backend, run)
            following.begin(_sources(backend, run, step, container))
            patience.answered()
        except UnreachableError as error:
            patience.wait(error)
        yield from following.lines(_LOOK_SECONDS)
        if over and following.is_idle():
            yield from following.lines(0)
            return


class _Following:
    """Threads that each read one container's log into one queue."""

    def __init__(self, backend: ClusterBackend) -> None:
        self._backend = backend
        self._queue: Queue[LogLine | BaseException] = Queue(maxsize=10_000)
        self._threads: dict[tuple[str, Container], threading.Thread] = {}

    def begin(self, sources: list[LogSource]) -> None:
        for source in sources:
            key = source.pod, source.container
            if source.has_begun and key not in self._threads and self._running() < _AT_ONCE:
                # A daemon: who stops listening does not wait for a step's next line.
                thread = threading.Thread(target=self._read, args=(source,), daemon=True)
                self._threads[key] = thread
                thread.start()

    def is_idle(self) -> bool:
        return self._running() == 0

    def lines(self, seconds: float) -> Iterator[LogLine]:
        """What comes until there is silence for so long."""
        while True:
            try:
                found = self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
            except Empty:
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def _running(self) -> int:
        return sum(thread.is_alive() for thread in self._threads.values())

    def _read(self, source: LogSource) -> None:
        try:
            for line in _followed(self._backend, source):
                self._queue.put(line)
        except BaseException as error:
            self._queue.put(error)


def _followed(backend: ClusterBackend, source: LogSource) -> Iterator[LogLine]:
    """One container's lines to its end, over as many connections as it takes."""
    last, patience = "", Patience()
    while True:
        try:
            for time, text in _lines(backend, source, follow=True, since=last):
                last = time
                patience.answered()
                yield LogLine(source.step, source.attempt, source.container, text)
            if _is_over(backend, source):
                return
        except UnreachableError as error:
            patience.wait(error)


def _lines(
    backend: ClusterBackend, source: LogSource, *, follow: bool, since: str
) -> Iterator[tuple[str, str]]:
    """Time and text of each line after the one of `since`; none of a container that has not begun or is gone."""
    query: dict[str, str | int] = {"container": source.container, "timestamps": "true"}
    query |= {"follow": "true"} if follow else {}
    query |= {"sinceTime": since} if since else {}
    path = PODS.path(backend.namespace, source.pod, "log")
    doing = f"read the log of {source.container} in pod {source.pod}"
    try:
        with backend.client.stream(Request("GET", path, doing, query), _SILENCE_SECONDS) as answer:
            for line in lines_of(answer):
                time, _, text = line.decode(errors="replace").partition(" ")
                # `sinceTime` counts whole seconds: what was read already comes once more.
                if time > since:
                    yield time, text
    except RefusedError as refused:
        if refused.refusal.code not in (400, 404):
            raise backend.client.error(refused, doing) from None


def _sources(
    backend: ClusterBackend, run: Manifest, step: str | None, container: Container | None
) -> list[LogSource]:
    path, doing = PODS.path(backend.namespace), "list the pods of a run"
    try:
        pods = backend.client.list_all(path, doing, {"labelSelector": selector_of(run)})
    except RefusedError as refused:
        raise backend.client.error(refused, doing) from None
    return log_sources(pods, step, container)


def _is_over(backend: ClusterBackend, source: LogSource) -> bool:
    path, doing = PODS.path(backend.namespace, source.pod), f"read pod {source.pod}"
    try:
        pod = backend.client.get(path, doing)
    except RefusedError as refused:
        if refused.refusal.code == 404:
            return True
        raise backend.client.error(refused, doing) from None
    return all(each.has_ended for each in log_sources([pod], None, source.container))


def _has_ended(backend: ClusterBackend, run: Manifest) -> bool:
    found = backend.get(Kind.PIPELINE_RUN, run["metadata"]["name"])
    return found is None or "completionTime" in (found.get("status") or {})


def _tails(run: Manifest, step: str | None, there: set[str]) -> Iterator[LogLine]:
    for found in (run.get("status") or {}).get("steps") or ():
        if step in (None, found["name"]) and found["name"] not in there:
            for text in (found.get("logTail") or "").splitlines():
                yield LogLine(found["name"], found.get("attempt", 0), Container.STEP, text)
