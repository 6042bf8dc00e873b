"""The examples beside this file: each defines a pipeline, and stands beside the YAML that it emits."""

from __future__ import annotations

import warnings
from importlib import import_module
from pathlib import Path

from sdk.place import article_workspace
from towpath import CanonicalFormWarning, Pipeline

FOLDER = Path(__file__).parent / "examples"
SCRIPTS = FOLDER / "scripts"
NAMES = sorted(file.stem for file in FOLDER.glob("*.py"))


def defined(name: str) -> Pipeline:
    """The pipeline of an example; what it writes as the article does is no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CanonicalFormWarning)
        pipeline: Pipeline = import_module(f"sdk.examples.{name}").define(article_workspace())
    return pipeline


def yaml_of(name: str) -> str:
    """What the example emits, with a run of it."""
    return defined(name).to_yaml(run=f"{name}-1")
