"""What the SDK emits, to the last line: each example stands beside its YAML.

`TOWPATH_WRITE_GOLDEN=1 pytest tests/sdk/test_golden_yaml.py` writes the files anew.
"""

from __future__ import annotations

import json
import os

import pytest
import yaml

from api.judge import Judge
from sdk.examples_here import FOLDER, NAMES, SCRIPTS, defined, yaml_of
from towpath.api.pipeline import Pipeline
from towpath.api.pipelinerun import PipelineRun
from towpath.flow.checks import check_pipeline
from towpath.flow.support import not_supported
from towpath.manifests import parse_manifests


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory holds the steps' scripts, as the article has it."""
    monkeypatch.chdir(SCRIPTS)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_emits_the_yaml_beside_it(name: str) -> None:
    file = FOLDER / f"{name}.yaml"
    emitted = yaml_of(name)
    if os.environ.get("TOWPATH_WRITE_GOLDEN"):
        file.write_text(emitted)
    assert emitted == file.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_the_operator_would_take_what_an_example_emits(name: str) -> None:
    *_, pipeline, run = defined(name).manifests(run=f"{name}-1")
    spec = Pipeline.parse(pipeline).spec
    assert len(check_pipeline(spec)) == len(pipeline["spec"]["steps"])
    assert not_supported(spec) == []
    reference = PipelineRun.parse(run).spec.pipeline_ref
    assert reference is not None
    assert reference.name == pipeline["metadata"]["name"]


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_of_yaml_reads_what_was_emitted(name: str) -> None:
    wanted = defined(name).manifests(run=f"{name}-1")
    text = yaml_of(name)
    assert list(yaml.safe_load_all(text)) == wanted
    # It refuses whatever kubectl would read otherwise.
    assert parse_manifests(text, name) == wanted


@pytest.mark.server
@pytest.mark.parametrize("name", NAMES)
def test_the_api_server_takes_what_an_example_emits(judge: Judge, name: str) -> None:
    for manifest in defined(name).manifests(run=f"{name}-1"):
        if manifest["kind"] != "ConfigMap":
            assert judge.says_of(json.loads(json.dumps(manifest))) == "", manifest["kind"]
