"""What options and surroundings say → the Backend of that place; a cluster's client is loaded only for a cluster."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from towpath.backend import Backend


@dataclass(frozen=True)
class Where:
    """A namespace of a cluster, or the workspace of a folder."""

    namespace: str | None = None
    context: str | None = None
    kubeconfig: Path | None = None
    folder: Path | None = None


def connect(where: Where) -> Backend:
    """The Backend of a place; raises TowpathError where it cannot be entered."""
    if where.folder is not None:
        return _opener("towpath.local")(where.folder)
    return _opener("towpath.cluster")(where.namespace, where.context, where.kubeconfig)


def _opener(module: str) -> Callable[..., Backend]:
    opener: Callable[..., Backend] = importlib.import_module(module).open_backend
    return opener
