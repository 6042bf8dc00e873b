"""Runs a command as if on a second machine: network, processes, mounts, cgroups and state folders of its own.
So a test may start and end a whole `native` cluster without touching the one that others use.

`python -m cluster.apart COMMAND…`, as root; ends with the command's exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from cluster.native.inside import CGROUP_ROOT
from cluster.progress import run

_GROUP = "towpath-apart"
_NAMESPACES = (
    "--cgroup",
    "--mount",
    "--net",
    "--pid",
    "--uts",
    "--ipc",
    "--fork",
    "--mount-proc",
    "--kill-child",
)
_INSIDE = "--inside"
# What a cluster keeps lies below these; each is covered by an empty one.
_COVERED = ("/var/lib", "/run")


def main(arguments: list[str]) -> int:
    """The exit code of the command."""
    if arguments[0] == _INSIDE:
        _cover_the_machine()
        return subprocess.run(arguments[1:], check=False).returncode
    groups = _make_groups()
    again = [sys.executable, "-m", "cluster.apart", _INSIDE, *arguments]
    try:
        return subprocess.run(["unshare", *_NAMESPACES, *again], check=False).returncode
    finally:
        _leave(groups)


def _hierarchies() -> list[Path]:
    if (CGROUP_ROOT / "cgroup.controllers").exists():
        return [CGROUP_ROOT]
    return [entry for entry in sorted(CGROUP_ROOT.iterdir()) if entry.is_dir() and not entry.is_symlink()]


def _make_groups() -> list[Path]:
    """A cgroup per hierarchy, with this process in it: what unshare takes for the root from then on."""
    groups = [hierarchy / _GROUP for hierarchy in _hierarchies()]
    for group in groups:
        group.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            # The old cgroups take no process before they are told where it may run.
            if (group / name).exists() and not (group / name).read_text().strip():
                (group / name).write_text((group.parent / name).read_text())
        (group / "cgroup.procs").write_text(str(os.getpid()))
    return groups


def _leave(groups: list[Path]) -> None:
    for group in groups:
        (group.parent / "cgroup.procs").write_text(str(os.getpid()))
        # Fails, and so is noticed, when the cluster left a cgroup of its own.
        group.rmdir()


def _cover_the_machine() -> None:
    run(["mount", "--make-rprivate", "/"])
    for hierarchy in _hierarchies():
        kind = _mount_options(hierarchy)
        run(["umount", hierarchy])
        run(["mount", *kind, "none", hierarchy])
    for path in _COVERED:
        run(["mount", "-t", "tmpfs", "tmpfs", path])
    run(["ip", "link", "set", "lo", "up"])


def _mount_options(hierarchy: Path) -> list[str]:
    if (hierarchy / "cgroup.controllers").exists():
        return ["-t", "cgroup2"]
    named = {"systemd": "none,name=systemd"}
    return ["-t", "cgroup", "-o", named.get(hierarchy.name, hierarchy.name)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
