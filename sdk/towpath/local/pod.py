"""`python -m towpath.local.pod FOLDER`: one pod as a process that runs its containers, and takes them along at its end.

It reads `pod.json` of its folder, tells in JSON lines what becomes of each container, and hears on its input when to
stop. The end of its input means that nobody is left who wants to know: everything is killed then.
Standard library only, and little of it: each step waits for this to start.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from towpath.local.command import Command, Ending
from towpath.local.descendants import adopt, kill_descendants

Container = dict[str, Any]

_NOT_RUN = 143
_TELLING = threading.Lock()


class Pod:
    """The containers of one pod, in their order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._containers: list[Container] = json.loads((folder / "pod.json").read_text())["containers"]
        self._running: list[Command] = []
        self._lock = threading.RLock()
        self._stopping = False

    def run(self) -> None:
        """Run all of them: first what prepares, then the step and its publisher, or movers side by side."""
        for container in self._of("init"):
            if self._run(container).code != 0:
                return
            _make_read_only(self._folder / "inputs")
        step, publish = self._of("step"), self._of("publish")
        if step:
            self._run_step(step[0], publish)
            return
        threads = [threading.Thread(target=self._run, args=(one,)) for one in self._of("mover")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def stop(self, grace_seconds: float) -> None:
        """Tell what runs to end; after the grace nothing is left of it."""
        with self._lock:
            self._stopping = True
            for command in self._running:
                command.stop("terminated")
        timer = threading.Timer(grace_seconds, self._end)
        timer.daemon = True
        timer.start()

    def tidy(self) -> None:
        """Take away what engines run of it, which are no processes of this one."""
        for command in list(self._running):
            command.tidy()

    def _end(self) -> None:
        self.tidy()
        _end_all()

    def _of(self, role: str) -> list[Container]:
        return [one for one in self._containers if one["role"] == role]

    def _run_step(self, step: Container, publish: list[Container]) -> None:
        _number_the_shard(step, self._folder)
        for container in publish:
            # In a pod it waits beside the step from the beginning.
            _tell(container, "running")
        ending = self._run(step)
        # A container's processes end with the first of them.
        kill_descendants()
        for container in publish:
            self._run(container | {"argv": [*container["argv"], f"{ending.said}."]}, is_told=False)

    def _run(self, container: Container, *, is_told: bool = True) -> Ending:
        command = Command(container)
        with self._lock:
            if self._stopping and container["role"] != "publish":
                command.stop("terminated")
            self._running.append(command)
        if is_told:
            _tell(container, "running")
        ending = command.run()
        with self._lock:
            self._running.remove(command)
        told = {"exitCode": ending.code, "message": _message(container, ending)}
        _tell(container, "terminated", told | ({"reason": ending.reason} if ending.reason else {}))
        return ending


def _tell(container: Container, state: str, more: dict[str, Any] | None = None) -> None:
    line = json.dumps({"container": container["name"], "state": state} | (more or {}))
    try:
        # Movers side by side tell from threads, and a line and its end are two writes.
        with _TELLING:
            print(line, flush=True)  # noqa: T201
    except BrokenPipeError:
        _end_all()


def _message(container: Container, ending: Ending) -> str:
    """Its last words: its report, or of one that failed the end of its log."""
    report = Path(container["report"]) if container.get("report") else None
    if report is not None and report.exists():
        return report.read_bytes()[:4096].decode(errors="replace")
    if ending.code == 0:
        return ""
    with Path(container["log"]).open("rb") as log:
        log.seek(max(0, log.seek(0, os.SEEK_END) - 2048))
        return log.read().decode(errors="replace")


def _number_the_shard(step: Container, folder: Path) -> None:
    number = folder / "bin/shard"
    if number.exists():
        shard = number.read_text().strip()
        step["env"] |= {"TOWPATH_SHARD": shard, "JOB_COMPLETION_INDEX": shard}


def _make_read_only(inputs: Path) -> None:
    for folder, _, files in os.walk(inputs, topdown=False):
        for name in files:
            path = os.path.join(folder, name)  # noqa: PTH118 - there may be a hundred thousand
            if not os.path.islink(path):  # noqa: PTH114
                os.chmod(path, os.stat(path).st_mode & ~0o222)  # noqa: PTH101, PTH116
        os.chmod(folder, os.stat(folder).st_mode & ~0o222)  # noqa: PTH101, PTH116


def _end_all() -> None:
    kill_descendants()
    os._exit(_NOT_RUN)


def _listen(pod: Pod) -> None:
    for line in sys.stdin:
        pod.stop(float(line))
    pod.tidy()
    _end_all()


def main(folder: str) -> None:
    """Run the pod of this folder to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _end_all())
    os.umask(0o022)
    adopt()
    pod = Pod(Path(folder))
    threading.Thread(target=_listen, args=(pod,), daemon=True).start()
    pod.run()
    kill_descendants()


if __name__ == "__main__":
    main(sys.argv[1])
    sys.stdout.flush()
    os._exit(0)
