"""What `Run.get_context()` gives outside any step: empty dictionaries, and metrics that are shown and forgotten."""

from __future__ import annotations

from typing import Any

from towpath.metric_file import MetricFile
from towpath.run_context import NamedPaths, Run


class _LaptopExperiment:
    """An experiment whose workspace is the one of this folder, asked when it is needed."""

    name = "offline"

    @property
    def workspace(self) -> Any:
        """The workspace that the current directory's configuration names."""
        from towpath.workspace import Workspace  # noqa: PLC0415 - a step never needs it

        return Workspace.from_config()


class OfflineRun(Run):
    """No step: for trying a script on a laptop."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._context = {"inputs": {}, "outputs": {}}
        self._metrics = MetricFile(None)
        self.id = self.name = "OfflineRun"
        self.attempt, self.shard, self.shards = 0, None, None
        self.params = {}
        self.input_datasets = NamedPaths("input", {})
        self.output_datasets = NamedPaths("output", {})
        self.experiment = _LaptopExperiment()  # type: ignore[assignment]  # the same two attributes
        self.parent = None  # type: ignore[assignment]
