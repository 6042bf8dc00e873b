"""What is generated from the models stands in the repository as the models say."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from api.judge import PLURALS, crds
from towpath.api.documents import chart_template, manifest
from towpath.api.generate import REPOSITORY, differing, generated_files, write
from towpath.api.kinds import KINDS
from towpath.api.reference import make_page

KINDS_BY_NAME = {kind.info.kind: kind for kind in KINDS}


@cache
def page(kind: str) -> str:
    return make_page(KINDS_BY_NAME[kind])


def test_generated_files_are_as_the_models_say() -> None:
    assert differing(REPOSITORY) == [], "run `make generate` and commit what it writes"


@pytest.mark.parametrize("folder", ["crds", "charts/towpath/templates/crds", "docs/reference/api"])
def test_nothing_else_lies_beside_the_generated_files(folder: str) -> None:
    present = {f"{folder}/{file.name}" for file in (REPOSITORY / folder).iterdir()}
    assert present == {path for path in generated_files() if path.startswith(f"{folder}/")}


def test_a_changed_file_is_noticed_and_written_again(tmp_path: Path) -> None:
    write(tmp_path)
    assert differing(tmp_path) == []
    (tmp_path / "crds" / "pipelines.yaml").write_text("kind: Nonsense\n")
    (tmp_path / "crds" / "datasets.yaml").unlink()
    assert differing(tmp_path) == ["crds/datasets.yaml", "crds/pipelines.yaml"]
    write(tmp_path)
    assert differing(tmp_path) == []


@pytest.mark.parametrize("plural", PLURALS.values())
def test_the_charts_copy_is_the_crd_behind_two_switches(plural: str) -> None:
    crd = crds()[plural]
    template = chart_template(crd)
    assert template.startswith("{{- if .Values.crds.enabled }}\n")
    assert template.endswith("{{- end }}\n")
    kept = [line for line in template.splitlines() if not line.lstrip().startswith("{{-")]
    rendered = yaml.safe_load("\n".join(kept))
    assert rendered["metadata"].pop("annotations") == {"helm.sh/resource-policy": "keep"}
    assert rendered == crd


def test_braces_in_a_description_reach_helm_as_text() -> None:
    crd = {"metadata": {"name": "things"}, "spec": {"description": "literal {{ braces }} and }}"}}
    assert """literal {{ "{{" }} braces {{ "}}" }} and {{ "}}" }}""" in chart_template(crd)
    assert "literal {{ braces }} and }}" in manifest(crd)


@pytest.mark.parametrize("kind", KINDS_BY_NAME)
def test_a_page_has_its_parts_in_one_order(kind: str) -> None:
    headings = [line for line in page(kind).splitlines() if line.startswith("#")]
    assert headings[:2] == [f"# {kind}", "## spec"]
    assert headings.index("## spec") < headings.index("## status")


def test_a_page_says_what_a_field_takes() -> None:
    of_datastores = page("Datastore")
    bucket = next(line for line in of_datastores.splitlines() if line.startswith("| `bucket`"))
    assert "required" in bucket
    assert "at most 63 characters" in bucket
    assert "default `false`" in next(
        line for line in of_datastores.splitlines() if line.startswith("| `readOnly`")
    )


def test_an_inline_pipeline_is_described_once() -> None:
    assert "## spec.pipelineSpec" not in page("PipelineRun")
    assert "(pipeline.md#spec)" in page("PipelineRun")
    assert "## spec.steps[].inputs[]" in page("Pipeline")
