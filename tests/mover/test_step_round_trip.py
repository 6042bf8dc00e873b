"""stage-in and publish as processes against a real S3 server: what one step publishes the next one gets."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from cluster.space import Space
from mover.pods import ATTEMPT_ID, Pod, content_of, datastore, output, write_files
from towpath.flow import names
from towpath.flow.code import code_digest
from towpath.flow.planned import PlannedCode

pytestmark = pytest.mark.server

FILES = [
    ("model.bin", bytes(range(256)) * 40_000),
    ("empty", b""),
    ("deep/er/räksmörgås 1%+.txt", b"text"),
    ("deep/other", b"x" * 5000),
]


def pod(space: Space, root: Path, **given: object) -> Pod:
    return Pod(root, datastore(space), space.s3.admin, **given)  # type: ignore[arg-type]


def test_what_one_step_publishes_the_next_one_gets_byte_for_byte(local_s3: Space, tmp_path: Path) -> None:
    first = pod(local_s3, tmp_path / "1", outputs=[output("model")])
    assert first.stage_in().code == 0
    write_files(first.root / "outputs/model", FILES)
    (first.root / "outputs/model/deep/other").chmod(0o755)
    code, published = first.run_step(
        "/bin/sh", "-c", 'echo \'{"name": "loss", "value": 0.5}\' > .metrics.jsonl'
    )
    assert (code, published.code) == (0, 0), published.errors
    [out] = published.report["outputs"]
    assert (out["files"], out["bytes"], out["directory"]) == (
        4,
        sum(len(content) for _, content in FILES),
        True,
    )
    assert published.report["metrics"] == {"loss": 0.5}

    second = pod(local_s3, tmp_path / "2", inputs=[("model", out["inventory"])])
    staged = second.stage_in()
    assert staged.code == 0, staged.errors
    assert content_of(second.root / "inputs/model") == content_of(first.root / "outputs/model")
    assert (staged.report["files"], staged.report["verified"]) == (4, "Bytes")


def test_the_result_object_is_the_report_and_data_lie_where_the_plan_says(
    local_s3: Space, tmp_path: Path
) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("clean")])
    (tmp_path / "outputs/clean").write_bytes(b"rows")
    published = attempt.publish()
    base = f"team-a/runs/iris-0123abcd/prep/{ATTEMPT_ID}"
    assert local_s3.keys() == [
        f"{base}/clean/data/clean",
        f"{base}/clean/inventory.jsonl.gz",
        f"{base}/result",
    ]
    assert json.loads(local_s3.get(f"{base}/result")) == published.report
    assert local_s3.get(f"{base}/clean/data/clean") == b"rows"
    [out] = published.report["outputs"]
    assert (out["directory"], out["file"], out["inventory"]["path"]) == (
        False,
        "clean",
        f"{base}/clean/inventory.jsonl.gz",
    )


@pytest.mark.parametrize(
    "said", ["1\n", "143 terminated\n", "", "0", "0\n0\n", "0 terminated\n", "124 timeout\n", "00\n"]
)
def test_nothing_is_published_unless_the_step_ended_with_zero(
    local_s3: Space, tmp_path: Path, said: str
) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("clean")])
    (tmp_path / "outputs/clean").write_bytes(b"rows")
    published = attempt.publish(said)
    assert published.code == 45
    assert published.report["reason"] == ("StepTimedOut" if "timeout" in said else "NotPublished")
    assert local_s3.keys() == []


def test_a_killed_step_publishes_nothing(local_s3: Space, tmp_path: Path) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("clean", optional=True)])
    attempt.stage_in()
    code, published = attempt.run_step("/bin/sh", "-c", "echo half > ../outputs/clean; kill -9 $PPID")
    assert (code, published.code) == (-9, 45)
    assert "killed" in published.report["message"]
    assert local_s3.keys() == []


@pytest.mark.fault
def test_a_publisher_that_is_killed_commits_nothing(local_s3: Space, tmp_path: Path) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("many")])
    write_files(tmp_path / "outputs/many", [(f"{number}", b"x" * 1000) for number in range(1200)])
    publishing = attempt.start("publish", "0\n.")
    deadline = time.monotonic() + 120
    while not (seen := local_s3.keys()):
        assert time.monotonic() < deadline
    publishing.kill()
    publishing.communicate()
    assert len(seen) > 0
    assert not [key for key in local_s3.keys() if "/data/" not in key]  # noqa: SIM118 - a method, not a dict


@pytest.mark.fault
def test_a_publisher_whose_step_ended_well_goes_on_through_sigterm(local_s3: Space, tmp_path: Path) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("many")])
    write_files(tmp_path / "outputs/many", [(f"{number}", b"x" * 1000) for number in range(1000)])
    publishing = attempt.start("publish", "0\n.")
    while not local_s3.keys():
        assert publishing.poll() is None
    publishing.terminate()
    ended = attempt.end(publishing)
    assert (ended.code, ended.report["outputs"][0]["files"]) == (0, 1000)


def test_an_output_that_was_not_written_is_named_with_what_was_found_near(
    local_s3: Space, tmp_path: Path
) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("model"), output("log", optional=True)])
    attempt.stage_in()
    write_files(tmp_path, [("outputs/modle/weights", b"w"), ("work/model", b"m")])
    published = attempt.publish()
    assert (published.code, published.report["reason"]) == (41, "OutputMissing")
    message = published.report["message"]
    assert "/towpath/outputs/model" in message
    assert "modle" in message
    assert "working directory" in message
    assert local_s3.keys() == []


def test_a_refused_key_is_found_before_user_code_runs(local_s3: Space, tmp_path: Path) -> None:
    reader = local_s3.s3.reader
    assert reader
    attempt = Pod(tmp_path, datastore(local_s3), reader, outputs=[output("model")])
    staged = attempt.stage_in()
    assert (staged.code, staged.report["reason"]) == (44, "PermissionDenied")
    assert reader.secret_key not in staged.errors + json.dumps(staged.report)


def test_the_write_check_leaves_nothing_behind(local_s3: Space, tmp_path: Path) -> None:
    attempt = pod(
        local_s3, tmp_path, outputs=[output("model"), output("log", prefix="team-a/datasets/log/r/prep/")]
    )
    assert attempt.stage_in().code == 0
    assert local_s3.keys() == []


def test_missing_keys_are_named_with_their_secret(local_s3: Space, tmp_path: Path) -> None:
    attempt = Pod(tmp_path, datastore(local_s3), None, outputs=[output("model")])
    staged = attempt.stage_in()
    assert (staged.code, staged.report["reason"]) == (44, "CredentialsMissing")
    assert "'s3-creds'" in staged.report["message"]


def test_a_publisher_waits_for_credentials_that_are_accepted(
    local_s3: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Pod(tmp_path, datastore(local_s3), local_s3.s3.reader, outputs=[output("clean")])
    (tmp_path / "outputs/clean").write_bytes(b"rows")
    publishing = attempt.start("publish", "0\n.")
    assert publishing.stderr
    refused = publishing.stderr.readline()
    while "Trying again" not in refused:
        refused = publishing.stderr.readline()
    attempt.give_keys(local_s3.s3.admin)
    ended = attempt.end(publishing)
    assert (ended.code, ended.report["outputs"][0]["files"]) == (0, 1)


@pytest.mark.fault
def test_a_publisher_without_credentials_ends_when_it_is_told_to(local_s3: Space, tmp_path: Path) -> None:
    attempt = Pod(tmp_path, datastore(local_s3), local_s3.s3.reader, outputs=[output("clean")])
    (tmp_path / "outputs/clean").write_bytes(b"rows")
    publishing = attempt.start("publish", "0\n.")
    assert publishing.stderr
    while "Trying again" not in publishing.stderr.readline():
        pass
    publishing.terminate()
    ended = attempt.end(publishing)
    assert (ended.code, ended.report["reason"]) == (44, "PermissionDenied")


def test_an_input_whose_object_changed_is_drift_and_names_it(local_s3: Space, tmp_path: Path) -> None:
    first = pod(local_s3, tmp_path / "1", outputs=[output("clean")])
    (first.root / "outputs/clean").write_bytes(b"rows")
    [out] = first.publish().report["outputs"]
    key = out["inventory"]["path"].replace("inventory.jsonl.gz", "data/clean")
    local_s3.put(key, b"lies")
    staged = pod(local_s3, tmp_path / "2", inputs=[("clean", out["inventory"])]).stage_in()
    assert (staged.code, staged.report["reason"]) == (42, "InputDrift")
    assert key in staged.report["message"]


def test_an_inventory_that_was_replaced_is_drift(local_s3: Space, tmp_path: Path) -> None:
    first = pod(local_s3, tmp_path / "1", outputs=[output("clean")])
    (first.root / "outputs/clean").write_bytes(b"rows")
    [out] = first.publish().report["outputs"]
    pinned = out["inventory"] | {"digest": "sha256:" + "0" * 64}
    staged = pod(local_s3, tmp_path / "2", inputs=[("clean", pinned)]).stage_in()
    assert (staged.code, staged.report["reason"]) == (42, "InputDrift")
    assert not (tmp_path / "2/inputs/clean").exists()


def test_an_empty_output_is_refused_unless_it_is_allowed(local_s3: Space, tmp_path: Path) -> None:
    attempt = pod(local_s3, tmp_path / "1", outputs=[output("out", make_directory=True)])
    attempt.stage_in()
    published = attempt.publish()
    assert (published.code, published.report["reason"]) == (41, "OutputEmpty")
    allowed = pod(local_s3, tmp_path / "2", outputs=[output("out", make_directory=True, allow_empty=True)])
    allowed.stage_in()
    [out] = allowed.publish().report["outputs"]
    assert (out["files"], out["directory"]) == (0, True)
    staged = pod(local_s3, tmp_path / "3", inputs=[("out", out["inventory"])]).stage_in()
    assert (staged.code, staged.report["reason"]) == (41, "EmptyInput")


def test_stage_in_prepares_the_place_where_the_command_runs(local_s3: Space, tmp_path: Path) -> None:
    files = {"prep.py": "print(1)\n", "run.sh": "#!/bin/sh\n"}
    code = PlannedCode(code_digest({name: text.encode() for name, text in files.items()}), inline=files)
    attempt = pod(local_s3, tmp_path, outputs=[output("a"), output("b", make_directory=True)], code=code)
    assert attempt.stage_in().code == 0
    assert content_of(tmp_path / "work") == {
        "prep.py": (b"print(1)\n", False),
        "run.sh": (b"#!/bin/sh\n", True),
    }
    assert (tmp_path / "work/.home").is_dir()
    assert (tmp_path / "work/.tmp").is_dir()
    assert (tmp_path / "bin/alive").is_fifo()
    assert not (tmp_path / "outputs/a").exists()
    assert (tmp_path / "outputs/b").is_dir()
    context = json.loads((tmp_path / "context/context.json").read_text())
    assert context["run"] == {"name": "iris", "uid": "0123abcd-0000-0000-0000-000000000000"}
    assert context["params"] == {"share": "80"}
    assert context["outputs"]["a"] == {"path": "/towpath/outputs/a"}


def test_outputs_with_places_of_their_own_are_published_like_others(local_s3: Space, tmp_path: Path) -> None:
    made = output("model", path="/opt/ml/model", make_directory=True)
    attempt = pod(local_s3, tmp_path, outputs=[made, output("log", path="/out/log.txt"), output("usual")])
    assert attempt.stage_in().code == 0
    inside = [
        tmp_path / names.output_place(path).removeprefix("/towpath/") for path in (made.path, "/out/log.txt")
    ]
    assert (inside[0].is_dir(), inside[1].parent.is_dir(), inside[1].exists()) == (True, True, False)
    write_files(
        tmp_path, [(f"{inside[0]}/weights", b"w"), (str(inside[1]), b"lines"), ("outputs/usual", b"u")]
    )
    outputs = attempt.publish().report["outputs"]
    assert [(one["name"], one["directory"], one.get("file")) for one in outputs] == [
        ("model", True, None),
        ("log", False, "log"),
        ("usual", False, "usual"),
    ]
    context = json.loads((tmp_path / "context/context.json").read_text())
    assert context["outputs"]["log"] == {"path": "/out/log.txt"}


def test_an_output_that_was_not_written_is_named_by_the_path_that_the_step_knows(
    local_s3: Space, tmp_path: Path
) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("log", path="/out/log.txt")])
    attempt.stage_in()
    published = attempt.publish()
    assert (published.code, published.report["reason"]) == (41, "OutputMissing")
    assert "nothing is at '/out/log.txt'" in published.report["message"]


def test_stage_in_may_run_again_in_the_same_pod(local_s3: Space, tmp_path: Path) -> None:
    first = pod(local_s3, tmp_path / "1", outputs=[output("clean")])
    (first.root / "outputs/clean").write_bytes(b"rows")
    [out] = first.publish().report["outputs"]
    again = pod(local_s3, tmp_path / "2", inputs=[("clean", out["inventory"])])
    assert again.stage_in().report["files"] == 1
    assert again.stage_in().report["files"] == 1


def test_code_that_was_changed_is_refused(local_s3: Space, tmp_path: Path) -> None:
    code = PlannedCode(code_digest({"prep.py": b"print(1)\n"}), config_map="prep-code")
    attempt = pod(local_s3, tmp_path, code=code)
    (tmp_path / "code/..data").mkdir(parents=True)
    (tmp_path / "code/..data/prep.py").write_bytes(b"print(1)\n")
    (tmp_path / "code/prep.py").symlink_to("..data/prep.py")
    assert attempt.stage_in().code == 0
    (tmp_path / "code/..data/prep.py").write_bytes(b"print(2)\n")
    staged = attempt.stage_in()
    assert (staged.code, staged.report["reason"]) == (41, "CodeDrift")
    assert "'prep-code'" in staged.report["message"]


def test_a_configmap_that_is_gone_is_said_by_name(local_s3: Space, tmp_path: Path) -> None:
    attempt = pod(local_s3, tmp_path, code=PlannedCode("sha256:" + "0" * 64, config_map="prep-code"))
    staged = attempt.stage_in()
    assert (staged.code, staged.report["reason"]) == (41, "CodeDrift")
    assert "'prep-code' does not exist" in staged.report["message"]


def test_an_order_that_cannot_be_read_is_a_bug_with_its_place(local_s3: Space, tmp_path: Path) -> None:
    attempt = pod(local_s3, tmp_path, outputs=[output("clean")])
    attempt.environ["TOWPATH_ATTEMPT"] = '{"attempt": "one"}'
    staged = attempt.stage_in()
    assert (staged.code, staged.report["reason"]) == (1, "Bug")
    assert "TOWPATH_ATTEMPT.attempt" in staged.report["message"]
    assert "Traceback" in staged.errors
