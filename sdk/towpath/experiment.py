"""Experiment: a label under which runs are found again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from towpath.errors import DefinitionError
from towpath.pipeline import Pipeline
from towpath.spelling import checks_keywords

if TYPE_CHECKING:
    from towpath.runs import PipelineRun
    from towpath.workspace import Workspace

_NAME = re.compile(r"[a-zA-Z0-9][\w-]{0,254}", re.ASCII)


class Experiment:
    """A name for runs that belong together."""

    @checks_keywords
    def __init__(self, workspace: Workspace, name: str) -> None:
        """Name it; it comes to be with its first run."""
        self.workspace, self.name = workspace, checked_name(name)

    def submit(self, config: Pipeline, tags: Mapping[str, str] | None = None, **settings: Any) -> PipelineRun:
        """Start a run of a pipeline; `settings` are those of `Pipeline.submit`."""
        if not isinstance(config, Pipeline):
            raise DefinitionError(
                f"An experiment runs a Pipeline, not {config!r}: put the script into a step."
            )
        if config.workspace is None:
            config.workspace = self.workspace
        return config.submit(self.name, tags=tags, **settings)


def checked_name(name: str) -> str:
    """Return the name of an experiment, if it may be one."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DefinitionError(
            f"An experiment cannot be named {name!r}: letters, digits, - and _, at most 255."
        )
    return name
