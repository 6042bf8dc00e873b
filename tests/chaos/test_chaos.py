"""A hundred random faults violate nothing; and what is broken in our own code is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.driver import Chaos
from chaos.mutations import mutated
from chaos.scene import scene
from cluster.access import Access
from cluster.kubectl import Kubectl

pytestmark = [pytest.mark.fault, pytest.mark.long]
SEED = 20261125


@pytest.mark.timeout(3600)
def test_after_a_hundred_faults_nothing_is_lost_doubled_or_false(
    cluster: Access, served: Kubectl, tmp_path: Path
) -> None:
    with scene(cluster, served, tmp_path) as made:
        report = Chaos(made, SEED).run(100)
    print(*report.lines(), sep="\n")
    assert report.violations == []
    assert report.runs["Succeeded"] > 0
    assert len(report.faults) > 10


# The other two are mended by a second line of defence before anybody could see what they break, most often.
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", ["false-success", "reopened-step", "hasty-end"])
def test_a_rule_that_our_code_breaks_is_noticed(
    cluster: Access, served: Kubectl, tmp_path: Path, name: str
) -> None:
    path = mutated(name, tmp_path / "mutated")
    with scene(cluster, served, tmp_path, path) as made:
        report = Chaos(made, SEED).run(100, stop_at_first=True)
    print(*report.lines(), sep="\n")
    assert report.violations
