"""Images on the node: the pause image that every pod needs, and bringing an archive into the runtime."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cluster.cache import cache_folder, digest_of, files_below
from cluster.native.binary import find_go
from cluster.native.layout import PAUSE_IMAGE, Layout
from cluster.oci import Image, write_program_image
from cluster.progress import run

SOURCES = Path(__file__).parents[1] / "images"
STATIC_STEP_IMAGE = "localhost/towpath-tests/static-step:1"
_BUILD = ("build", "-trimpath", "-ldflags", "-s -w")


def build_pause() -> Path:
    """The archive of the pause image: one static program that waits to be told to end."""
    return _program_image("pause", Image(PAUSE_IMAGE, entrypoint=("/pause",), user="65535:65535"))


def build_static_step() -> Path:
    """The archive of an image that holds one static program and nothing else, to be a step in tests."""
    return _program_image("static-step", Image(STATIC_STEP_IMAGE, entrypoint=("/static-step",)))


def _program_image(name: str, image: Image) -> Path:
    sources = SOURCES / name
    key = digest_of(["go", *_BUILD, repr(image), *files_below(sources)])
    folder = cache_folder() / f"{name}-{key}"
    archive = folder / f"{name}.oci.tar"
    if archive.exists():
        return archive
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "CGO_ENABLED": "0"}
    run([find_go(), *_BUILD, "-o", folder / name, sources / "main.go"], environment=environment)
    return write_program_image(image, folder / name, archive)


def import_image(layout: Layout, archive: Path) -> None:
    """Makes the images of an OCI archive known to the node's container runtime."""
    run([*_ctr(layout), "images", "import", archive])


def image_names(layout: Layout) -> list[str]:
    """The images that the node has."""
    return run([*_ctr(layout), "images", "list", "--quiet"]).split()


def pin_image(ctr: Sequence[str], name: str) -> str:
    """Give an image of the runtime that this `ctr` speaks to a name by its digest, as if a registry had been asked."""
    listed = (line.split() for line in run([*ctr, "images", "list"]).splitlines())
    digests = {words[0]: word for words in listed for word in words if word.startswith("sha256:")}
    pinned = f"{name.rpartition(':')[0]}@{digests[name]}"
    if pinned not in digests:
        run([*ctr, "images", "tag", name, pinned])
    return pinned


def pin_on_node(layout: Layout, name: str) -> str:
    """The same on the native node."""
    return pin_image(_ctr(layout), name)


def _ctr(layout: Layout) -> list[str]:
    return ["ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io"]
