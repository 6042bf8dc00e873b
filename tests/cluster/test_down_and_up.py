"""Taking the cluster down leaves nothing, and it comes up again within half a minute."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cluster.access import write_access
from cluster.native.inside import TUNABLES
from cluster.native.layout import Layout
from cluster.native.leftovers import find_leftovers
from cluster.provider import Provider

pytestmark = [pytest.mark.server, pytest.mark.long]


def _tunables() -> dict[str, str]:
    paths = [Path("/proc/sys") / name for name in TUNABLES]
    return {str(path): path.read_text() for path in paths if path.exists()}


def _mounts() -> list[str]:
    return Path("/proc/self/mounts").read_text().splitlines()


def test_down_leaves_nothing_and_up_is_quick(provider: Provider) -> None:
    if provider.name != "native":
        pytest.skip("only the native provider's leftovers are known")
    provider.down()
    without = (_tunables(), _mounts())
    assert find_leftovers(Layout()) == []
    begun = time.monotonic()
    write_access(provider.up())
    assert time.monotonic() - begun < 30
    # The host sees nothing of the node but its link and its cgroups.
    assert (_tunables(), _mounts()) == without
