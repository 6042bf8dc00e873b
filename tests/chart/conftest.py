"""Helm, for the chart's tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chart.helm import Helm
from cluster.access import Access


@pytest.fixture(scope="session")
def helm(cluster: Access) -> Helm:
    """The cluster's own helm, or the one on the PATH."""
    on_path = shutil.which("helm")
    if cluster.tools is None and on_path is None:
        pytest.skip("no helm on the PATH")
    program = cluster.tools / "helm" if cluster.tools else Path(on_path or "helm")
    return Helm(program, cluster.kubeconfig)
