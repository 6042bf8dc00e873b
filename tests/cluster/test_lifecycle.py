"""A native cluster comes up, is found, heals, goes and leaves nothing; shown on a second machine, as it were,
so that the cluster that other tests use is left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from cluster.access import REPOSITORY
from cluster.provider import Provider

pytestmark = [pytest.mark.fault, pytest.mark.long]


@pytest.fixture(scope="module")
def seen(provider: Provider) -> dict[str, Any]:
    """What the whole life of a cluster looked like."""
    if provider.name != "native":
        pytest.skip("only the native provider's life can be watched")
    command = [sys.executable, "-m", "cluster.apart", sys.executable, "-m", "cluster.lifecycle"]
    # -m finds the package in the current folder.
    done = subprocess.run(command, cwd=REPOSITORY / "tests", stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_warm_start_is_quick_even_on_a_busy_machine(seen: dict[str, Any]) -> None:
    # 15 s on a quiet one.
    assert seen["seconds_up"] < 60


def test_a_running_cluster_is_found_in_a_moment(seen: dict[str, Any]) -> None:
    assert seen["seconds_found"] < 2


def test_the_host_keeps_its_mounts_and_settings(seen: dict[str, Any]) -> None:
    assert seen["changed_on_the_host"] == []


def test_every_component_that_is_killed_is_started_again(seen: dict[str, Any]) -> None:
    assert len(seen["components"]) == 9
    assert seen["recovered"] == seen["components"]


def test_nothing_is_left_when_it_is_down(seen: dict[str, Any]) -> None:
    assert seen["left"] == []


def test_a_start_that_was_cut_off_is_gone_on_with(seen: dict[str, Any]) -> None:
    assert seen["resumed"]
