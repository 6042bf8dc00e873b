"""In a step: the datasets that it takes as inputs, by their names, as the files that were staged in.

Standard library only; no credentials, no network.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from towpath.errors import NotFoundError, UnknownNameError, UserErrorException
from towpath.flow import names
from towpath.spelling import checks_keywords, near


class StagedDataset:
    """A registered dataset in a step: the version that was pinned when the run started, at `path`."""

    def __init__(self, name: str, given: dict[str, Any]) -> None:
        """Show what an input holds."""
        self.name = name
        self.path: str = given["path"]
        self.version: int | None = given.get("version")
        self.id: str | None = given.get("digest")
        self.transforms: list[Any] = given.get("transforms", [])

    def to_path(self) -> list[str]:
        """Return the paths of its files below `path`, sorted, each with a leading slash."""
        return [f"/{path}" for path in sorted(self._files())]

    @checks_keywords
    def download(
        self,
        target_path: str | None = None,
        overwrite: bool = False,
        ignore_not_found: bool = False,  # noqa: ARG002 - what was staged is there
    ) -> list[str]:
        """Return the paths of its files, copied to `target_path` where that is given: they are here already."""
        files = self._files()
        if target_path is None:
            return [str(file) for _, file in sorted(files.items())]
        target = Path(target_path)
        taken = [path for path in files if (target / path).exists()]
        if taken and not overwrite:
            raise UserErrorException(
                f"{target / taken[0]} is there already: give another target_path, or overwrite=True."
            )
        return [str(_copied(file, target / path)) for path, file in sorted(files.items())]

    @contextmanager
    def mount(self, mount_point: str | None = None) -> Iterator[str]:  # noqa: ARG002 - it is staged already
        """Give the path of its files: nothing has to be mounted."""
        yield self.path

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        """Return its rows as a pandas DataFrame, read by the files' extensions; the step's image needs pandas."""
        from towpath.staged_frame import read_frame  # noqa: PLC0415 - pandas is never needed otherwise

        return read_frame(self._files(), strict="fail" in (on_error, out_of_range_datetime))

    def _files(self) -> dict[str, Path]:
        place = Path(self.path)
        if place.is_file():
            return {place.name: place}
        return {file.relative_to(place).as_posix(): file for file in place.rglob("*") if file.is_file()}

    def __getattr__(self, name: str) -> NoReturn:
        """Say of what only pipelines have where it belongs."""
        raise AttributeError(
            f"A dataset in a step has no {name}: its files are at `path`. Samples, splits and registration belong into "
            "the script that defines the pipeline."
        )

    def __repr__(self) -> str:
        """Show name, version and path."""
        return f"StagedDataset({self.name!r}, version={self.version}, path={self.path!r})"


class StepWorkspace:
    """The workspace as a step sees it: the datasets among its inputs, and nothing else."""

    def __init__(self, context: dict[str, Any]) -> None:
        """Show what a context file says."""
        self.name = self.namespace = context.get("namespace", "")
        self._inputs: dict[str, dict[str, Any]] = context["inputs"]
        self._step = context["step"]

    @property
    def datasets(self) -> Mapping[str, StagedDataset]:
        """The registered datasets that the step takes, by name."""
        taken = dict.fromkeys(given["dataset"] for given in self._inputs.values() if "dataset" in given)
        return _Datasets(self, {name: self.find_dataset(name, None) for name in taken})

    def find_dataset(self, name: str, number: int | None) -> StagedDataset:
        """Return an input of the step by the name of its dataset; an error shows what to add."""
        wanted = names.object_name(name)
        found = {port: given for port, given in self._inputs.items() if given.get("dataset") == wanted}
        if not found:
            self._refuse(name)
        whole = [given for given in found.values() if not given.get("transforms")]
        if len(found) > 1 and not whole:
            raise UserErrorException(
                f"The step takes parts of the dataset {name} as {', '.join(found)}: take one by its input's name, "
                f"run.input_datasets[{next(iter(found))!r}]."
            )
        given = whole[0] if whole else next(iter(found.values()))
        if number not in (None, given.get("version")):
            raise NotFoundError(
                f"The run has pinned version {given.get('version')} of {name}: give the input version {number}."
            )
        return StagedDataset(name, given)

    def find_dataset_by_digest(self, digest: str) -> StagedDataset:
        """Return the input whose content has this digest."""
        for given in self._inputs.values():
            if given.get("digest") == digest:
                return StagedDataset(str(given.get("dataset")), given)
        raise NotFoundError(f"No input of step {self._step} has the digest {digest}.")

    def _refuse(self, name: str) -> NoReturn:
        known = [given["dataset"] for given in self._inputs.values() if "dataset" in given]
        raise NotFoundError(
            f"Step {self._step} does not take the dataset {name}, so it is not here. Add it where the step is defined: "
            f"inputs=[Dataset.get_by_name(workspace, {name!r})], or in YAML inputs: [{{name: "
            f"{name.lower().replace('-', '_')}}}]. {near(names.object_name(name), known)}"
        )

    def __getattr__(self, name: str) -> NoReturn:
        """Say that a step has no way to the store or the cluster."""
        raise AttributeError(
            f"In a step a workspace has no {name}: a step has neither credentials nor a token. Take data as inputs, "
            "and write data to outputs."
        )


class _Datasets(dict):  # type: ignore[type-arg]
    """The datasets of a step by name, in both forms."""

    def __init__(self, workspace: StepWorkspace, found: dict[str, StagedDataset]) -> None:
        super().__init__(found)
        self._workspace = workspace

    def __missing__(self, name: str) -> StagedDataset:
        try:
            return self._workspace.find_dataset(name, None)
        except NotFoundError as error:
            raise UnknownNameError(str(error)) from error


def _copied(file: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
    return target
