"""A place in a datastore, in the forms that the article and its users write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Union

from towpath.archives import ArchiveOptions
from towpath.errors import DefinitionError
from towpath.flow import names
from towpath.inputs import InputPort
from towpath.port_names import port_name
from towpath.spelling import checks_keywords, one_of
from towpath.view import InPlace

if TYPE_CHECKING:
    from towpath.datastore import Datastore

# What `path` takes everywhere: a URL, a place, or a tuple (datastore, path).
OnePlace = Union["str", "DataPath", "tuple[Any, str]"]


class DataPath:
    """A file, folder or glob in a datastore. The name is for people; it decides nothing."""

    @checks_keywords
    def __init__(
        self,
        datastore: Datastore | str | None = None,
        path_on_datastore: str | None = None,
        name: str | None = None,
    ) -> None:
        """Name the datastore (the object, or its name) and the path in it; no path is all of it."""
        if datastore is None:
            raise DefinitionError("DataPath needs a datastore: DataPath(datastore, 'iris.csv').")
        self.datastore = datastore
        self.datastore_name: str = datastore if isinstance(datastore, str) else datastore.name
        self.path_on_datastore = _checked_path(path_on_datastore)
        self.name: str = name or f"{self.datastore_name}_{self.path_on_datastore or 'all'}"

    @property
    def datastore_object(self) -> str:
        """The name of the datastore's object."""
        return names.object_name(self.datastore_name)

    def parameter_text(self, parameter: str) -> str:
        """Return what a run's `params` holds for it."""
        if not self.path_on_datastore:
            raise DefinitionError(
                f"The parameter {parameter} needs a path in {self.datastore_name}, not all of it."
            )
        return self.path_on_datastore

    def input_port(self) -> InputPort:
        """Return the input that the place is by itself, named after it."""
        return InputPort(port_name(self.name), InPlace({"sources": sources_of(self)}))

    def __repr__(self) -> str:
        """Show both parts."""
        return f"{type(self).__name__}({self.datastore_name!r}, {self.path_on_datastore!r})"


class DataReference(DataPath):
    """Azure ML's older DataPath, with the mode and name of the input that it becomes."""

    @checks_keywords
    def __init__(
        self,
        datastore: Datastore | str,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,  # noqa: ARG002 - a staged input's folder is always fresh
    ) -> None:
        """Name the place, and how a step gets it. `overwrite` means nothing: an input's folder is always fresh."""
        super().__init__(datastore, path_on_datastore, data_reference_name)
        self.data_reference_name = data_reference_name or self.name
        self.mode = one_of("mode", mode, ("mount", "download"))
        self.path_on_compute = path_on_compute

    def as_mount(self) -> DataReference:
        """Return the same place, mounted."""
        return self._as("mount", self.path_on_compute)

    def as_download(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:  # noqa: ARG002
        """Return the same place, downloaded."""
        return self._as("download", path_on_compute)

    def input_port(self) -> InputPort:
        """Return the input that it is, under its name and in its mode."""
        origin = InPlace({"sources": sources_of(self)})
        mode = self.mode.capitalize()
        return InputPort(port_name(self.data_reference_name), origin, (), mode, self.path_on_compute)

    def _as(self, mode: str, path_on_compute: str | None) -> DataReference:
        return DataReference(
            self.datastore_name, self.data_reference_name, self.path_on_datastore, mode, path_on_compute
        )


class DataPathComputeBinding:
    """How a step gets a DataPath: the second half of a tuple with it, or with a PipelineParameter that holds one."""

    @checks_keywords
    def __init__(
        self,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,  # noqa: ARG002 - a staged input's folder is always fresh
    ) -> None:
        """Choose the mode. `overwrite` means nothing: an input's folder is always fresh."""
        self.mode = one_of("mode", mode, ("mount", "download"))
        self.path_on_compute = path_on_compute


def sources_of(
    path: OnePlace | list[OnePlace],
    archive: ArchiveOptions | None = None,
    partition_format: str | None = None,
) -> list[dict[str, Any]]:
    """Return the `sources` of a dataset, for all that `path` may be."""
    places = path if isinstance(path, list) else [path]
    if not places or any(place is None or place == "" for place in places):
        raise DefinitionError(
            "path is empty: give a URL, a DataPath, a tuple (datastore, path), or a list of them."
        )
    common: dict[str, Any] = {} if archive is None else {"archive": archive.as_field()}
    if partition_format is not None:
        common["partitionFormat"] = partition_format
    return [{**_source_of(place), **common} for place in places]


def data_path_of(place: object) -> DataPath:
    """Return the DataPath that a tuple (datastore, path) or a DataPath is; `(datastore,)` is all of it."""
    if isinstance(place, DataPath):
        return place
    if isinstance(place, tuple) and 1 <= len(place) <= 2:
        return DataPath(*place)
    raise DefinitionError(f"{place!r} is no place: give a DataPath, or a tuple (datastore, path).")


def _source_of(place: OnePlace) -> dict[str, Any]:
    if isinstance(place, str):
        return {"url": _checked_url(place)}
    found = data_path_of(place)
    return {"path": found.path_on_datastore or "**", "datastore": found.datastore_object}


def _checked_url(text: str) -> str:
    if text.startswith(("http://", "https://")):
        return text
    kind = text.partition("://")[0] if "://" in text else None
    if kind:
        raise DefinitionError(
            f"{text!r}: files are copied from http:// and https://, not from {kind}://. Register a Datastore and give "
            "(datastore, path)."
        )
    raise DefinitionError(
        f"{text!r} is no URL. A path in a datastore is (datastore, {text!r}); a folder of this machine goes to a "
        "datastore first: Dataset.File.upload_directory, or `towpath add dataset NAME FOLDER`."
    )


def _checked_path(path: str | None) -> str:
    text = (path or "").removeprefix("./").strip("/") if path not in (None, "/", ".", "./") else ""
    if path and path.startswith("/") and text:
        raise DefinitionError(f"{path!r}: a path in a datastore has no leading slash. Write {text!r}.")
    if any(part in ("..", ".", "") for part in text.split("/")) and text:
        raise DefinitionError(f"{path!r}: a path in a datastore has no parts that are empty, . or ..")
    return text
