"""A pod's volumes and what its movers mount of them → files, folders and links below the pod's own root."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from towpath.backend import Kind
from towpath.flow import names
from towpath.local.objects import ObjectFolder
from towpath.local.places import LocalPlaces
from towpath.local.variables import NotThereError, contents
from towpath_operator.jobs.settings import POD_ROOT

_SECRET_MODE = 0o600


def place_volumes(pod: Mapping[str, Any], root: Path, objects: ObjectFolder, places: LocalPlaces) -> None:
    """Make everything that the pod's movers find below /towpath; the step itself has no mounts."""
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or ()}
    for container in [*(pod.get("initContainers") or ()), *pod["containers"]]:
        if container["name"] == names.STEP_CONTAINER:
            continue
        for mount in container.get("volumeMounts") or ():
            inside = mount["mountPath"].removeprefix(f"{POD_ROOT}/")
            if inside != mount["mountPath"]:
                _place(volumes[mount["name"]], mount, root / inside, objects, places)
    (root / "tmp").mkdir(exist_ok=True)


def link_into_work(pod: Mapping[str, Any], root: Path) -> None:
    """Let a step that is a process find the ports that lie below its working directory: where a pod mounts them."""
    for container in pod["containers"]:
        for mount in container.get("volumeMounts") or ():
            inside = mount["mountPath"].removeprefix(f"{names.CONTAINER_WORK}/")
            if container["name"] == names.STEP_CONTAINER and inside != mount["mountPath"]:
                link = root / "work" / inside
                link.parent.mkdir(parents=True, exist_ok=True)
                if not link.is_symlink():
                    link.symlink_to(root / mount["name"] / (mount.get("subPath") or ""))


def _place(
    volume: Mapping[str, Any],
    mount: Mapping[str, Any],
    target: Path,
    objects: ObjectFolder,
    places: LocalPlaces,
) -> None:
    if source := volume.get("persistentVolumeClaim"):
        _link(source["claimName"], mount.get("subPath") or "", target, objects, places)
        return
    target.mkdir(parents=True, exist_ok=True)
    if source := volume.get("secret"):
        _write(contents(objects, Kind.SECRET, source["secretName"]) or {}, target, _SECRET_MODE)
    elif source := volume.get("configMap"):
        data = contents(objects, Kind.CONFIG_MAP, source["name"])
        if data is None and not source.get("optional"):
            raise NotThereError(f"there is no ConfigMap {source['name']!r} in this workspace")
        _write(_chosen(data or {}, source.get("items")), target)


def _chosen(data: Mapping[str, bytes], items: Any) -> Mapping[str, bytes]:
    return data if items is None else {item["path"]: data[item["key"]] for item in items}


def _write(files: Mapping[str, bytes], folder: Path, mode: int = 0o644) -> None:
    for name, content in files.items():
        file = folder / name
        file.touch(mode=mode)
        file.write_bytes(content)


def _link(claim: str, below: str, target: Path, objects: ObjectFolder, places: LocalPlaces) -> None:
    if target.is_symlink():
        return
    folder = folder_of_claim(claim, objects, places) / below
    folder.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.symlink(folder, target)  # noqa: PTH211


def folder_of_claim(claim: str, objects: ObjectFolder, places: LocalPlaces) -> Path:
    """The folder that stands for a claim: what a Datastore of it says."""
    for datastore in objects.list_objects(Kind.DATASTORE):
        if (datastore["spec"].get("persistentVolumeClaim") or {}).get("claimName") == claim:
            folder = (datastore["metadata"].get("annotations") or {}).get(names.LOCAL_FOLDER_ANNOTATION)
            if folder is not None:
                return places.root / str(folder)
    raise NotThereError(f"no folder of this machine stands for the claim {claim!r}")
