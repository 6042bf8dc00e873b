"""`make demo`: without a cluster and without root, from nothing to the metrics, and again with another parameter."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo.__main__ import main
from local.desk import a_desk

pytestmark = pytest.mark.story


def test_the_demo_runs_without_a_cluster_and_the_second_run_takes_what_has_not_changed(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    began = time.monotonic()
    with a_desk(tmp_path):
        assert main(tmp_path, said.append) == 0
    assert time.monotonic() - began < 60
    text = "\n".join(said)
    assert "iris-model version 1: {'accuracy': 0.9474, 'train_rows': 111, 'test_rows': 38}" in text
    assert "iris-model version 2: {'accuracy': 0.96, 'train_rows': 99, 'test_rows': 50}" in text
    assert text.count("taken from run iris-") == 1
    assert "towpath run examples/iris/pipeline.yaml --local" in text
