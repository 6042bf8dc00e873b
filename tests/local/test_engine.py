"""Steps in containers of this machine: their images, and every path as a pod would have it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.desk import Desk, dataset, pipeline, processes_of
from towpath.backend import Kind
from towpath.errors import UserErrorException
from towpath.local.engine import ARGUMENTS_VARIABLE
from towpath_mover.launcher import IMAGE_BUSYBOX

pytestmark = pytest.mark.story

IMAGE = "localhost/towpath-test/tiny:1"
# A machine may not let an engine raise them.
LIMITS = "--ulimit nofile=1024:1024 --ulimit nproc=1024:1024"
SH = ["/bin/busybox", "sh", "-c"]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image that holds busybox and nothing else; podman keeps it in a storage of the test's own."""
    if shutil.which("podman") is None or not Path(IMAGE_BUSYBOX).exists():
        pytest.skip("needs podman (apt-get install podman runc) and busybox-static")
    folder = tmp_path_factory.mktemp("podman")
    configuration = folder / "storage.conf"
    places = f'driver = "vfs"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n'
    configuration.write_text(f"[storage]\n{places}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_STORAGE_CONF", str(configuration))
        patch.setenv(ARGUMENTS_VARIABLE, LIMITS)
        root = io.BytesIO()
        with tarfile.open(fileobj=root, mode="w") as archive:
            archive.add(IMAGE_BUSYBOX, "bin/busybox")
        change = ["--change", f"ENTRYPOINT {json.dumps([*SH, 'echo of the image $0'])}"]
        command = ["podman", "import", "--quiet", *change, "-", IMAGE]
        subprocess.run(command, input=root.getvalue(), check=True, capture_output=True)
        tried = ["podman", "run", "--rm", "--network", "host", *LIMITS.split(), IMAGE]
        if subprocess.run(tried, capture_output=True, check=False).returncode:
            pytest.skip("podman cannot run a container here")
        yield IMAGE
        subprocess.run(["podman", "rmi", "--force", IMAGE], capture_output=True, check=False)
        subprocess.run(["podman", "system", "reset", "--force"], capture_output=True, check=False)


def test_a_step_runs_in_its_image_and_finds_everything_where_a_pod_has_it(desk: Desk, image: str) -> None:
    desk.put("raw/a.txt", b"abc")
    script = (
        "cat /towpath/context/context.json | /bin/busybox tr -d '\\n'; echo; echo $0 $PWD $HOME $TOWPATH_INPUT_A;"
        " echo x > /data/in/a.txt || echo read-only;"
        " /bin/busybox cat /data/in/a.txt /towpath/inputs/a/a.txt > /model/out"
    )
    first = {
        "name": "first",
        "image": image,
        "command": [*SH, script, "$(inputs.a.path)"],
        "inputs": [{"name": "a", "mountPath": "/data/in"}],
        "outputs": [{"name": "out", "mountPath": "/model/out"}],
        "env": [{"name": "ODD", "value": "a\nb $$HOME"}],
    }
    second = {"name": "second", "image": image, "args": ["here"], "dependsOn": ["first"]}
    run = desk.run(dataset("a", "raw/a.txt"), pipeline(first, second), engine="podman")
    assert run["status"]["state"] == "Succeeded", run["status"]
    context, words, refused, *_ = [*desk.said(run, "first"), ""]
    assert json.loads(context)["inputs"]["a"]["path"] == "/data/in/a.txt"
    assert json.loads(context)["outputs"]["out"]["path"] == "/model/out"
    assert words.split()[1:3] == ["/towpath/work", "/towpath/work/.home"]
    assert "read-only" in refused.lower()
    assert desk.step_of(run, "first")["outputs"][0]["bytes"] == 6
    assert desk.said(run, "second") == ["of the image here"]
    assert names_of_containers() == ""


def test_a_container_is_stopped_and_nothing_is_left_of_it(desk: Desk, image: str) -> None:
    endless = "echo there; while :; do /bin/busybox sleep 1; done"
    slow = {"name": "slow", "image": image, "command": [*SH, endless]}
    limits = {"timeoutSeconds": 60, "terminationGracePeriodSeconds": 1}
    run = desk.start(pipeline({**slow, **limits}), engine="podman")
    desk.until(run, "slow", "there")
    desk.backend.patch(Kind.PIPELINE_RUN, run["metadata"]["name"], {"spec": {"cancel": True}})
    assert desk.follow(run)["status"]["state"] == "Cancelled"
    deadline = time.monotonic() + 120
    while (left := names_of_containers()) or any(pid != os.getpid() for pid in processes_of(desk.folder)):
        assert time.monotonic() < deadline, left
        time.sleep(0.2)


def test_an_engine_that_is_not_here_is_refused_before_anything_starts(desk: Desk) -> None:
    with pytest.raises(UserErrorException, match="no container engine 'rocket'"):
        desk.start(pipeline({"name": "a", "command": ["true"]}), engine="rocket")


def names_of_containers() -> str:
    """What the engine knows of containers of runs."""
    command = ["podman", "ps", "--all", "--format", "{{.Names}}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
