"""Datastore: a place that holds bytes, as a user's programme sees it; without its credentials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from towpath.backend import Kind, Manifest
from towpath.datapath import DataPath, DataReference
from towpath.errors import UserErrorException
from towpath.lookups import find, given_name
from towpath.spelling import checks_keywords

if TYPE_CHECKING:
    from towpath.workspace import Workspace


class Datastore:
    """A datastore of a workspace. `Datastore(workspace, name)` looks it up, as `Datastore.get` does."""

    workspace: Workspace
    manifest: Manifest
    name: str

    @checks_keywords
    def __init__(self, workspace: Workspace, name: str | None = None) -> None:
        """Look it up; without a name it is the one named `default`."""
        found = (
            find(workspace.backend, Kind.DATASTORE, name)
            if name
            else workspace.get_default_datastore().manifest
        )
        self.workspace = workspace
        self.manifest = found
        self.name = given_name(found)

    @classmethod
    def of(cls, workspace: Workspace, manifest: Manifest) -> Datastore:
        """Return the datastore that an object is."""
        made = cls.__new__(cls)
        made.workspace, made.manifest, made.name = workspace, manifest, given_name(manifest)
        return made

    @staticmethod
    @checks_keywords
    def get(workspace: Workspace, datastore_name: str) -> Datastore:
        """Return a datastore by name; the error lists what exists."""
        return Datastore(workspace, datastore_name)

    @staticmethod
    @checks_keywords
    def get_default(workspace: Workspace) -> Datastore:
        """Return the datastore named `default`."""
        return workspace.get_default_datastore()

    @staticmethod
    def register_azure_blob_container(workspace: Workspace, *arguments: Any, **keywords: Any) -> Datastore:
        """Make a Datastore on Azure Blob Storage; `datastores_azure.register` has Azure ML's keywords."""
        from towpath.azure_blob import register_azure_blob_container  # noqa: PLC0415 - its modules know this one

        return register_azure_blob_container(workspace, *arguments, **keywords)

    def set_as_default(self) -> None:
        """Refuse: the default datastore is the one that is named so."""
        self.workspace.set_default_datastore(self.name)

    def unregister(self) -> None:
        """Delete the Datastore object; never the data."""
        self.workspace.backend.delete(Kind.DATASTORE, self.object_name)

    @property
    def object_name(self) -> str:
        """The name of its object."""
        return str(self.manifest["metadata"]["name"])

    @property
    def datastore_type(self) -> str:
        """s3, azureBlob, gcs or persistentVolumeClaim."""
        kinds = ("s3", "azureBlob", "gcs", "persistentVolumeClaim")
        return next((kind for kind in kinds if kind in self.manifest.get("spec", {})), "local")

    @checks_keywords
    def path(self, path: str | None = None, data_reference_name: str | None = None) -> DataReference:
        """Return a place in it."""
        return DataReference(self, data_reference_name, path)

    @checks_keywords
    def upload(
        self,
        src_dir: str,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Upload what a folder holds to a folder of the datastore (its root where omitted).

        Files that are there with equal content are left; other content is an error unless `overwrite`.
        """
        from towpath.uploading import upload_folder  # noqa: PLC0415 - its modules know this one

        place = DataPath(self, target_path)
        upload_folder(self, Path(src_dir), place.path_on_datastore, None, overwrite, show_progress)
        return DataReference(self, None, place.path_on_datastore)

    @checks_keywords
    def upload_files(
        self,
        files: list[str],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Upload files; each lies below `target_path` as it lies below `relative_root` (their common folder)."""
        from towpath.uploading import upload_files  # noqa: PLC0415

        place = DataPath(self, target_path)
        upload_files(self, files, relative_root, place.path_on_datastore, overwrite, show_progress)
        return DataReference(self, None, place.path_on_datastore)

    @checks_keywords
    def download(
        self, target_path: str, prefix: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> int:
        """Download what begins with a prefix to a folder, each file under its whole path; return how many files."""
        from towpath.reading import download_prefix  # noqa: PLC0415

        return download_prefix(self, Path(target_path), prefix or "", overwrite, show_progress)

    def __getattr__(self, name: str) -> Any:
        """Say of what is not offered what to do instead."""
        if name.startswith("register_"):
            raise UserErrorException(f"Datastore.{name} is not offered: apply a manifest of kind Datastore.")
        raise AttributeError(f"A Datastore has no {name}.")

    def __repr__(self) -> str:
        """Show the name."""
        return f"Datastore({self.name!r})"
