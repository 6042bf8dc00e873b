"""A step's container → the words of a container engine: its image, with the folders that a pod would mount, at the
places where a pod has them. So `mountPath` and a literal `/towpath/` hold, and an image's own command is honoured.
"""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from towpath.errors import UserErrorException
from towpath.flow import names
from towpath_operator.jobs.settings import POD_ROOT

ENGINES = ("podman", "docker")
# Further words for `run`, such as limits that a machine does not let an engine raise.
ARGUMENTS_VARIABLE = "TOWPATH_ENGINE_ARGUMENTS"
# Variables by which an engine's own process would be led astray: they are written out, others are only named.
_OF_THE_ENGINE = ("HOME", "PATH", "TMPDIR", "USER", "LOGNAME", "SHELL")
_BEGINNINGS = ("XDG_", "DOCKER_", "CONTAINER", "LD_", "DBUS_", "REGISTRY_", "STORAGE_")


def check_engine(name: str) -> None:
    """Raise UserErrorException if this engine is not known, or not here."""
    if name not in ENGINES or shutil.which(name) is None:
        here = [engine for engine in ENGINES if shutil.which(engine)]
        advice = (
            f"Name one that is here ({', '.join(here)})" if here else f"Install one of {', '.join(ENGINES)}"
        )
        raise UserErrorException(f"There is no container engine {name!r} here. {advice}, or none.")


def engine_of(run: Mapping[str, Any]) -> str | None:
    """The engine that a run asks for; None: its steps are processes."""
    annotations = (run.get("metadata") or {}).get("annotations") or {}
    return annotations.get(names.LOCAL_ENGINE_ANNOTATION) or None


def engine_step(
    engine: str, container: Mapping[str, Any], pod: Mapping[str, Any], folder: Path, step: Mapping[str, Any]
) -> dict[str, Any]:
    """What an engine changes of a step that was to be a process: how it is run, killed, and tidied up after."""
    name, argv = f"towpath-{folder.name}", list(step["argv"])
    words = [engine, "run", "--rm", "--name", name, "--network", "host", *_user(engine)]
    words += shlex.split(os.environ.get(ARGUMENTS_VARIABLE, ""))
    if container.get("workingDir"):
        words += ["--workdir", container["workingDir"]]
    for place, target in _mounts(container, pod, folder):
        words += ["--volume", f"{place}:{target}"]
    named, environ = _variables(step["env"])
    words += named
    if container.get("command"):
        # Without it, the image's own.
        words += ["--entrypoint", argv.pop(0)]
    return {
        "argv": [*words, container["image"], *argv],
        "env": environ,
        "cwd": str(folder),
        "kill": [engine, "kill", name],
        "tidy": [engine, "rm", "--force", name],
    }


def _variables(variables: Mapping[str, str]) -> tuple[list[str], dict[str, str]]:
    """The words that name a step's variables, and the environment of the engine's process that has their values."""
    words, environ = [], dict(os.environ)
    for name, value in variables.items():
        if name in _OF_THE_ENGINE or name.startswith(_BEGINNINGS):
            words += ["--env", f"{name}={value}"]
        else:
            words += ["--env", name]
            environ[name] = value
    return words, environ


def _user(engine: str) -> list[str]:
    if engine == "podman" and os.getuid() != 0:
        return ["--userns", "keep-id"]
    return ["--user", f"{os.getuid()}:{os.getgid()}"]


def _mounts(container: Mapping[str, Any], pod: Mapping[str, Any], folder: Path) -> Iterator[tuple[Path, str]]:
    """Folders of this machine and where the step has them: as its pod mounts them, and where its words name them."""
    places = _places_of_volumes(pod, folder)
    for mount in container.get("volumeMounts") or ():
        place = places.get(mount["name"])
        if place is not None:
            read_only = ":ro" if mount.get("readOnly") else ""
            yield place / (mount.get("subPath") or ""), f"{mount['mountPath']}{read_only}"
    named = [mount["mountPath"] for mount in container.get("volumeMounts") or ()]
    for inside, read_only in (("inputs", ":ro"), ("outputs", ""), ("outputs-elsewhere", "")):
        target = f"{POD_ROOT}/{inside}"
        if (folder / inside).is_dir() and target not in named:
            yield folder / inside, f"{target}{read_only}"


def _places_of_volumes(pod: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """Where movers have the pod's volumes, which are below /towpath there."""
    places: dict[str, Path] = {}
    for container in [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]:
        for mount in container.get("volumeMounts") or ():
            inside = mount["mountPath"].removeprefix(f"{POD_ROOT}/")
            if inside != mount["mountPath"] and "subPath" not in mount:
                places.setdefault(mount["name"], folder / inside)
    return places
