"""A pod's manifest and the folder that is its own → what `pod.py` runs: each container's words, variables and files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from towpath.flow import names
from towpath.local.engine import engine_step
from towpath.local.objects import ObjectFolder
from towpath.local.places import LocalPlaces
from towpath.local.variables import environment, words
from towpath_mover.pod_paths import (
    AS_CONTAINER,
    AS_PROCESS,
    LOCAL_VARIABLE,
    ROOT_VARIABLE,
    TERMINATION_LOG_VARIABLE,
)
from towpath_operator.jobs.settings import POD_ROOT

Container = dict[str, Any]

# What a process needs of its machine, and no more: an image would not have the rest either.
_OF_THE_MACHINE = (
    "LANG",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "SYSTEMROOT",
)
_BEGINNINGS = ("LC_", "CUDA_", "NVIDIA_", "SSL_CERT_")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_MOVER = (sys.executable, "-P", "-m", "towpath_mover")
# launcher_command: busybox sh launcher LIMIT GRACE COMMAND…
_LAUNCHED = 5


class PodPlace(NamedTuple):
    """Where one pod runs: its folder, where its logs go, and the token that stands for the folder in its manifest.

    `engine` is that of the container in which its step runs; without one, the step is a process.
    """

    folder: Path
    logs: Path
    token: str
    engine: str | None = None

    def seen(self, text: str) -> str:
        """A text of the manifest, as the step is to have it."""
        return text.replace(self.token, POD_ROOT if self.engine else str(self.folder))


def pod_order(
    pod: Mapping[str, Any], place: PodPlace, objects: ObjectFolder, places: LocalPlaces
) -> dict[str, Any]:
    """The document of `pod.json`; NotThereError where a variable is to come from what does not exist."""
    spec, meta = pod["spec"], pod["metadata"]
    given = [(one, "init") for one in spec.get("initContainers") or ()]
    given += [(one, _role(one)) for one in spec["containers"]]
    has_launcher = any(role == "publish" for _, role in given)
    ordered = []
    for container, role in given:
        variables = environment(container, meta, objects) | _index_of(meta)
        common: Container = {
            "name": container["name"],
            "role": role,
            "log": str(place.logs / f"{container['name']}.log"),
        }
        ordered.append(
            common
            | (
                _step(container, variables, place, (pod, places), has_launcher=has_launcher)
                if role == "step"
                else _mover(container, variables, place)
            )
        )
    return {"containers": ordered}


def _index_of(meta: Mapping[str, Any]) -> dict[str, str]:
    # Which place of its Job a pod has; the Job controller gives that to each container.
    index = meta["labels"].get(names.INDEX_LABEL)
    return {} if index is None else {names.INDEX_VARIABLE: index}


def _role(container: Mapping[str, Any]) -> str:
    roles = {names.STEP_CONTAINER: "step", names.PUBLISH_CONTAINER: "publish"}
    return roles.get(container["name"], "mover")


def _step(
    container: Mapping[str, Any],
    variables: Mapping[str, str],
    place: PodPlace,
    surroundings: tuple[Mapping[str, Any], LocalPlaces],
    *,
    has_launcher: bool,
) -> Container:
    pod, places = surroundings
    given = [*(container.get("command") or ()), *(container.get("args") or ())]
    limit = grace = ""
    if has_launcher:
        # As the launcher does in a pod.
        variables = _with_python(variables, f"{place.token}/bin/python")
        limit, grace, *given = given[_LAUNCHED - 2 :]
    argv = [place.seen(word) for word in words(given, variables)]
    theirs = {name: place.seen(value) for name, value in variables.items()}
    work = place.folder / "work"
    work.mkdir(exist_ok=True)
    common: Container = {
        "argv": argv,
        "env": theirs,
        "cwd": str(work),
        "limit": float(limit) if limit else None,
        "grace": float(grace) if grace else 0.0,
    }
    if place.engine:
        return common | engine_step(place.engine, container, pod, place.folder, common)
    own = {"HOME": str(work), "TMPDIR": str(place.folder / "tmp")}
    return common | {"env": _of_the_machine(places) | own | theirs}


def _with_python(variables: Mapping[str, str], folder: str) -> dict[str, str]:
    own = variables.get("PYTHONPATH")
    return {**variables, "PYTHONPATH": f"{own}{os.pathsep}{folder}" if own else folder}


def _mover(container: Mapping[str, Any], variables: dict[str, str], place: PodPlace) -> Container:
    report = place.folder / f"report-{container['name']}"
    ours = {
        ROOT_VARIABLE: str(place.folder),
        LOCAL_VARIABLE: AS_CONTAINER if place.engine else AS_PROCESS,
        TERMINATION_LOG_VARIABLE: str(report),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOWPATH_")}
    is_publish = container["name"] == names.PUBLISH_CONTAINER
    return {
        "argv": [*_MOVER, "publish" if is_publish else container["command"][-1]],
        "env": kept | variables | ours,
        "cwd": str(place.folder),
        "report": str(report),
    }


def _of_the_machine(places: LocalPlaces) -> dict[str, str]:
    wanted = {*_OF_THE_MACHINE, *_PROXIES}
    kept = {
        name: value for name, value in os.environ.items() if name in wanted or name.startswith(_BEGINNINGS)
    }
    own = Path(sys.executable).parent
    folders = [str(places.programs), str(own), os.environ.get("PATH") or os.defpath]
    return kept | {"PATH": os.pathsep.join(folders)}


def place_programs(places: LocalPlaces) -> None:
    """`python` and `python3` of a step are the interpreter that runs Towpath, whatever the machine calls so."""
    places.programs.mkdir(parents=True, exist_ok=True)
    for name in ("python", "python3"):
        program = places.programs / name
        new = program.with_name(f".{name}.new")
        # Not a link: an interpreter finds its environment by the path that it was called by.
        new.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        new.chmod(0o755)
        new.replace(program)
