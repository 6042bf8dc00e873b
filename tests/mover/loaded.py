"""A process that has loaded all that movers load, and the movers that are forked from it: tests start thousands.

What a start of Python itself brings is shown by test_entry_point.py, and by every pod.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from select import select
from typing import IO

_SERVER = Path(__file__).with_name("load_server.py")


class Loaded:
    """The process, by the socket at which it takes orders; each mover is a process of its own."""

    def __init__(self, calls: socket.socket, process: subprocess.Popen[bytes]) -> None:
        self._calls = calls
        self._process = process

    def run(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        has_begun: Callable[[int], None] = lambda _: None,
        timeout: float = 60,
    ) -> tuple[int, str, int]:
        """Run a mover to its end: its exit code (negative for a signal), what it logged, and the most bytes it held.

        `has_begun` is told the process as soon as there is one.
        """
        with tempfile.TemporaryFile("w+") as order, tempfile.TemporaryFile("w+") as errors:
            json.dump([list(arguments), dict(environ)], order)
            order.seek(0)
            with self._told(order, errors) as told:
                mover = int(told.readline())
                has_begun(mover)
                if not select([told], [], [], timeout)[0]:
                    os.kill(mover, signal.SIGKILL)
                    raise subprocess.TimeoutExpired(arguments[0], timeout)
                code, held = int(told.readline()), int(told.readline())
            errors.seek(0)
            return code, errors.read(), held

    @contextmanager
    def _told(self, order: IO[str], errors: IO[str]) -> Iterator[IO[str]]:
        """What is told of a mover, as soon as it is known."""
        reading, writing = os.pipe()
        with open(reading) as told, open(os.devnull, "w") as output:  # noqa: PTH123 - a descriptor
            given = [order.fileno(), writing, output.fileno(), errors.fileno()]
            socket.send_fds(self._calls, [b"."], given)
            os.close(writing)
            yield told

    def close(self) -> None:
        """Let it end: it does when nobody can ask any more."""
        self._calls.close()
        self._process.wait()


@contextmanager
def loaded(*words: str) -> Iterator[Loaded]:
    """The process, until the block ends; with the word `hasty` its movers give up a silent store within a second."""
    started = _start(*words)
    try:
        yield started
    finally:
        started.close()


@cache
def patient() -> Loaded:
    """One for all tests of this process, with which it ends: its movers are as patient as those of pods."""
    return _start()


def _start(*words: str) -> Loaded:
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-P", str(_SERVER), str(theirs.fileno()), *words]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    return Loaded(ours, process)
