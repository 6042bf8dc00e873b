"""What the node's supervisor needs to know of a component: how to start it, and after what."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Component:
    """One long-running program of the node."""

    name: str
    command: Sequence[str]
    needs_api: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def flags(**values: str | int | Path) -> list[str]:
    """Long flags from keywords: secure_port=6443 becomes --secure-port=6443."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


def dump_components(components: Sequence[Component]) -> str:
    """The components as the supervisor reads them."""
    return json.dumps([asdict(component) for component in components], indent=1)


def load_components(text: str) -> list[Component]:
    """The components that dump_components wrote."""
    return [Component(**entry) for entry in json.loads(text)]
