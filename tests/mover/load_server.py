"""The process that movers of tests are forked from: `load_server.py SOCKET [hasty]`, started by loaded.py.

It has loaded all that movers load, and never opened a store: its children begin where a new process is ready to begin.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from functools import partial
from importlib import import_module
from typing import NoReturn

from towpath_mover import __main__ as entry_point
from towpath_mover import open_stores, retry, stores

# What only some movers load, and these only when they need it.
LATE = (
    "copied_sources",
    "direct_stream",
    "export_claim",
    "s3_listing",
    "staged_rows",
    "store_s3",
    "store_volume",
    "view",
)


def main() -> None:
    """Load everything, then fork until nobody can ask any more."""
    for name in (*entry_point.MOVERS, *LATE):
        import_module(f"towpath_mover.{name.replace('-', '_')}")
    if "hasty" in sys.argv:
        _be_hasty()
    # Nobody waits for the attendants.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    calls = socket.socket(fileno=int(sys.argv[1]))
    while received := socket.recv_fds(calls, 1, 4)[1]:
        if not os.fork():
            _attend(*received)
        for descriptor in received:
            os.close(descriptor)


def _be_hasty() -> None:
    """A store that stays away is given up within a second, not within minutes."""
    retry.FIRST_PAUSE = 0.01
    haste = stores.TRANSFER._replace(retries=0, tries=2)
    vars(open_stores)["open_store"] = partial(stores.open_store, patience=haste)


def _attend(order: int, told: int, output: int, errors: int) -> NoReturn:
    """Fork a mover, and tell its number, then its exit code and the most bytes that it held."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mover = os.fork()
    if not mover:
        _move(order, output, errors)
    os.write(told, b"%d\n" % mover)
    _, status, used = os.wait4(mover, 0)
    os.write(told, b"%d\n%d\n" % (os.waitstatus_to_exitcode(status), used.ru_maxrss * 1024))
    os._exit(0)


def _move(order: int, output: int, errors: int) -> NoReturn:
    """What `python -m towpath_mover` does with these arguments in this environment."""
    with open(order, closefd=False) as opened:
        arguments, environ = json.load(opened)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(environ)
    code = entry_point.main(arguments, os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
