"""`python -m towpath_mover NAME`: runs one mover, leaves its report, and ends with the exit code of its class."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from towpath_mover import report
from towpath_mover.exits import Exit
from towpath_mover.failures import PACKAGES, MoverFailure, Reason, package_missing
from towpath_mover.pod_paths import termination_log

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
BUG = 1
USAGE = 2
TOLD_TO_STOP = 128 + signal.SIGTERM
MOVERS = {
    "stage-in": "place a step's inputs, code and launcher in its pod",
    "publish": "publish a step's outputs if it ended well: publish SAID, what came through the FIFO, and a dot",
    "mount": "mount a datastore into a step's pod for as long as the pod lives",
    "probe": "try whether a datastore can be used as it is described",
    "take-inventory": "list the sources of a dataset",
    "count-views": "count the files and bytes of parts of inventories",
    "export": "copy a published output to a place of the user's choice",
    "merge": "make one output of what the shards of a step have published",
    "verify-outputs": "look whether outputs of earlier steps are still there",
    "find-result": "find what an attempt published whose pod is gone",
    "serve": "give and take a datastore's bytes through the pod's loopback, for a laptop",
    "sweep": "delete what nothing refers to any more, and write the records of runs that are to go",
}

Mover = Callable[[Sequence[str], Mapping[str, str]], report.Report]


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the mover that the first argument names, and return the process's exit code."""
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(_usage())
        return Exit.OK
    if not arguments or arguments[0] not in MOVERS:
        given = f"there is no mover {arguments[0]!r}" if arguments else "name a mover"
        sys.stderr.write(f"towpath_mover: {given}\n{_usage()}")
        return USAGE
    # As PID 1 a process without a handler would not even notice. `publish` has one of its own.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(TOLD_TO_STOP))
    code, words = _run(arguments[0], arguments[1:], environ)
    report.write(words, termination_log(environ))
    return code


def _run(name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> tuple[int, report.Report]:
    try:
        # Only the one that runs is loaded: each step waits for two of them to start.
        mover: Mover = import_module(f"towpath_mover.{name.replace('-', '_')}").run
        return Exit.OK, report.success(mover(arguments, environ))
    except MoverFailure as failed:
        return _failed(failed)
    except BaseException as bug:
        if isinstance(bug, ModuleNotFoundError) and (bug.name or "").partition(".")[0] in PACKAGES:
            return _failed(package_missing(str(bug.name).partition(".")[0]))
        if isinstance(bug, OSError) and bug.errno in _DISK_FULL:
            return _failed(_disk_full(bug))
        # Also a panic of the store's client, which is no Exception.
        traceback.print_exc()
        said = (
            f"{type(bug).__name__}: {bug}. This is a bug of Towpath; the container's log has the traceback."
        )
        return BUG, report.failure("Bug", said)


def _failed(failed: MoverFailure) -> tuple[int, report.Report]:
    sys.stderr.write(f"{failed.reason}: {failed.message}\n")
    return failed.exit, report.failure(failed.reason, failed.message)


def _disk_full(error: OSError) -> MoverFailure:
    where = f"{error.filename!r}" if error.filename else "one of the mover's own files"
    message = f"The disk is full: {where} could not be written ({error.strerror})."
    return MoverFailure(
        Reason.DISK_FULL, f"{message} Give the step more ephemeral storage, or make room on the node."
    )


def _usage() -> str:
    listed = "\n".join(f"  {name:15} {what}" for name, what in MOVERS.items())
    return (
        f"usage: python -m towpath_mover NAME\nMovers are started by Towpath's operator, in pods.\n{listed}\n"
    )


if __name__ == "__main__":
    # Not sys.exit: threads of an abandoned transfer must not hold up the end, and everything is written.
    code = main(sys.argv[1:], os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
