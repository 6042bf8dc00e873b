"""An input with transforms whose records are rows → its folder: files of the same format with the selected rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from towpath.flow.projection import Projection
from towpath.flow.transforms import TransformError
from towpath_mover.download import new_folder
from towpath_mover.empty_input import empty_input
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.landing import Landing
from towpath_mover.order import InputOrder
from towpath_mover.pinned import Source
from towpath_mover.progress import Progress
from towpath_mover.read_files import read_files
from towpath_mover.row_formats import open_format
from towpath_mover.row_view import RowView
from towpath_mover.view import View

if TYPE_CHECKING:
    from towpath_mover.parquet_view import ParquetView


class StagedRows(NamedTuple):
    """What lies in the folder of an input."""

    files: int
    bytes: int


def stage_rows(
    given: InputOrder, format_: Mapping[str, Any], view: View, sources: Sequence[Source], target: Path
) -> StagedRows:
    """Deliver the selected rows, or return what lies there, if the pod is set up for the second time."""
    if target.exists():
        sizes = [file.stat().st_size for file in target.rglob("*") if file.is_file()]
        return StagedRows(len(sizes), sum(sizes))
    projection = Projection(view.chain)
    rows = _view(given, format_, view, sources, projection)
    with new_folder(target) as folder:
        try:
            # A version that is one file stays one, though none of its rows is selected.
            delivered = rows.deliver(Landing(folder, None), keep_empty=given.file is not None)
            if projection and delivered.rows and not projection.is_met:
                raise projection.none_of("all selected rows")
        except TransformError as error:
            raise MoverFailure(Reason.VIEW_REFUSED, str(error)) from error
        if not delivered.rows and not given.allow_empty:
            raise empty_input(given, f"{delivered.of} rows")
    return StagedRows(delivered.files, delivered.bytes)


def _view(
    given: InputOrder,
    format_: Mapping[str, Any],
    view: View,
    sources: Sequence[Source],
    projection: Projection,
) -> RowView | ParquetView:
    if "parquet" in format_:
        # Only here: other formats need no process of their own.
        from towpath_mover.parquet_view import ParquetView  # noqa: PLC0415

        # A view fetches what it needs: how much that is, nobody knows before.
        progress = Progress(f"input {given.name}", given.files)
        scratch = view.file.with_name(f"{view.file.name}-rows")
        return ParquetView(view.chain, view.all_entries, sources, scratch, progress)
    progress = Progress(f"input {given.name}", given.files, given.bytes)
    return RowView(
        view.chain,
        view.all_entries,
        lambda entries: read_files(entries, sources, progress),
        lambda: open_format(format_, projection),
    )
