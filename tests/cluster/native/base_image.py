"""The base image without a registry: a small Debian with Python 3.11, pip and venv, from Debian's packages
by debootstrap, under the name that our Dockerfile is given as its BASE on these machines."""

from __future__ import annotations

import shutil
from pathlib import Path

from cluster.cache import cache_folder, digest_of, one_at_a_time
from cluster.oci import Image, write_archive
from cluster.progress import long_work, run

BASE_IMAGE = Image(
    name="localhost/python:3.11-slim",
    command=("python3",),
    environment={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"},
)
RELEASE = "bookworm"
INCLUDED = ("python3", "python3-venv", "python3-pip", "ca-certificates")
# Raised when the recipe below changes.
_RECIPE = "1"
_DROPPED = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "var/log",
)


def base_key() -> str:
    """The key of the base image."""
    return digest_of([_RECIPE, BASE_IMAGE.name, RELEASE, *INCLUDED, *_DROPPED])


def build_base_image() -> Path:
    """The base image's OCI archive, made first if the cache does not have it."""
    archive = cache_folder() / f"python-{base_key()}.oci.tar"
    if archive.exists():
        return archive
    with one_at_a_time("base") as folder:
        if not archive.exists():
            _build(archive, folder / "base.unfinished")
    return archive


def _build(archive: Path, scratch: Path) -> None:
    # What a build that was cut off has left is of no use.
    shutil.rmtree(scratch, ignore_errors=True)
    root, layer = scratch / "root", scratch / "layer.tar"
    root.mkdir(parents=True)
    with long_work("building the Python base image with debootstrap", "a minute"):
        _bootstrap(root)
        run(["tar", "--sort=name", "--numeric-owner", "-C", root, "-cf", layer, "."])
        write_archive(BASE_IMAGE, layer, archive)
    shutil.rmtree(scratch)


def _bootstrap(root: Path) -> None:
    # In a mount namespace of its own: what it mounts goes with it, however it ends.
    run(
        [
            "unshare",
            "--mount",
            "debootstrap",
            "--variant=minbase",
            f"--include={','.join(INCLUDED)}",
            RELEASE,
            root,
        ]
    )
    for name in _DROPPED:
        shutil.rmtree(root / name, ignore_errors=True)
    (root / "var/log").mkdir()
    # As in the usual Python images, the program is also called python.
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    # Debian's marker would make every `pip install` in a Dockerfile fail.
    for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    # The host's resolver and name were copied in; a container is given its own.
    (root / "etc/resolv.conf").write_text("")
    (root / "etc/hostname").write_text("")
