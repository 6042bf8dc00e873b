"""Starts and ends a `native` cluster in every way that happens, and prints what was seen as JSON. Run by
test_lifecycle.py on a second machine: `python -m cluster.apart python -m cluster.lifecycle`."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from cluster.native.component import load_components
from cluster.native.inside import TUNABLES
from cluster.native.layout import Layout
from cluster.native.leftovers import find_leftovers
from cluster.native.native import NativeProvider
from cluster.native.readiness import await_stages, stages
from cluster.progress import say
from cluster.waiting import wait_until

_LAYOUT = Layout()


def main() -> None:
    """The whole life, once."""
    provider = NativeProvider()
    before = _host()
    seen: dict[str, Any] = {"seconds_up": _timed(provider.up)}
    seen["changed_on_the_host"] = sorted(_host() ^ before)
    seen["seconds_found"] = _timed(provider.up)
    seen["recovered"] = [component.name for component in _components() if _recovers(component.name)]
    seen["components"] = [component.name for component in _components()]
    provider.down()
    seen["left"] = find_leftovers(_LAYOUT)
    seen["resumed"] = _resumes(provider)
    provider.down()
    json.dump(seen, sys.stdout)


def _host() -> set[str]:
    """What a node must not change: the mounts and the kernel's settings."""
    tunables = [Path("/proc/sys") / name for name in TUNABLES]
    values = {f"{path} = {path.read_text().strip()}" for path in tunables if path.exists()}
    return values | set(Path("/proc/self/mounts").read_text().splitlines())


def _timed(work: Any) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _components() -> Any:
    return load_components(_LAYOUT.plan.read_text())


def _recovers(name: str) -> bool:
    """Whether all stages are done again after a component was killed."""
    say(f"killing {name}")
    (command,) = (component.command for component in _components() if component.name == name)
    killed = _processes(command)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    is_new = wait_until(lambda: bool(_processes(command) - killed), 60)
    await_stages(_LAYOUT, stages(_LAYOUT))
    return bool(killed) and is_new


def _processes(command: list[str]) -> set[int]:
    """Those that run a command, also where its program sets a node up and then becomes another."""
    entries = Path("/proc").glob("[0-9]*/cmdline")
    found = {int(entry.parent.name): entry.read_text(errors="replace").split("\0")[:-1] for entry in entries}
    return {pid for pid, words in found.items() if words == command or _is_end_of(words[1:], command)}


def _is_end_of(arguments: list[str], command: list[str]) -> bool:
    return len(arguments) > 1 and command[-len(arguments) :] == arguments


def _resumes(provider: NativeProvider) -> bool:
    """Whether a start that was cut off is gone on with, in the same node."""
    starter = multiprocessing.Process(target=provider.up)
    starter.start()
    wait_until(_LAYOUT.identity.exists, 30)
    starter.kill()
    starter.join()
    half_built = _LAYOUT.identity.read_text()
    provider.up()
    return _LAYOUT.identity.read_text() == half_built


if __name__ == "__main__":
    main()
