"""What a node could leave behind on the host, found and removed: links, cgroups, folders, mount points."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

from cluster.native.inside import COVERED, cgroup_folders
from cluster.native.layout import HOST_LINK, NODE_LINK, Layout
from cluster.native.links import has_link
from cluster.progress import run
from cluster.waiting import wait_until


def make_mount_points(layout: Layout) -> None:
    """Makes the folders that the node covers, and remembers those that were not there before."""
    made = [path for path in COVERED if not Path(path).exists()]
    for path in made:
        Path(path).mkdir(parents=True)
    with _made_list(layout).open("a") as notes:
        notes.writelines(f"{path}\n" for path in made)


def find_leftovers(layout: Layout) -> list[str]:
    """Everything of a node that is still there, in words."""
    links = [f"link {name}" for name in (HOST_LINK, NODE_LINK) if has_link(name)]
    cgroups = [f"cgroup {folder}" for folder in cgroup_folders() if folder.exists()]
    folders = [f"folder {folder}" for folder in (layout.state, layout.sockets) if folder.exists()]
    marks = (str(layout.state), str(layout.sockets))
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    mounted = [f"mount {path}" for path in mounts if path.startswith(marks)]
    return links + cgroups + folders + mounted + _processes(marks)


def _processes(marks: tuple[str, ...]) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if any(mark in command for mark in marks):
            found.append(f"process {entry.parent.name} ({command[:60]})")
    return found


def remove_leftovers(layout: Layout) -> None:
    """Removes what an ended node left, in the order in which it can go."""
    for name in (HOST_LINK, NODE_LINK):
        if has_link(name):
            run(["ip", "link", "delete", name])
    for folder in cgroup_folders():
        _remove_cgroup(folder)
    _remove_mount_points(layout)
    for folder in (layout.state, layout.sockets):
        if folder.exists():
            shutil.rmtree(folder)


def _remove_cgroup(folder: Path) -> None:
    # Deepest first; a group can go once the kernel has done with its last process.
    inner = [path for path in folder.rglob("*") if path.is_dir()] if folder.exists() else []
    for path in [*sorted(inner, key=lambda path: -len(path.parts)), *([folder] if folder.exists() else [])]:
        wait_until(partial(_is_removed, path), 10)


def _is_removed(path: Path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _remove_mount_points(layout: Layout) -> None:
    notes = _made_list(layout)
    for path in notes.read_text().split() if notes.exists() else []:
        if Path(path).is_dir() and not any(Path(path).iterdir()):
            Path(path).rmdir()


def _made_list(layout: Layout) -> Path:
    return layout.state / "made-folders"
