"""A step's command as a process ends as it would under a pod's launcher, and says the same of its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from towpath.local.command import Command, Ending
from towpath.local.descendants import descendants_of
from towpath_mover.launcher import IMAGE_BUSYBOX, SOURCE, launcher_command

PYTHON = [sys.executable, "-c"]
ENDS_WELL_ON_TERM = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "print('there', flush=True)\n"
    "time.sleep(60)\n"
)
IGNORES_TERM = (
    "import signal, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('there', flush=True)\n"
    "time.sleep(60)\n"
)


def a_command(
    folder: Path, *argv: str, limit: float | None = None, grace: float = 5, role: str = "step"
) -> Command:
    """A command of a step, whose log lies in the folder."""
    log = str(folder / "step.log")
    return Command(
        {
            "argv": list(argv),
            "env": {"PATH": os.environ["PATH"]},
            "cwd": str(folder),
            "log": log,
            "role": role,
            "limit": limit,
            "grace": grace,
        }
    )


def stopped(command: Command, folder: Path) -> Ending:
    """How a command ends that is told to stop once it is there."""

    def stop() -> None:
        while not (folder / "step.log").exists() or b"there" not in (folder / "step.log").read_bytes():
            time.sleep(0.01)
        command.stop("terminated")

    threading.Thread(target=stop).start()
    return command.run()


def said_in_a_pod(folder: Path, *argv: str, limit: int | None = None) -> tuple[int, str]:
    """Exit code and line of the launcher that pods have."""
    if not Path(IMAGE_BUSYBOX).exists():
        pytest.skip("needs Debian's busybox-static")
    tools = folder / "bin"
    tools.mkdir()
    (tools / "busybox").symlink_to(IMAGE_BUSYBOX)
    (tools / "launcher").write_bytes(SOURCE.read_bytes())
    os.mkfifo(tools / "alive")
    launched = subprocess.Popen(
        launcher_command(argv, limit, 1, str(tools)), cwd=folder, stderr=subprocess.DEVNULL
    )
    said = (tools / "alive").read_text()
    return launched.wait(), said


@pytest.mark.parametrize(
    ("argv", "limit"),
    [
        (["true"], None),
        ([*PYTHON, "raise SystemExit(7)"], None),
        ([*PYTHON, "import os; os.kill(os.getpid(), 9)"], None),
        ([*PYTHON, "import os; os.kill(os.getpid(), 11)"], None),
        (["there-is-no-such-program"], None),
        (["./plain"], None),
        ([], None),
        (["sleep", "60"], 1),
        ([*PYTHON, ENDS_WELL_ON_TERM], 1),
        ([*PYTHON, IGNORES_TERM], 1),
    ],
)
def test_it_ends_and_says_what_a_pods_launcher_says(
    tmp_path: Path, argv: list[str], limit: int | None
) -> None:
    (tmp_path / "plain").write_text("no program")
    ending = a_command(tmp_path, *argv, limit=limit, grace=1).run()
    assert (ending.code, ending.said) == said_in_a_pod(tmp_path, *argv, limit=limit)


def test_a_command_that_was_told_to_stop_never_counts_as_a_success(tmp_path: Path) -> None:
    ending = stopped(a_command(tmp_path, *PYTHON, ENDS_WELL_ON_TERM), tmp_path)
    assert (ending.code, ending.said) == (143, "143 terminated\n")


def test_a_command_that_does_not_listen_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    began = time.monotonic()
    ending = stopped(a_command(tmp_path, *PYTHON, IGNORES_TERM, grace=0.5), tmp_path)
    assert (ending.code, ending.said) == (137, "137 terminated\n")
    assert 0.5 <= time.monotonic() - began < 10


def test_a_command_that_is_stopped_before_it_began_never_begins(tmp_path: Path) -> None:
    command = a_command(tmp_path, "touch", "begun")
    command.stop("terminated")
    assert command.run().said == "143 terminated\n"
    assert not (tmp_path / "begun").exists()


def test_a_movers_exit_code_is_left_as_it_is(tmp_path: Path) -> None:
    ending = stopped(a_command(tmp_path, *PYTHON, ENDS_WELL_ON_TERM, role="mover"), tmp_path)
    assert (ending.code, ending.said) == (0, "")


def test_descendants_are_found_however_they_left_their_parents() -> None:
    code = "import subprocess, sys, time; subprocess.Popen(['sleep', '60'], start_new_session=True); time.sleep(60)"
    with subprocess.Popen([*PYTHON, code]) as parent:
        deadline = time.monotonic() + 120
        while len(descendants_of(parent.pid)) < 1 and time.monotonic() < deadline:
            time.sleep(0.02)
        (below,) = descendants_of(parent.pid)
        assert b"sleep" in Path(f"/proc/{below}/cmdline").read_bytes()
        os.kill(below, 9)
        parent.kill()
