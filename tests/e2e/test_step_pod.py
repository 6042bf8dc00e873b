"""What a step sees, and what it must never see: any image, restricted, without a credential or a token."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cluster.access import Access
from cluster.space import Space
from e2e.tenant import Tenant, step_of

pytestmark = pytest.mark.story

# Reads everything that a process may read and names each place in which the needle stands. The needle
# arrives in two halves, or the script would find itself.
SEARCH = """
import os, sys
needle = (sys.argv[1] + sys.argv[2]).encode()
found = []
for folder, _, names in os.walk("/"):
    if folder.startswith(("/sys", "/usr/lib")):
        continue
    for name in names:
        path = os.path.join(folder, name)
        try:
            if not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                if needle in file.read(4 << 20):
                    found.append(path)
        except OSError:
            pass
token = os.path.exists("/var/run/secrets/kubernetes.io")
with open(sys.argv[3], "w") as file:
    file.write(repr((found, token, os.path.exists("/towpath/credentials"), "AWS" in str(os.environ))))
"""


def _output(space: Space, status: dict[str, Any], step: str, name: str) -> bytes:
    """The bytes of an output of one file."""
    published = next(output for output in step_of(status, step)["outputs"] if output["name"] == name)
    folder = published["inventory"].rpartition("/")[0]
    # A single file goes by the output's name; status says so only where it is another.
    return space.get(f"{folder}/data/{published.get('file', name)}")


def test_the_steps_container_holds_no_credential_anywhere(
    tenant: Tenant, space: Space, default_store: str, cluster: Access
) -> None:
    secret = cluster.s3.admin.secret_key
    half = len(secret) // 2
    command = ["python3", "-c", SEARCH, secret[:half], secret[half:], "$(outputs.found.path)"]
    status = tenant.finish(
        tenant.start_steps({"name": "look", "command": command, "outputs": [{"name": "found"}]})
    )
    assert status["state"] == "Succeeded", status
    assert _output(space, status, "look", "found") == b"([], False, False, False)"


def test_the_search_for_a_credential_can_find_one(tenant: Tenant, space: Space, default_store: str) -> None:
    command = [
        "sh",
        "-c",
        'echo planted > /tmp/x; exec python3 -c "$0" pla nted "$1"',
        SEARCH,
        "$(outputs.found.path)",
    ]
    status = tenant.finish(
        tenant.start_steps({"name": "look", "command": command, "outputs": [{"name": "found"}]})
    )
    assert status["state"] == "Succeeded", status
    assert b"/tmp/x" in _output(space, status, "look", "found")


def test_an_image_of_one_static_program_works_as_a_step_under_restricted(
    tenant: Tenant, space: Space, default_store: str, static_step: str
) -> None:
    space.put("raw/any.bin", b"\x00\x01 any bytes")
    tenant.apply("Dataset", "any", {"sources": [{"path": "raw/any.bin"}]})
    copy = ["/static-step", "copy", "$(inputs.any.path)", "$(outputs.copy.path)"]
    step = {
        "name": "copy",
        "image": static_step,
        "command": copy,
        "inputs": [{"name": "any"}],
        "outputs": [{"name": "copy"}],
    }
    status = tenant.finish(tenant.start_steps(step))
    assert status["state"] == "Succeeded", status
    assert _output(space, status, "copy", "copy") == b"\x00\x01 any bytes"


HOSTILE = [
    "$(run.name)",
    "$$(run.name)",
    "$(HOME)",
    "$$",
    "a$b",
    "; rm -rf / #",
    "`id`",
    "$(id)",
    "'\"\\",
    "two\nlines\tand tab",
    "ünï→😀",
    "-n",
    "",
]


def test_hostile_parameters_arrive_to_the_last_byte(tenant: Tenant, space: Space, default_store: str) -> None:
    params = [{"name": f"p{number}", "type": "string"} for number in range(len(HOSTILE))]
    script = "import json, os, sys; json.dump([sys.argv[2:], os.environ['SEEN']], open(sys.argv[1], 'w'))"
    words = [f"$(params.p{number})" for number in range(len(HOSTILE))]
    step = {
        "name": "echo",
        "command": ["python3", "-c", script, "$(outputs.seen.path)"],
        "args": words,
        "env": [{"name": "SEEN", "value": "|".join(words)}],
        "outputs": [{"name": "seen"}],
    }
    given = {f"p{number}": value for number, value in enumerate(HOSTILE)}
    run = tenant.start({"pipelineSpec": {"params": params, "steps": [step]}, "params": given})
    status = tenant.finish(run)
    assert status["state"] == "Succeeded", status
    assert json.loads(_output(space, status, "echo", "seen")) == [HOSTILE, "|".join(HOSTILE)]


OUTPUTS: dict[str, tuple[str, str]] = {
    "link-to-environ": ('mkdir "$1"; ln -s /proc/self/environ "$1/env"', "env"),
    "link-itself": ('ln -s /proc/self/environ "$1"', "out"),
    "fifo": ('mkdir "$1"; mkfifo "$1/pipe"', "pipe"),
    "socket": (
        'mkdir "$1"; python3 -c "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "$1/s"',
        "s",
    ),
    "newline": ('mkdir "$1"; touch "$1/two\nlines"', "two"),
}


@pytest.mark.parametrize("case", OUTPUTS)
def test_a_hostile_output_is_refused_by_name_and_nothing_is_published(
    case: str, tenant: Tenant, space: Space, default_store: str
) -> None:
    script, named = OUTPUTS[case]
    command = ["sh", "-c", script, "sh", "$(outputs.out.path)"]
    run = tenant.start_steps(
        {"name": "write", "command": command, "outputs": [{"name": "out"}], "retries": 2}
    )
    status = tenant.finish(run)
    assert status["state"] == "Failed"
    step = step_of(status, "write")
    assert step["reason"] == "OutputRefused", step
    assert named in step["message"]
    assert step["attempt"] == 1
    assert [
        key for key in space.keys(f"{tenant.namespace}/runs/{run}") if "inventory" in key or "result" in key
    ] == []


def test_an_output_that_was_not_written_fails_its_step_and_names_the_path(
    tenant: Tenant, default_store: str
) -> None:
    command = ["sh", "-c", 'echo 1 > "$1.tmp"', "sh", "$(outputs.model.path)"]
    status = tenant.finish(
        tenant.start_steps({"name": "train", "command": command, "outputs": [{"name": "model"}]})
    )
    step = step_of(status, "train")
    assert (status["state"], step["reason"]) == ("Failed", "OutputMissing")
    assert "/towpath/outputs/model" in step["message"]


def test_a_failed_step_publishes_nothing_and_its_dependants_are_skipped(
    tenant: Tenant, space: Space, default_store: str
) -> None:
    write = {
        "name": "write",
        "command": ["sh", "-c", 'echo 1 > "$1"; exit 4', "sh", "$(outputs.out.path)"],
        "outputs": [{"name": "out"}],
    }
    read = {
        "name": "read",
        "command": ["cat", "$(inputs.out.path)"],
        "inputs": [{"name": "out", "from": {"step": "write"}}],
    }
    run = tenant.start_steps(write, read)
    status = tenant.finish(run)
    assert (step_of(status, "write")["state"], step_of(status, "read")["state"]) == ("Failed", "Skipped")
    assert step_of(status, "write")["exitCode"] == 4
    assert space.keys(f"{tenant.namespace}/runs/{run}") == []


def test_no_secret_value_stands_in_any_object_log_or_event(
    tenant: Tenant, space: Space, cluster: Access
) -> None:
    # Wrong ones too: other stories put them into Secrets.
    secrets = [cluster.s3.admin.secret_key, "not-the-key"]
    kinds = "pipelineruns.towpath.dev,datastores.towpath.dev,datasets.towpath.dev,datasetversions.towpath.dev"
    objects = tenant.kubectl("get", f"{kinds},jobs,pods,configmaps,events", "-o", "json")
    # One call for all pods; one that goes meanwhile is passed over.
    ours = ("-l", "app.kubernetes.io/managed-by=towpath", "--max-log-requests=500")
    logs = tenant.kubectl("logs", *ours, "--tail=-1", "--prefix", "--all-containers", "--ignore-errors")
    stored = b"".join(space.get(key) for key in space.keys(tenant.namespace))
    assert "towpath.dev/v1alpha1" in objects
    assert "/publish] " in logs
    for secret in secrets:
        assert secret not in objects
        assert [line for line in logs.splitlines() if secret in line] == []
        assert secret.encode() not in stored
