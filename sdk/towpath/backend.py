"""Where a workspace's objects live and its runs run: a namespace of a cluster, or a folder of this machine.

Everything the SDK and the CLI do goes through one `Backend`. `cluster.py` is the one over Kubernetes, `local/` the
one without: both hold the same documents under the same names, so that what reads them need not know which it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

Manifest = dict[str, Any]


class Kind(StrEnum):
    """The kinds that a user's programme reads or writes."""

    DATASTORE = "Datastore"
    DATASET = "Dataset"
    DATASET_VERSION = "DatasetVersion"
    PIPELINE = "Pipeline"
    PIPELINE_RUN = "PipelineRun"
    CONFIG_MAP = "ConfigMap"
    POD_TEMPLATE = "PodTemplate"
    SECRET = "Secret"  # noqa: S105  (a kind; written as the user, and never read)


class Container(StrEnum):
    """Whose log: the step's own, or one of the movers' beside it."""

    STAGE_IN = "stage-in"
    STEP = "step"
    PUBLISH = "publish"


@dataclass(frozen=True)
class LogLine:
    """One line of one container's log, without its newline."""

    step: str
    attempt: int
    container: Container
    text: str


@dataclass(frozen=True)
class Stored:
    """One object of a datastore: its path below the datastore's prefix, bytes, and what the store calls its content."""

    path: str
    size: int
    etag: str | None = None


class Store(Protocol):
    """The bytes of one datastore, as the laptop can reach them. Every path lies below the datastore's prefix."""

    def list_files(self, prefix: str) -> Iterator[Stored]:
        """Every object whose path starts with the prefix, in the order of paths."""

    def state(self, path: str) -> Stored:
        """What the store says of one object; NotFoundError names the path."""

    def read(
        self, path: str, start: int = 0, length: int | None = None, etag: str | None = None
    ) -> Iterator[bytes]:
        """The object's bytes from `start` on; NotFoundError names the path, ChangedError one with another etag."""

    def digest(self, path: str) -> str:
        """The SHA-256 of the object's bytes, in hex; taken where the bytes are, if somebody is there."""

    def write(self, path: str, chunks: Iterable[bytes], size: int) -> Stored:
        """Write the object whole or not at all."""

    def delete(self, path: str) -> None:
        """Delete the object, if it is there."""


class Backend(Protocol):
    """What a workspace can ask for. Names are those of objects (`names.py` maps a user's name to one)."""

    @property
    def where(self) -> str:
        """For people: `namespace team-a of cluster kind-dev`, or the folder."""

    @property
    def namespace(self) -> str:
        """The namespace; of a local workspace `local`."""

    def get(self, kind: Kind, name: str) -> Manifest | None:
        """The object, or None."""

    def list_objects(self, kind: Kind, labels: Mapping[str, str] | None = None) -> list[Manifest]:
        """All objects of the kind that have these labels, by name."""

    def create(self, manifest: Manifest) -> Manifest:
        """Make an object (`generateName` is honoured); AlreadyExistsError, InvalidObjectError names field and rule."""

    def apply(self, manifest: Manifest) -> Manifest:
        """Make the object or bring its spec to this; status and foreign fields stay."""

    def patch(self, kind: Kind, name: str, patch: Mapping[str, Any]) -> Manifest:
        """A JSON merge patch, as of a run's `cancel` or the `towpath.dev/requested-at` annotation."""

    def delete(self, kind: Kind, name: str) -> None:
        """Delete the object, if it is there."""

    def watch(self, kind: Kind, name: str, timeout_seconds: float | None = None) -> Iterator[Manifest]:
        """The object as it is, then each time it changed; ends at the timeout or when the object goes."""

    def plan_of(self, run: Manifest) -> dict[str, Manifest] | None:
        """The documents of the run's plan (`flow/documents.py`), or None before it is planned or after it is gone."""

    def logs(
        self, run: Manifest, step: str | None = None, container: Container | None = None, follow: bool = False
    ) -> Iterator[LogLine]:
        """Lines of the run's containers as far as they are kept; with `follow` until the run has ended."""

    def open_store(self, datastore: str, direct: bool = False) -> AbstractContextManager[Store]:
        """Enter a datastore: on a cluster through a mover pod, or `direct` with this machine's own credentials."""
