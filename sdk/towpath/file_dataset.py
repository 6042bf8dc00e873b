"""FileDataset: records are files."""

from __future__ import annotations

from towpath.consumption import DatasetConsumptionConfig
from towpath.dataset_base import AnyDataset, mount_or_download
from towpath.file_filter import FileSize, file_metadata, filter_of
from towpath.spelling import checks_keywords


class FileDataset(AnyDataset):
    """Files: registered, or named in place. Made by `Dataset.File` and `Dataset.get_by_name`."""

    @checks_keywords
    def filter(
        self,
        expression: object = None,
        *,
        path: str | None = None,
        min_bytes: int | None = None,
        max_bytes: int | None = None,
    ) -> FileDataset:
        """Return the files whose path fits a glob, and whose size lies within bounds (both included).

        `expression` is a condition on `file_metadata('Size')`, as Azure ML writes it.
        """
        return self._narrowed("filter", filter_of(expression, path, min_bytes, max_bytes))

    @staticmethod
    def file_metadata(column: str) -> FileSize:
        """Return what is known of files, to be compared in `filter`."""
        return file_metadata(column)

    @checks_keywords
    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input named after it, mounted where that is possible, else downloaded."""
        return mount_or_download(self, "mount", path_on_compute)

    @checks_keywords
    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input named after it, downloaded before the step starts."""
        return mount_or_download(self, "download", path_on_compute)

    def to_path(self) -> list[str]:
        """Return the paths of its files, sorted, each with a leading slash."""
        from towpath.reading import paths  # noqa: PLC0415 - a step has no backend

        return paths(self)

    @checks_keywords
    def download(
        self,
        target_path: str | None = None,
        overwrite: bool = False,
        ignore_not_found: bool = False,  # noqa: ARG002
    ) -> list[str]:
        """Download its files to a folder of this machine (a temporary one unless said) and return their paths.

        A file that is there already is an error, found before anything is fetched, unless `overwrite`. A version's
        files are all there, or the error names one: `ignore_not_found` changes nothing.
        """
        from towpath.reading import download  # noqa: PLC0415

        return download(self, target_path, overwrite)
