"""TabularDataset: records are rows of CSV, Parquet or JSON-lines files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from towpath.consumption import DatasetConsumptionConfig, warn_if_tabular
from towpath.dataset_base import AnyDataset, mount_or_download
from towpath.errors import DefinitionError
from towpath.spelling import checks_keywords, one_of
from towpath.view import Origin
from towpath.view import columns as columns_of

if TYPE_CHECKING:
    import pandas as pd


class TabularDataset(AnyDataset):
    """Rows: registered, or in files named in place. Made by `Dataset.Tabular` and `Dataset.get_by_name`.

    In a step its rows are files of the same format, header kept. `reading` tells `to_pandas_dataframe` what a
    definition says of columns; it changes nothing of the files.
    """

    is_tabular = True

    def __init__(
        self,
        origin: Origin,
        transforms: tuple[dict[str, Any], ...] = (),
        reading: dict[str, Any] | None = None,
    ) -> None:
        """Begin with all rows."""
        super().__init__(origin, transforms)
        self.reading = reading or {}

    def with_origin(self, origin: Origin) -> TabularDataset:
        """Return the same kind of view of other rows."""
        return TabularDataset(origin, self.transforms, self.reading)

    @checks_keywords
    def keep_columns(self, columns: str | list[str], validate: bool = False) -> TabularDataset:  # noqa: ARG002
        """Return all rows with these columns only, in the order of the files; a step finds out whether they exist."""
        return self._narrowed("columns", columns_of("keep", columns))

    @checks_keywords
    def drop_columns(self, columns: str | list[str]) -> TabularDataset:
        """Return all rows without these columns."""
        return self._narrowed("columns", columns_of("drop", columns))

    def filter(self, expression: object = None, **conditions: object) -> TabularDataset:
        """Refuse: rows are filtered in a step."""
        raise DefinitionError(
            f"Rows cannot be filtered by columns before a step has them ({expression or conditions}): filter in the "
            "step's own code, or take a sample, a split, take or skip."
        )

    @checks_keywords
    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input named after it, mounted where that is possible, else downloaded."""
        warn_if_tabular(self, "mounts")
        return mount_or_download(self, "mount", path_on_compute)

    @checks_keywords
    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input named after it, downloaded before the step starts."""
        warn_if_tabular(self, "downloads")
        return mount_or_download(self, "download", path_on_compute)

    @checks_keywords
    def to_pandas_dataframe(
        self, on_error: str = "null", out_of_range_datetime: str = "null"
    ) -> pd.DataFrame:
        """Return its rows as a pandas DataFrame; needs pandas on this machine (`pip install towpath[pandas]`).

        A value that is none of its column's declared type is `null`, or fails where `on_error="fail"`.
        """
        from towpath.frames import to_frame  # noqa: PLC0415 - pandas is never needed by a step's image

        strict = one_of("on_error", on_error, ("null", "fail")) == "fail"
        strict_dates = one_of("out_of_range_datetime", out_of_range_datetime, ("null", "fail")) == "fail"
        return to_frame(self, strict, strict_dates)
