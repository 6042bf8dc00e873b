"""Towpath's own image: built from the Dockerfile with buildah when something that it is made of changed, and
brought to the cluster. Its tag is the digest of its sources, so that clones of the repository share a cluster.
`python -m cluster.towpath_image build|load`, which `make image load` calls."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cluster.access import REPOSITORY
from cluster.cache import cache_folder, digest_of
from cluster.native.base_image import BASE_IMAGE, base_key, build_base_image
from cluster.oci import write_derived_image
from cluster.progress import ClusterError, run, say
from cluster.providers import choose_provider

IMAGE_REPOSITORY = "localhost/towpath/towpath"
NEXT_MARK = "a mover of the next release"
# Of the archives, each of some 120 MB, so many of the newest are kept.
_KEPT = 8
_FILES = ("Dockerfile", ".dockerignore", "pyproject.toml")
_PACKAGES = ("sdk", "operator")
# The machine's certificates, for a way out with an authority of its own; nothing of them stays in the image.
_BUILD = (
    "buildah",
    "bud",
    "--layers",
    "--isolation",
    "chroot",
    "--volume",
    "/etc/ssl/certs:/etc/ssl/certs:ro",
)


def image_key(folder: Path = REPOSITORY) -> str:
    """The key of the image: the digest of all that it is made of."""
    sources = [path for name in _PACKAGES for path in sorted((folder / name).rglob("*"))]
    kept = [path for path in sources if path.is_file() and "__pycache__" not in path.parts]
    files = [folder / name for name in _FILES] + kept
    named = [part for path in files for part in (path.relative_to(folder).as_posix(), path)]
    return digest_of([IMAGE_REPOSITORY, base_key(), *named])


@cache
def image_name() -> str:
    """The image of the sources as this process found them: what pods are made of, whatever is edited meanwhile."""
    return f"{IMAGE_REPOSITORY}:{image_key()}"


def build_image() -> Path:
    """The image's OCI archive, built first if it is not that of the sources as they are."""
    with _one_at_a_time():
        archive = cache_folder() / f"{image_name().rpartition('/')[2].replace(':', '-')}.oci.tar"
        if not archive.exists():
            _build(archive)
    archive.touch()
    return archive


def _build(archive: Path) -> None:
    image = image_name()
    say(f"building {image}: about 70 s the first time, then 15 s")
    _know_base()
    run([*_BUILD, "--build-arg", f"BASE={BASE_IMAGE.name}", "--tag", image, REPOSITORY])
    unfinished = archive.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    run(["buildah", "push", "--quiet", image, f"oci-archive:{unfinished}:{image}"])
    unfinished.rename(archive)
    archives = sorted(cache_folder().glob("towpath-*.oci.tar"), key=lambda found: found.stat().st_mtime)
    for older in archives[:-_KEPT]:
        older.unlink()
    say(f"{image} is in {archive.name}, {archive.stat().st_size / 1e6:.0f} MB compressed")


def _know_base() -> None:
    archive = build_base_image()
    if not run(["buildah", "images", "--quiet", "--filter", f"reference={BASE_IMAGE.name}"]).strip():
        run(["buildah", "pull", "--quiet", f"oci-archive:{archive}:{BASE_IMAGE.name}"])


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "towpath-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@cache
def load_image() -> None:
    """Once in a process: makes the image of the sources as they are usable by pods."""
    archive, provider = build_image(), choose_provider()
    # Of several processes that want it at once, one brings it; its tag says that it is the right one.
    with _one_at_a_time():
        if not provider.has_image(image_name()):
            provider.load_image(archive, image_name())
    say(f"{image_name()} is on the cluster")


@cache
def load_next_image() -> str:
    """Makes the image of a next release usable by pods: ours, whose movers say NEXT_MARK in their logs. Its name."""
    name = f"{image_name()}-next"
    archive, provider = build_image(), choose_provider()
    files = {"opt/project/sitecustomize.py": f"import sys; print({NEXT_MARK!r}, file=sys.stderr)\n".encode()}
    with _one_at_a_time():
        if not provider.has_image(name):
            derived = archive.with_suffix(".next")
            write_derived_image(archive, name, files, derived)
            provider.load_image(derived, name)
            derived.unlink()
    return name


def main(arguments: list[str]) -> int:
    """Does one command; the exit code."""
    if arguments not in (["build"], ["load"]):
        print("usage: python -m cluster.towpath_image build|load", file=sys.stderr)
        return 2
    try:
        build_image() if arguments == ["build"] else load_image()
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
