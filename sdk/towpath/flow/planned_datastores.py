"""How the pods of a run reach its datastores: how movers enter them, and by which mount steps read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ClaimMount:
    """A claim by which a step may read a datastore: at its top, or in a folder of it, lies what movers find there."""

    claim_name: str
    sub_path: str | None = None


@dataclass(frozen=True)
class InlineCsiMount:
    """A volume of a CSI driver in the pod itself. What movers find in the datastore lies below `folder` of it.

    `attributes` are as the driver gets them; `secret` is the Secret with which it enters the store.
    """

    driver: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = None
    folder: str = ""


@dataclass(frozen=True)
class SidecarMount:
    """Our own FUSE mount beside the step; its cache takes up to `cache_bytes` of the node's disk."""

    cache_bytes: int


PlannedMount = ClaimMount | InlineCsiMount | SidecarMount


@dataclass(frozen=True)
class PlannedDatastore:
    """How movers enter a datastore: `location` is its block of this kind (such as `s3`), without any credential.

    `mount` is how steps may read it without a copy.
    """

    name: str
    location: Mapping[str, Any]
    kind: str = "s3"
    read_only: bool = False
    credentials_secret: str | None = None
    ca_config_map: str | None = None
    mover_resources: Mapping[str, Any] = field(default_factory=dict)
    mount: PlannedMount | None = None
