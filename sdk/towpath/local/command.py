"""One container's command as a child process, under the rules that `towpath_mover/launcher.sh` keeps in pods.

A command that was told to stop is killed when its grace is over, and never counts as a success, whatever it makes of
the signal; one that takes longer than its limit is stopped likewise. Its end is told in one line: CODE [REASON].
Standard library only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

_NOWHERE, _ENGINE_SECONDS = subprocess.DEVNULL, 20
EMPTY, NOT_EXECUTABLE, NOT_FOUND, TIMED_OUT, TERMINATED = 125, 126, 127, 124, 143


class Ending(NamedTuple):
    """How a command ended; `said` is the line for the publisher, `reason` a kubelet's word for it."""

    code: int
    said: str = ""
    reason: str = ""


class Command:
    """A container's command; `stop` may come from any thread, also before it runs."""

    def __init__(self, container: dict[str, Any]) -> None:
        self._argv: list[str] = container["argv"]
        self._env: dict[str, str] = container["env"]
        self._cwd, self._log = container["cwd"], Path(container["log"])
        self._limit: float | None = container.get("limit")
        self._grace: float = container.get("grace") or 0
        # Of a container engine: what ends its container, and what takes away what is left of it.
        self._kill_words: list[str] = container.get("kill") or []
        self._tidy_words: list[str] = container.get("tidy") or []
        # Only a step's own end is judged by these rules: a mover's exit code says what became of it.
        self._is_judged = container["role"] == "step"
        self._child: subprocess.Popen[bytes] | None = None
        self._why = ""
        self._lock = threading.RLock()
        self._timers: list[threading.Timer] = []

    def run(self) -> Ending:
        """Run it to its end."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            code = self._start(log)
            if self._child is not None:
                self._after(self._limit, lambda: self.stop("timeout"))
                code = self._child.wait()
            with self._lock:
                for timer in self._timers:
                    timer.cancel()
            if self._why:
                self.tidy()
            return self._judge(128 - code if code < 0 else code)

    def stop(self, why: str) -> None:
        """Tell it to end; what does not in time is killed."""
        with self._lock:
            self._why = self._why or why
            if self._child is None or self._child.poll() is not None:
                return
            self._child.send_signal(signal.SIGTERM)
            if self._is_judged:
                self._after(self._grace, self._kill)

    def tidy(self) -> None:
        """Take away what an engine may have left."""
        if self._tidy_words:
            _run(self._tidy_words)

    def _kill(self) -> None:
        if self._kill_words:
            _run(self._kill_words)
        elif self._child is not None:
            self._child.kill()

    def _start(self, log: Any) -> int:
        """Start the child; the exit code where there is none."""
        with self._lock:
            if self._why:
                return TERMINATED
            if not self._argv:
                return self._refuse(log, EMPTY, "the step's command is empty; name it in 'command'")
            program = self._argv[0]
            try:
                self._child = self._popen(log)
            except PermissionError:
                return self._refuse(log, NOT_EXECUTABLE, f"the command {program!r} is not executable")
            except FileNotFoundError:
                path = self._env.get("PATH", "")
                return self._refuse(log, NOT_FOUND, f"the command {program!r} was not found in PATH={path}")
            except OSError as error:
                words = f"the command {program!r} could not be started: {error.strerror}"
                return self._refuse(log, NOT_EXECUTABLE, words)
        return 0

    def _popen(self, log: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._argv,
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _refuse(self, log: Any, code: int, words: str) -> int:
        _write(log, words)
        return code

    def _after(self, seconds: float | None, action: Any) -> None:
        if seconds is not None:
            timer = threading.Timer(seconds, action)
            timer.daemon = True
            self._timers.append(timer)
            timer.start()

    def _judge(self, code: int) -> Ending:
        if not self._is_judged:
            return Ending(code)
        if self._why == "timeout":
            code = TIMED_OUT
            with self._log.open("ab") as log:
                words = f"the command was stopped, it ran longer than timeoutSeconds={self._limit:g}"
                _write(log, words)
        elif self._why and code == 0:
            code = TERMINATED
        return Ending(code, f"{code}{' ' + self._why if self._why else ''}\n")


def _run(words: list[str]) -> None:
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(words, stdout=_NOWHERE, stderr=_NOWHERE, timeout=_ENGINE_SECONDS, check=False)


def _write(log: Any, words: str) -> None:
    log.write(f"towpath: {words}\n".encode())
    log.flush()
    os.fsync(log.fileno())
