"""Running other programs and saying what goes on: progress to stderr, so that stdout stays data."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

_STARTED = time.monotonic()


class ClusterError(Exception):
    """What could not be done, why, and what to do about it."""


class ImpossibleHereError(ClusterError):
    """This machine cannot have a test cluster; tests that need one are skipped."""


def say(message: str) -> None:
    """One progress line with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:5.1f}s] {message}", file=sys.stderr, flush=True)


@contextmanager
def long_work(what: str, usually: str) -> Iterator[None]:
    """Says that something long begins, each minute that it still goes on, and that it has ended."""
    say(f"{what}: usually {usually}, once")
    begun, is_over = time.monotonic(), threading.Event()

    def remind() -> None:
        while not is_over.wait(60):
            say(f"{what}: still at it after {(time.monotonic() - begun) / 60:.0f} min (usually {usually})")

    threading.Thread(target=remind, daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
    say(f"{what}: done in {time.monotonic() - begun:.0f} s")


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
