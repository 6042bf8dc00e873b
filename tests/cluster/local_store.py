"""An S3 server of its own on loopback, for tests that need an object store and no cluster, nor root."""

from __future__ import annotations

import os
import random
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from cluster.access import S3
from cluster.progress import ClusterError
from cluster.store import STORE_ENVIRONMENT, Ports, is_s3_ready, render_identities, store_command
from cluster.waiting import wait_until
from cluster.weed import find_weed

_ATTEMPTS = 5
_SECONDS = 120
# Those who may do some things and not others. To the server, writing is deleting too.
ONLY = ("List", "Read", "Write", "List+Read", "List+Write", "Read+Write")


@contextmanager
def running_store(folder: Path) -> Iterator[S3]:
    """A server on free ports, with its data in the folder; killed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s3.json").write_text(render_identities(only=ONLY))
    process, s3 = _start(folder)
    try:
        yield s3
    finally:
        # Its orderly end takes 17 s, for data that is thrown away.
        process.kill()
        process.wait()


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], S3]:
    for attempt in range(_ATTEMPTS):
        ports = free_ports()
        data = folder / f"data-{attempt}"
        process = _launch(folder, data, ports)
        s3 = S3(endpoint=f"http://127.0.0.1:{ports.s3}")
        # On a busy machine it starts slowly, and anew not faster.
        ready = wait_until(partial(_is_decided, process, s3, data), _SECONDS)
        if ready and process.poll() is None:
            return process, s3
        # Another process may have taken a port in between: try others.
        process.kill()
        process.wait()
    said = (folder / "store.log").read_text(errors="replace")[-2000:]
    raise ClusterError(f"SeaweedFS did not start in {_ATTEMPTS} attempts:\n{said}")


def _is_decided(process: subprocess.Popen[bytes], s3: S3, data: Path) -> bool:
    # Whoever has taken the port answers there too: a socket in its own folder is only the server's own.
    is_own = (data / "s3.sock").exists()
    return process.poll() is not None or (is_own and is_s3_ready(s3.endpoint))


def _launch(folder: Path, data: Path, ports: Ports) -> subprocess.Popen[bytes]:
    data.mkdir()
    (data / "s3.json").write_text((folder / "s3.json").read_text())
    with (folder / "store.log").open("ab") as log:
        return subprocess.Popen(
            store_command(find_weed(), data, "127.0.0.1", "127.0.0.1", ports),
            cwd=data,
            env={**os.environ, **STORE_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def free_ports() -> Ports:
    """Ports that are free, and whose gRPC ports are; below the range that the kernel gives to clients."""
    while True:
        first = random.randrange(12_000, 22_000, 4)
        ports = Ports(s3=first, master=first + 1, volume=first + 2, filer=first + 3)
        if _are_free(ports.all()):
            return ports


def _are_free(ports: list[int]) -> bool:
    with ExitStack() as sockets:
        for port in ports:
            probe = sockets.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
