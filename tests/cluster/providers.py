"""Makes the provider that this machine and the environment ask for."""

from __future__ import annotations

import os
import shutil
import subprocess

from cluster.native.native import NativeProvider
from cluster.provider import Provider, choose_name


def choose_provider() -> Provider:
    """The provider by TOWPATH_CLUSTER, or by what the machine can do."""
    name = choose_name(os.environ, is_root=os.geteuid() == 0, has_docker=has_docker())
    makers = {"native": NativeProvider}
    return makers[name]()


def has_docker() -> bool:
    """Whether a Docker engine answers."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=20).returncode == 0
