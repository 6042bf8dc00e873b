"""Movers as processes that begin at once: forked from one that has loaded everything, for tests that start hundreds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mover.pods import Ended, Pod, ended

# A store that stays away is given up within a second, not within minutes.
_SERVE = """
import json, os, sys
from functools import partial
from towpath_mover import __main__, export, open_stores, publish, retry, store_s3, stores
retry.FIRST_PAUSE = 0.01
haste = stores.TRANSFER._replace(retries=0, tries=2)
open_stores.open_store = partial(stores.open_store, patience=haste)
for line in sys.stdin:
    arguments, environ, errors = json.loads(line)
    child = os.fork()
    if not child:
        os.dup2(os.open(errors, os.O_CREAT | os.O_TRUNC | os.O_WRONLY), 2)
        os._exit(__main__.main(arguments, environ))
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forked:
    """Runs one mover at a time, in its own process: its exit code is that of the process, negative for a signal."""

    def __init__(self, server: subprocess.Popen[str]) -> None:
        self._server = server

    def publish(self, pod: Pod, has_begun: Callable[[int], None] = lambda _: None) -> Ended:
        """Run `publish` of a step that ended well; `has_begun` is told the process as soon as there is one."""
        return self.run(("publish", "0\n."), pod.environ, pod.root, has_begun)

    def run(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        root: Path,
        has_begun: Callable[[int], None] = lambda _: None,
    ) -> Ended:
        """Run a mover whose folders lie below `root`."""
        errors = root / "errors"
        self._say([arguments, environ, str(errors)])
        has_begun(int(self._heard()))
        return ended(root, int(self._heard()), errors.read_text())

    def _say(self, order: Sequence[object]) -> None:
        assert self._server.stdin
        self._server.stdin.write(f"{json.dumps(order)}\n")
        self._server.stdin.flush()

    def _heard(self) -> str:
        assert self._server.stdout
        return self._server.stdout.readline()


@contextmanager
def forked_movers(folder: Path) -> Iterator[Forked]:
    """A process to fork from, until the block ends."""
    command = [sys.executable, "-c", _SERVE]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True) as server:
        yield Forked(server)
