"""What options and surroundings say → the Backend of that place; a cluster's client is loaded only for a cluster."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from towpath.backend import Backend
from towpath.workspace_config import find_place


@dataclass(frozen=True)
class Where:
    """A namespace of a cluster, or the workspace of a folder."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    folder: Path | None = None


def connect(where: Where) -> Backend:
    """The Backend of a place; raises TowpathError where it cannot be entered."""
    told = completed(where, Path.cwd())
    if told.folder is not None:
        return _opener("towpath.local")(told.folder)
    return _opener("towpath.cluster")(told.namespace, told.context, told.kubeconfig)


def completed(where: Where, start: Path) -> Where:
    """What options leave open as `towpath init` wrote it into this folder or one above; else it stays open."""
    if where.folder is not None:
        return where
    place = find_place(start)
    if place is None:
        return where
    if place.local is not None:
        return where if where != Where() else Where(folder=Path(place.local))
    kubeconfig = Path(place.kubeconfig) if place.kubeconfig else None
    return Where(
        where.namespace or place.namespace, where.context or place.context, where.kubeconfig or kubeconfig
    )


def _opener(module: str) -> Callable[..., Backend]:
    opener: Callable[..., Backend] = importlib.import_module(module).open_backend
    return opener
