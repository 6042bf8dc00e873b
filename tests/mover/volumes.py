"""Volumes without a kubelet: a folder stands for the mounted claim, and whoever shares it writes there directly."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from towpath.flow.planned import CLAIM
from towpath.flow.planned_datastores import PlannedDatastore
from towpath_mover.store_volume import VolumeStore
from towpath_mover.stores import TRANSFER, Datastore, Kind, Places, open_store

LOCATION = {"claimName": "data", "subPath": "team-a"}
NOBODY = 65534


def a_claim(*, read_only: bool = False) -> PlannedDatastore:
    """The datastore as a plan has it."""
    return PlannedDatastore("default", LOCATION, CLAIM, read_only)


def mounted(root: Path) -> Path:
    """Where a pod below this root has the volume."""
    folder = root / "volumes/default"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def a_volume(root: Path) -> VolumeStore:
    """The open store of the volume in a pod below this root."""
    mounted(root)
    datastore = Datastore("default", Kind.PERSISTENT_VOLUME_CLAIM, LOCATION)
    return cast(
        "VolumeStore", open_store(datastore, Places(root / "c", root / "ca", root / "volumes"), TRANSFER)
    )


def keys_of(store: VolumeStore, prefix: str = "") -> list[str]:
    """The keys that a listing shows, in its order."""
    return [found.key for found in store.list_objects(prefix)]


@contextmanager
def a_file_system(folder: Path, options: str) -> Iterator[None]:
    """A small file system of its own, mounted there."""
    if os.getuid() != 0:
        pytest.skip("only root may mount a file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "towpath-test", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def as_nobody() -> Iterator[None]:
    """What root does in here is judged as another user's."""
    if os.getuid() != 0:
        pytest.skip("only root may act as another user")
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
