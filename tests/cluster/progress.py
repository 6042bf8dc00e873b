"""Running other programs and saying what goes on: progress to stderr, so that stdout stays data."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_STARTED = time.monotonic()


class ClusterError(Exception):
    """What could not be done, why, and what to do about it."""


class ImpossibleHereError(ClusterError):
    """This machine cannot have a test cluster; tests that need one are skipped."""


def say(message: str) -> None:
    """One progress line with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:5.1f}s] {message}", file=sys.stderr, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """The standard output of a command; a ClusterError with the end of what it said if it fails."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=folder, env=environment, input=stdin, text=True, capture_output=True, check=False
        )
    except FileNotFoundError as missing:
        raise ClusterError(f"`{words[0]}` is not installed: {missing}") from missing
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise ClusterError(f"`{' '.join(words)[:300]}` ended with {done.returncode}:\n{said}")
    return done.stdout
