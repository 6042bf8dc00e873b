"""Workspace: where datastores, datasets and runs are; a namespace of a cluster, or a folder of this machine."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from towpath.backend import Backend, Kind
from towpath.dataset_lookup import AnyRegistered, dataset_of, find_by_digest, find_dataset
from towpath.datastore import Datastore
from towpath.errors import NotFoundError, UserErrorException
from towpath.flow import names
from towpath.lookups import ByName
from towpath.spelling import checks_keywords
from towpath.workspace_config import Place, read_place, write_place

if TYPE_CHECKING:
    from towpath.runs import PipelineRun


class Workspace:
    """Everything that a namespace holds. Nothing is asked of the cluster before it is needed."""

    def __init__(self, open_backend: Callable[[], Backend], place: Place | None = None) -> None:
        """Enter a place; users call `from_config`, `get` or `local`."""
        self._open = open_backend
        self._place = place or Place()
        self._backend: Backend | None = None

    @classmethod
    @checks_keywords
    def from_config(cls, path: str | Path | None = None, auth: None = None) -> Workspace:
        """Enter the workspace that a file names, looked for in the current directory and in all above it.

        `path` is a file, or the folder to begin with. Who one is says the kubeconfig, so `auth` is refused.
        """
        if auth is not None:
            raise UserErrorException(
                "auth is the kubeconfig's business: name its context in the workspace's file."
            )
        return cls._at(read_place(path, Path.cwd()))

    @classmethod
    @checks_keywords
    def get(cls, name: str, context: str | None = None, kubeconfig: str | None = None) -> Workspace:
        """Enter the namespace of this name, of the kubeconfig's current cluster unless another context is named."""
        return cls._at(Place(names.object_name(name), context, kubeconfig))

    @classmethod
    def local(cls, folder: str | Path = ".") -> Workspace:
        """Enter a folder of this machine as a workspace: the same pipelines, without a cluster."""
        return cls._at(Place(local=str(Path(folder).resolve())))

    @classmethod
    def create(cls, *_arguments: object, **_keywords: object) -> Workspace:
        """Refuse: namespaces are made by those who run the cluster."""
        raise UserErrorException(
            "A workspace is a namespace: `towpath init` prepares one, `towpath init --local` a folder."
        )

    @property
    def backend(self) -> Backend:
        """Where the objects live; connected at the first use."""
        if self._backend is None:
            self._backend = self._open()
        return self._backend

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self._place.local is not None

    @property
    def name(self) -> str:
        """The namespace's name."""
        return self.namespace

    @property
    def namespace(self) -> str:
        """The namespace; of a local workspace `local`."""
        return self.backend.namespace

    @property
    def datastores(self) -> ByName[Datastore]:
        """The datastores by name."""
        return ByName(self.backend, Kind.DATASTORE, lambda found: Datastore.of(self, found))

    @property
    def datasets(self) -> ByName[AnyRegistered]:
        """The latest version of each dataset, by name."""
        return ByName(self.backend, Kind.DATASET, lambda found: dataset_of(self, found))

    @property
    def compute_targets(self) -> ByName[str]:
        """The PodTemplates that a step may name as `compute_target`."""
        return ByName(self.backend, Kind.POD_TEMPLATE, lambda found: str(found["metadata"]["name"]))

    def get_default_datastore(self) -> Datastore:
        """Return the datastore named `default`."""
        found = self.backend.get(Kind.DATASTORE, names.DEFAULT_DATASTORE)
        if found is None:
            raise NotFoundError(
                f"There is no Datastore named default in {self.backend.where}. Make one named so: "
                "one, or apply a manifest of kind Datastore with that name."
            )
        return Datastore.of(self, found)

    def set_default_datastore(self, name: str) -> None:
        """Refuse: the default datastore is the one that is named so."""
        raise UserErrorException(
            f"The default datastore is the one named `default`: make a Datastore of that name for the place of {name}."
        )

    def get_run(self, run_id: str) -> PipelineRun:
        """Return a run by its name."""
        from towpath.runs import PipelineRun  # noqa: PLC0415 - runs know workspaces

        return PipelineRun.get(self, run_id)

    @checks_keywords
    def write_config(self, path: str | None = None, file_name: str | None = None) -> Path:
        """Write the workspace's file to `.towpath/` of a folder (the current one), for `from_config`."""
        return write_place(self._place, Path(path or "."), file_name or "config.json")

    def find_dataset(self, name: str, number: int | None) -> AnyRegistered:
        """Look a dataset up by name; without a number it stands for the latest version."""
        return find_dataset(self, name, number)

    def find_dataset_by_digest(self, digest: str) -> AnyRegistered:
        """Look a dataset up by the digest of one of its versions."""
        return find_by_digest(self, digest)

    @classmethod
    def _at(cls, place: Place) -> Workspace:
        return cls(lambda: _open(place), place)

    def __repr__(self) -> str:
        """Show the place."""
        return f"Workspace({self._place})"


def _open(place: Place) -> Backend:
    """Only now is a Kubernetes client loaded, or the local runner."""
    if place.local is not None:
        opened: Any = import_module("towpath.local").open_backend(Path(place.local))
        import_module("towpath.local.datastores").ensure_default(opened)
    else:
        cluster = import_module("towpath.cluster")
        opened = cluster.open_backend(place.namespace, kubeconfig=place.kubeconfig, context=place.context)
    backend: Backend = opened
    return backend
