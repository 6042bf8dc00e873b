"""`python -m towpath` is the command, where its script is on no path."""

from __future__ import annotations

import subprocess
import sys


def test_the_package_can_be_run_as_the_command() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "towpath", "--help"], capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith("Usage: towpath ")
    assert " run " in told.stdout
