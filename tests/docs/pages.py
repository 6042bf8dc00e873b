"""A page as its reader works through it: the files that it shows, and the commands that it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FILE = re.compile(r"^`([\w./-]+)`:\n\n```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def write_files(page: str, folder: Path) -> list[str]:
    """Write every file that the page shows under its name; their names."""
    found = _FILE.findall((ROOT / page).read_text())
    for name, text in found:
        (folder / name).write_text(text)
    return [name for name, _ in found]


def commands(page: str) -> list[str]:
    """Every line of every block of commands, in order."""
    blocks = _COMMANDS.findall((ROOT / page).read_text())
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def python_blocks(page: str) -> list[str]:
    """Every block of Python."""
    return _PYTHON.findall((ROOT / page).read_text())


def said(command: list[str] | str, folder: Path) -> str:
    """Run a command in the folder as a reader would, who has installed Towpath; what it wrote to standard output."""
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environ,
        shell=isinstance(command, str),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout
