"""Servers of other people: built from Go modules and npm once, kept in the user's cache by what they are of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.cache import cache_folder, digest_of, one_at_a_time
from cluster.native.binary import find_go
from cluster.progress import ClusterError, long_work, run
from stores.node import Node, find_node

VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
FAKE_GCS = "github.com/fsouza/fake-gcs-server@v1.56.1"
GO_BUILD = ("install", "-trimpath", "-ldflags", "-s -w")
# The newest that runs on Node 20.
AZURITE = "azurite@3.35.0"
NPM_INSTALL = ("install", "--silent", "--no-audit", "--no-fund", "--omit=optional", AZURITE)

# Flask is what its server needs; all that it could imitate beside S3 would need much more.
MOTO = ("moto[s3]==5.2.5", "flask>=3,<4", "flask-cors>=6,<7")


def is_moto_installed() -> bool:
    """Whether the cache has it; else the tests that need it are long ones."""
    return _moto().exists()


def moto_command() -> list[str]:
    """The command of moto's server, installed first if need be, in a Python of its own."""
    program = _moto()
    try:
        with one_at_a_time("moto"):
            if not program.exists():
                _install_moto(program.parents[1])
    except ClusterError as why:
        pytest.skip(str(why))
    return [str(program), "-H", "127.0.0.1"]


def _install_moto(folder: Path) -> None:
    # A virtual environment cannot be moved: what is not whole is known by the program, which comes last.
    with long_work("installing moto from PyPI", "half a minute"):
        run([sys.executable, "-m", "venv", "--clear", folder])
        run([folder / "bin/pip", "install", "--quiet", *MOTO])


def _moto() -> Path:
    return cache_folder() / f"moto-{digest_of([*MOTO, sys.version])}" / "bin/moto_server"


def is_built(module: str) -> bool:
    """Whether the cache has this program of a Go module; else the tests that need it are long ones."""
    return _program(module).exists()


def go_program(module: str) -> Path:
    """The path of a program, built from its Go module first if need be; the test is skipped where there is no Go."""
    program = _program(module)
    try:
        with one_at_a_time(program.name):
            if not program.exists():
                environment = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(program.parent)}
                with long_work(f"building {module}", "2 minutes on two cores"):
                    run([find_go(), *GO_BUILD, module], environment=environment)
    except ClusterError as why:
        pytest.skip(str(why))
    return program


def _program(module: str) -> Path:
    name = module.partition("@")[0].rpartition("/")[2]
    return cache_folder() / f"{name}-{digest_of([*GO_BUILD, module])}" / name


def azurite_command() -> list[str]:
    """The command of Azurite's blob service, installed first if need be; the test is skipped where that fails."""
    folder = cache_folder() / f"azurite-{digest_of(NPM_INSTALL)}"
    try:
        node = find_node()
        with one_at_a_time("azurite"):
            if not folder.exists():
                _install_azurite(node, folder)
    except ClusterError as why:
        pytest.skip(str(why))
    return [node.program, str(folder / "node_modules/azurite/dist/src/blob/main.js")]


def _install_azurite(node: Node, folder: Path) -> None:
    # Renamed at the end: what was cut off leaves no half program behind.
    unfinished = folder.with_suffix(".unfinished")
    unfinished.mkdir(parents=True, exist_ok=True)
    with long_work(f"installing {AZURITE} from npm", "half a minute"):
        run([*node.npm, *NPM_INSTALL, "--prefix", unfinished], environment=node.environment())
    unfinished.rename(folder)


def launch(command: list[str | Path], folder: Path) -> subprocess.Popen[bytes]:
    """Start a server; what it says is in `server.log` of its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
