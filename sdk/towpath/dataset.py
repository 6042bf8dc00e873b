"""Dataset: where datasets are made and looked up. In a step, a lookup gives the staged files of the step's input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from towpath.errors import DefinitionError
from towpath.factories import FileDatasetFactory, TabularDatasetFactory
from towpath.file_dataset import FileDataset
from towpath.spelling import checks_keywords
from towpath.tabular_dataset import TabularDataset

if TYPE_CHECKING:
    from towpath.workspace import Workspace


class Dataset:
    """Makes datasets (`Dataset.File`, `Dataset.Tabular`) and looks up those that are registered."""

    File = FileDatasetFactory
    Tabular = TabularDatasetFactory

    @staticmethod
    @checks_keywords
    def get_by_name(workspace: Workspace, name: str, version: int | str = "latest") -> Any:
        """Return a registered dataset; without a version, a pipeline takes the latest when its run starts.

        In a step (`run.experiment.workspace`) it is what the step takes as an input, as a StagedDataset.
        """
        return workspace.find_dataset(name, _number(version))

    @staticmethod
    @checks_keywords
    def get_by_id(workspace: Workspace, id: str) -> Any:  # noqa: A002 - Azure ML's keyword
        """Return the registered dataset one of whose versions has this digest."""
        return workspace.find_dataset_by_digest(id)

    @staticmethod
    @checks_keywords
    def get_all(workspace: Workspace) -> dict[str, FileDataset | TabularDataset]:
        """Return the latest version of every registered dataset, by name."""
        return dict(workspace.datasets)


def _number(version: int | str) -> int | None:
    if version == "latest":
        return None
    try:
        number = int(version)
    except ValueError:
        number = 0
    if isinstance(version, bool) or number < 1:
        raise DefinitionError(f"version is a number from 1, or 'latest', not {version!r}.")
    return number
