"""The operator as a process on this machine, against a test cluster: started, killed, started again.

Each is forked from a process that has loaded it: to load it anew would cost more CPU than most of them ever use.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.access import Access
from cluster.pods import PYTHON_IMAGE
from cluster.towpath_image import image_name
from cluster.waiting import wait_until

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

LOADED = multiprocessing.get_context("forkserver")
LOADED.set_forkserver_preload(["towpath_operator.process"])


def free_port() -> int:
    """A port of this machine that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class OperatorProcess:
    """One operator, restricted to one namespace, with its Lease there too."""

    access: Access
    namespace: str
    log: Path
    # Its Lease is in `namespace`; it watches that one and these.
    more: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    identity: str = "test-operator"
    port: int = field(default_factory=free_port)
    process: ForkServerProcess | None = None
    # Where its code is found, if not where ours is.
    code: tuple[str, ...] = ()

    def start(self) -> None:
        """Start it; it is not ready yet."""
        environment = {
            **os.environ,
            "KUBECONFIG": str(self.access.kubeconfig),
            "TOWPATH_NAMESPACE": self.namespace,
            "TOWPATH_WATCH_NAMESPACES": ",".join((self.namespace, *self.more)),
            "TOWPATH_IDENTITY": self.identity,
            "TOWPATH_HTTP_HOST": "127.0.0.1",
            "TOWPATH_HTTP_PORT": str(self.port),
            "TOWPATH_MOVER_IMAGE": image_name(),
            "TOWPATH_STEP_IMAGE": PYTHON_IMAGE,
            **self.settings,
        }
        self.process = LOADED.Process(
            target=be_the_operator, args=(environment, str(self.log), self.code), daemon=True
        )
        self.process.start()

    def wait_leading(self, seconds: float = 60) -> None:
        """Wait until it leads."""
        if not wait_until(self.is_leading, seconds):
            raise AssertionError(f"the operator does not lead\n{self.tail()}")

    def wait_ready(self, seconds: float = 60) -> None:
        """Wait until its watches are synced."""
        if not wait_until(lambda: self.get("/readyz")[0] == 200, seconds):
            raise AssertionError(f"the operator is not ready: {self.get('/readyz')}\n{self.tail()}")

    def is_leading(self) -> bool:
        """Whether it says that it leads."""
        return "towpath_leading 1.0" in self.get("/metrics")[1]

    def kill(self) -> None:
        """SIGKILL: no clean-up of any kind."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of one of its pages; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def writes(self) -> int:
        """How often it wrote to the API server; renewals of the Lease, which are updates, aside."""
        verbs = ('verb="create"', 'verb="patch"', 'verb="delete"')
        return sum(self._count("towpath_api_calls_total", verb) for verb in verbs)

    def passes(self, kind: str) -> int:
        """How many passes over objects of a kind it has made."""
        return self._count("towpath_reconciles_total", f'kind="{kind}"')

    def _count(self, series: str, label: str) -> int:
        lines = self.get("/metrics")[1].splitlines()
        counted = [line for line in lines if line.startswith(series + "{") and label in line]
        return sum(round(float(line.rsplit(" ", 1)[1])) for line in counted)

    def lines(self) -> list[dict[str, Any]]:
        """Its log, parsed."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def tail(self) -> str:
        """The end of its log, for messages."""
        return "\n".join(self.log.read_text().splitlines()[-20:])

    def _end(self, number: int) -> int:
        if self.process is None:
            return 0
        if self.process.pid is not None and self.process.exitcode is None:
            os.kill(self.process.pid, number)
        return self.wait(40)

    def wait(self, seconds: float) -> int:
        """The exit code, once it has ended."""
        assert self.process is not None
        self.process.join(seconds)
        code = self.process.exitcode
        assert code is not None, f"the operator goes on\n{self.tail()}"
        self.process = None
        return code


def be_the_operator(environment: dict[str, str], log: str, code: tuple[str, ...]) -> None:
    """What `python -m towpath_operator` does in this environment, with its output in a file."""
    if code:
        sys.path[:0] = code
        for name in [name for name in sys.modules if name.partition(".")[0].startswith("towpath")]:
            del sys.modules[name]
    from kubernetes.aio.config import kube_config  # noqa: PLC0415 - in the process that is forked

    from towpath_operator.__main__ import main  # noqa: PLC0415

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(descriptor, stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    # Taken from the environment when it was loaded.
    kube_config.KUBE_CONFIG_DEFAULT_LOCATION = environment["KUBECONFIG"]
    sys.exit(main())


@contextmanager
def running_operator(
    access: Access, namespace: str, log: Path, *more: str, **settings: str
) -> Iterator[OperatorProcess]:
    """An operator that leads."""
    operator = OperatorProcess(access, namespace, log, more=more, settings=settings)
    operator.start()
    try:
        operator.wait_leading()
        yield operator
    finally:
        operator.kill()
