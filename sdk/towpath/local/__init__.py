"""Runs without a cluster: the same pipelines, passes, movers and digests, with a folder `.towpath` for a namespace.

Importing this package loads nothing: each step's pod is a process that imports one module of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PLACES = {
    "LocalBackend": "backend",
    "Started": "running",
    "Wanted": "running",
    "apply_folder": "datastores",
    "follow_run": "running",
    "init": "init",
    "open_backend": "backend",
    "outputs_of": "replay",
    "replay": "replay",
    "run_pipeline": "running",
    "start_run": "running",
}
__all__ = sorted(_PLACES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
