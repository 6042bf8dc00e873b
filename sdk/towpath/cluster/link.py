"""Requests to the pod that serves a datastore, over as many port-forwards as are used at once.

What breaks is mended: a connection is made anew, and so is the pod if it is gone, be it evicted, deleted or tired of
waiting. Every request may be sent twice, since blocks are whole and named by their content.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

from towpath.errors import UnreachableError

_BROKEN = (OSError, http.client.HTTPException)
# The first may be that the pod does not listen yet.
_PAUSE_SECONDS = 0.3
_LONGEST_PAUSE_SECONDS = 5.0
_AWAY_SECONDS = 120.0


@dataclass(frozen=True)
class Ask:
    """One request to `serve`."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | memoryview | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


class ServingPod(NamedTuple):
    """A pod that runs, of a Job, and the token that opens it."""

    job: str
    pod: str
    token: str


class Pods(Protocol):
    """Where pods that serve come from; `where` is for people."""

    @property
    def where(self) -> str: ...
    def start(self) -> ServingPod: ...
    def is_running(self, serving: ServingPod) -> bool: ...
    def stop(self, serving: ServingPod) -> None: ...
    def connect(self, serving: ServingPod) -> Any: ...


class Link:
    """One datastore's pod and the connections to it; many threads use them."""

    def __init__(self, pods: Pods) -> None:
        self._pods = pods
        self._lock = Lock()
        self._serving: ServingPod | None = None
        self._idle: list[_Connection] = []

    def open(self) -> None:
        """Start the pod; the errors of that are the user's."""
        with self._lock:
            self._serving = self._pods.start()

    def close(self) -> None:
        """Close all connections, and delete the pod."""
        with self._lock:
            self._close_idle()
            serving, self._serving = self._serving, None
        if serving is not None:
            self._pods.stop(serving)

    @contextmanager
    def answer(self, ask: Ask) -> Iterator[http.client.HTTPResponse]:
        """Begin to read an answer, once; what breaks rises as an OSError or HTTPException, for `mended`."""
        connection = self._take()
        try:
            headers = {"Authorization": f"Bearer {connection.serving.token}", **ask.headers}
            connection.request(ask.method, ask.target, ask.body, headers)
            response = connection.getresponse()
            yield response
            response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._give_back(connection)

    def mend(self, breaks: Breaks, error: Exception) -> None:
        """After a break: wait a little, and see to it that there is a pod; UnreachableError after two minutes."""
        breaks.wait(error, self._pods.where)
        try:
            with self._lock:
                serving = self._serving
                if serving is None or self._pods.is_running(serving):
                    return
                self._close_idle()
                self._pods.stop(serving)
                self._serving = self._pods.start()
        except UnreachableError as still:
            breaks.last = still

    def _close_idle(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _take(self) -> _Connection:
        with self._lock:
            serving = self._serving
            if serving is None:
                raise UnreachableError(f"The transfer with {self._pods.where} is closed.")
            while self._idle:
                connection = self._idle.pop()
                if connection.serving == serving:
                    return connection
                connection.close()
        return _Connection(self._pods, serving)

    def _give_back(self, connection: _Connection) -> None:
        with self._lock:
            if connection.serving == self._serving:
                self._idle.append(connection)
                return
        connection.close()


class Breaks:
    """How often one request broke, and since when nothing came of it."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._count = 0
        self.last: Exception | None = None

    def wait(self, error: Exception, where: str) -> None:
        """Wait longer each time; UnreachableError when it has been too long."""
        if time.monotonic() - self._since > _AWAY_SECONDS:
            said = self.last or error
            raise UnreachableError(
                f"The transfer with {where} broke off, and could not be mended: {said}"
            ) from error
        time.sleep(min(_PAUSE_SECONDS * 2**self._count, _LONGEST_PAUSE_SECONDS))
        self._count += 1


class _Connection(http.client.HTTPConnection):
    """A connection through a port-forward of its own."""

    def __init__(self, pods: Pods, serving: ServingPod) -> None:
        super().__init__("localhost")
        self.serving = serving
        self._pods = pods

    def connect(self) -> None:
        """Open the port-forward."""
        self.sock = self._pods.connect(self.serving)


def broken(error: Exception) -> bool:
    """Whether another try may cure this: everything that breaks on the way, and nothing that was answered."""
    return isinstance(error, _BROKEN) and not isinstance(error, UnreachableError)
