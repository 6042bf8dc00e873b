"""Makes the provider that this machine and the environment ask for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping

from cluster.existing import ExistingProvider
from cluster.kind import KindProvider
from cluster.native.native import NativeProvider
from cluster.provider import Provider, choose_name

_MAKERS: Mapping[str, Callable[[], Provider]] = {
    "native": NativeProvider,
    "kind": KindProvider,
    "existing": ExistingProvider,
}


def choose_provider() -> Provider:
    """The provider by TOWPATH_CLUSTER, or by what the machine can do."""
    name = choose_name(os.environ, is_root=os.geteuid() == 0, has_docker=_has_docker())
    return _MAKERS[name]()


def _has_docker() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20).returncode == 0
