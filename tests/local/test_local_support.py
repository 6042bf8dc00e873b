"""What a run without a cluster refuses, and what it says before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.desk import Desk, pipeline, step
from towpath.backend import Kind, Manifest
from towpath.errors import InvalidObjectError, NotFoundError, UserErrorException
from towpath.local.datastores import apply_folder, ensure_default
from towpath.local.init import init
from towpath.local.running import Wanted, start_run
from towpath.local.support import check_run, notes_on


class Nothing:
    """A workspace without objects."""

    def get(self, kind: Kind, name: str) -> Manifest | None:
        del kind, name
        return None


def run_of(*steps: dict[str, object], **spec: object) -> Manifest:
    return {"kind": "PipelineRun", "spec": {"pipelineSpec": {"steps": list(steps), **spec}}}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"args": ["--to=/towpath/outputs/x"]}, "args[0]"),
        ({"command": ["cat", "/towpath/inputs/x"]}, "command[1]"),
        ({"env": [{"name": "TO", "value": "/towpath/work/"}]}, "env TO"),
    ],
)
def test_a_path_of_a_pod_is_refused_with_the_advice_to_use_the_reference(
    changes: dict[str, object], where: str
) -> None:
    with pytest.raises(InvalidObjectError) as refused:
        check_run(run_of(step("a", "") | changes), Nothing())
    assert f"Step a, {where}:" in str(refused.value)
    assert "$(inputs.NAME.path)" in str(refused.value)


def test_a_step_without_a_command_is_refused() -> None:
    with pytest.raises(InvalidObjectError, match="Step a has no command"):
        check_run(run_of({"name": "a", "image": "busybox"}), Nothing())


def test_what_cannot_be_honoured_is_said_by_name_before_the_start() -> None:
    first = step(
        "a", "print('/towpath/inputs')", image="python:3.12", resources={"limits": {"memory": "1Gi"}}
    )
    first |= {"outputs": [{"name": "model", "mountPath": "/model"}]}
    second = step("b", "", computeTarget="gpus")
    notes = notes_on(run_of(first, second, stepDefaults={"queueName": "team"}), Nothing())
    assert notes == [
        "Step a: resources (no limit of memory or CPU holds), queueName (no queue admits it): not honoured.",
        "Step b: queueName (no queue admits it), computeTarget gpus: not honoured.",
        "Step a: model is not at /model, but where its reference says.",
        "Step a: step.py names /towpath/…, which is not there: let it read its arguments.",
        "Images are ignored (python:3.12): steps run as processes with this Python. A container engine would honour "
        "them: --engine podman.",
    ]


def test_a_plain_pipeline_has_no_notes() -> None:
    assert notes_on(run_of(step("a", "")), Nothing()) == []


def test_a_datastore_of_a_cluster_needs_a_folder_but_the_default_has_one(desk: Desk) -> None:
    s3 = {"spec": {"s3": {"bucket": "b"}}, "kind": "Datastore"}
    lake = s3 | {"metadata": {"name": "lake"}}
    with pytest.raises(UserErrorException, match="--datastore lake=FOLDER"):
        start_run(desk.backend, Wanted(manifests=[lake, pipeline(step("a", ""))]))
    started = start_run(
        desk.backend, Wanted(manifests=[s3 | {"metadata": {"name": "default"}}, pipeline(step("a", ""))])
    )
    assert started.notes == (f"Datastore default: here it is the folder {desk.backend.places.store}.",)
    assert desk.follow(started.run)["status"]["state"] == "Succeeded"


def test_another_folder_for_a_datastore_is_another_datastore_of_its_name(desk: Desk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first = apply_folder(desk.backend, "lake", tmp_path / "one")
    assert apply_folder(desk.backend, "lake", tmp_path / "one")["metadata"]["uid"] == first["metadata"]["uid"]
    assert apply_folder(desk.backend, "lake", tmp_path / "two")["metadata"]["uid"] != first["metadata"]["uid"]
    with pytest.raises(UserErrorException, match="is not a folder"):
        apply_folder(desk.backend, "lake", tmp_path / "three")


def test_a_workspace_is_made_once_and_found_from_folders_below(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    made = init(tmp_path, tmp_path / "data")
    (tmp_path / "data/a.txt").write_bytes(b"a")
    with made.open_store("default") as store:
        assert [one.path for one in store.list_files("")] == ["a.txt"]
        assert store.state("a.txt").size == 1
        with pytest.raises(NotFoundError, match=r"b\.txt"):
            store.state("b.txt")
    assert ensure_default(init(tmp_path))["metadata"]["uid"] == ensure_default(made)["metadata"]["uid"]
    assert (tmp_path / ".towpath/.gitignore").read_text() == "*\n"
