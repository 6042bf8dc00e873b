"""Our image as a pod runs it: nobody in particular, on a read-only root, with all that movers need and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.access import Access
from cluster.kubectl import Kubectl
from cluster.pods import restricted_pod, run_pod
from cluster.towpath_image import image_name, load_image

pytestmark = pytest.mark.story

# Runs inside: prints what it finds as JSON.
_LOOK = """
import importlib.util, json, os, pathlib, pkgutil, shutil, subprocess, sys, time
started = time.perf_counter()
subprocess.run([sys.executable, "-P", "-s", "-m", "towpath_mover", "--help"], check=True, stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - started
import towpath, towpath_mover, towpath_operator
uncompiled = [
    str(source)
    for package in (towpath, towpath_mover, towpath_operator, json)
    for source in pathlib.Path(package.__path__[0]).rglob("*.py")
    if not pathlib.Path(importlib.util.cache_from_source(str(source))).exists()
]
shell = subprocess.run(["/bin/busybox", "sh", "-c", "echo $0", "works"], capture_output=True, text=True)
print(json.dumps({
    "uid": os.getuid(), "uncompiled": uncompiled, "seconds": seconds, "shell": shell.stdout.strip(),
    "found": [name for name in ("gcc", "cc", "make", "git") if shutil.which(name)],
    "mounts": [name for name in ("rclone", "fusermount3") if shutil.which(name)],
    "modules": [name for name in ("pytest", "hypothesis", "pip", "builders") if importlib.util.find_spec(name)],
}))
"""


@pytest.fixture(scope="module")
def image(cluster: Access) -> str:
    """The image of the sources as they are, on the cluster."""
    load_image()
    return image_name()


@pytest.fixture
def found(kubectl: Kubectl, namespace: str, image: str) -> dict[str, Any]:
    """What a pod of the image sees of itself."""
    pod = restricted_pod("look", image, _LOOK, command=("python3", "-c"))
    pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] = True
    code, said = run_pod(kubectl, namespace, pod)
    assert code == 0, said
    facts: dict[str, Any] = json.loads(said)
    return facts


def test_the_image_runs_as_nobody_on_a_read_only_root_and_starts_fast(found: dict[str, Any]) -> None:
    assert found["uid"] == 1000
    assert found["shell"] == "works"
    # What is not compiled in the image would be compiled at every start of a mover.
    assert found["uncompiled"] == []
    # 0.04 s on a quiet machine.
    assert found["seconds"] < 2


def test_the_image_holds_no_compiler_no_installer_and_no_test(found: dict[str, Any]) -> None:
    assert found["found"] == []
    assert found["modules"] == []


def test_the_image_has_what_a_fuse_sidecar_mounts_with(found: dict[str, Any]) -> None:
    assert found["mounts"] == ["rclone", "fusermount3"]


def test_the_image_runs_as_any_user_that_a_platform_assigns(
    kubectl: Kubectl, namespace: str, image: str
) -> None:
    pod = restricted_pod(
        "assigned", image, "import getpass; print(getpass.getuser())", command=("python3", "-c")
    )
    pod["spec"]["securityContext"]["runAsUser"] = 1_000_660_000
    assert run_pod(kubectl, namespace, pod) == (0, "towpath\n")


def test_the_operator_says_which_setting_is_wrong(kubectl: Kubectl, namespace: str, image: str) -> None:
    pod = restricted_pod("wrong", image)
    pod["spec"]["containers"][0]["env"] = [{"name": "TOWPATH_WORKERS", "value": "many"}]
    code, said = run_pod(kubectl, namespace, pod)
    assert code == 2
    assert "TOWPATH_WORKERS" in said
