"""What is killed in a local run, and what is true afterwards: nothing false, nothing left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.desk import Desk, dataset, pipeline, processes_of, step
from towpath.backend import Kind
from towpath.local.descendants import descendants_of

pytestmark = pytest.mark.fault

# A step that leaves a process in a session of its own, ignores what it is told, and says when it is there.
STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n"
    "print('there', flush=True)\n"
    "time.sleep(600)\n"
)
# Once, it waits to be killed; then it ends well.
ONCE = (
    "import os, sys, time\n"
    "first = not os.path.exists(sys.argv[1])\n"
    "open(sys.argv[1], 'w').close()\n"
    "print('there', flush=True)\n"
    "time.sleep(600 if first else 0)\n"
    "open(os.environ['TOWPATH_OUTPUT_OUT'], 'w').write('whole')\n"
)
FOLLOW = (
    "import json, sys\n"
    "from pathlib import Path\n"
    "from towpath.local import Wanted, open_backend, run_pipeline\n"
    "run = run_pipeline(open_backend(Path(sys.argv[1])), Wanted(manifests=json.loads(sys.argv[2])))\n"
    "print(run['status']['state'])\n"
)


def follow(desk: Desk, *manifests: object) -> subprocess.Popen[str]:
    """A process of its own that runs a pipeline and waits for it, as `towpath run --local` does."""
    command = [sys.executable, "-c", FOLLOW, str(desk.folder), json.dumps(manifests)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def the_run(desk: Desk) -> dict[str, object]:
    """The only run, once it is there."""
    deadline = time.monotonic() + 120
    while not (runs := desk.backend.list_objects(Kind.PIPELINE_RUN)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return runs[0]


def until_alone(folder: Path) -> None:
    """Wait until nothing runs of a workspace any more, its operator included."""
    deadline = time.monotonic() + 120
    while left := processes_of(folder):
        assert time.monotonic() < deadline, [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in left]
        time.sleep(0.1)


def test_ctrl_c_cancels_the_run_and_leaves_no_process(desk: Desk) -> None:
    stubborn = step("stubborn", STUBBORN, terminationGracePeriodSeconds=1)
    follower = follow(desk, pipeline(stubborn))
    run = the_run(desk)
    desk.until(run, "stubborn", "there")
    os.killpg(follower.pid, signal.SIGINT)
    output, _ = follower.communicate(timeout=120)
    assert output.split() == ["Cancelled"]
    assert desk.step_of(run, "stubborn")["state"] == "Cancelled"
    until_alone(desk.folder)


def test_a_run_whose_follower_was_killed_is_cancelled(desk: Desk) -> None:
    stubborn = step("stubborn", STUBBORN, terminationGracePeriodSeconds=0)
    follower = follow(desk, pipeline(stubborn))
    run = the_run(desk)
    desk.until(run, "stubborn", "there")
    follower.kill()
    follower.communicate()
    assert desk.follow(run)["status"]["state"] == "Cancelled"
    until_alone(desk.folder)


def test_an_operator_that_is_killed_in_mid_run_loses_and_repeats_nothing_that_counts(desk: Desk) -> None:
    desk.put("raw/a.txt", b"a")
    first = step("first", "import os; open(os.environ['TOWPATH_OUTPUT_OUT'], 'w').write('1')")
    first |= {"inputs": [{"name": "a"}], "outputs": [{"name": "out", "register": {"name": "firsts"}}]}
    once = step(
        "once", ONCE, str(desk.folder / "mark"), outputs=[{"name": "out", "register": {"name": "seconds"}}]
    )
    once["dependsOn"] = ["first"]
    run = desk.start(dataset("a", "raw/a.txt"), pipeline(first, once))
    desk.until(run, "once", "there")
    os.kill(desk.operator(), signal.SIGKILL)
    ended = desk.follow(run)
    assert ended["status"]["state"] == "Succeeded", ended["status"]
    assert desk.step_of(run, "first")["attempt"] == 1
    versions = [one["metadata"]["name"] for one in desk.backend.list_objects(Kind.DATASET_VERSION)]
    assert versions == ["a-v1", "firsts-v1", "seconds-v1"]
    until_alone(desk.folder)


def test_a_pod_that_is_killed_takes_its_processes_along_and_is_tried_again(desk: Desk) -> None:
    once = step("once", ONCE, str(desk.folder / "mark"), outputs=[{"name": "out"}])
    run = desk.start(pipeline(once))
    desk.until(run, "once", "there")
    (pod,) = [
        pid
        for pid in descendants_of(desk.operator())
        if b"towpath.local.pod" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    below = descendants_of(pod)
    assert below
    os.kill(pod, signal.SIGKILL)
    assert desk.follow(run)["status"]["state"] == "Succeeded"
    assert not any(Path(f"/proc/{pid}").exists() for pid in below)


def test_what_is_killed_at_any_moment_is_found_whole_by_the_next_operator(desk: Desk) -> None:
    desk.put("raw/a.txt", b"a")
    copy = step(
        "copy",
        "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])",
        "$(inputs.a.path)",
        "$(outputs.b.path)",
    )
    copy |= {"inputs": [{"name": "a"}], "outputs": [{"name": "b", "register": {"name": "copies"}}]}
    run = desk.start(dataset("a", "raw/a.txt"), pipeline(copy))
    for number in range(6):
        time.sleep(0.15 + 0.2 * number)
        try:
            os.kill(desk.operator(), signal.SIGKILL)
        except (ProcessLookupError, ValueError):
            continue
        desk.backend.wake()
    ended = desk.follow(run)
    assert ended["status"]["state"] == "Succeeded", ended["status"]
    versions = [one["metadata"]["name"] for one in desk.backend.list_objects(Kind.DATASET_VERSION)]
    assert versions == ["a-v1", "copies-v1"]


def test_many_who_wake_at_once_start_one_operator(desk: Desk) -> None:
    desk.backend.places.make()
    for _ in range(30):
        desk.backend.wake()
    operators = [
        pid
        for pid in processes_of(desk.folder)
        if b"\0-m\0towpath.local\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    assert len(operators) <= 1
    until_alone(desk.folder)
