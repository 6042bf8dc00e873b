"""Stories of runs without a cluster: the same passes, movers and digests, with processes for pods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.desk import Desk, dataset, names_of, pipeline, step
from towpath.backend import Container, Kind

pytestmark = pytest.mark.story

UPPER = "import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read().upper())"
LETTERS = dataset("letters", "raw/letters.txt")


def two_steps() -> tuple[dict[str, object], dict[str, object]]:
    read = step("read", UPPER, "$(inputs.letters.path)", "$(outputs.loud.path)")
    read |= {"inputs": [{"name": "letters"}], "outputs": [{"name": "loud"}]}
    show = step("show", "import sys; print(open(sys.argv[1]).read())", "$(inputs.loud.path)")
    show |= {"inputs": [{"name": "loud", "from": {"step": "read"}}]}
    return read, show


def test_a_dataset_goes_through_two_steps_and_the_output_becomes_a_version(desk: Desk) -> None:
    desk.put("raw/letters.txt", b"abc")
    read, show = two_steps()
    read["outputs"] = [{"name": "loud", "register": {"name": "loud-letters", "tags": {"by": "test"}}}]
    run = desk.run(LETTERS, pipeline(read, show))
    assert run["status"]["state"] == "Succeeded"
    assert desk.said(run, "show") == ["ABC"]
    version = desk.backend.get(Kind.DATASET_VERSION, "loud-letters-v1")
    assert version is not None
    assert version["spec"]["tags"] == {"by": "test"}
    assert version["spec"]["producedBy"]["run"] == run["metadata"]["name"]
    assert version["spec"]["directory"] is False
    (derived,) = version["spec"]["derivedFrom"]
    assert (derived["dataset"], derived["version"], derived["input"]) == ("letters", 1, "letters")
    with desk.backend.open_store("default") as store:
        folder = version["spec"]["inventory"]["path"].rpartition("/")[0]
        (data,) = store.list_files(f"{folder}/data/")
        assert b"".join(store.read(data.path)) == b"ABC"


def test_what_would_be_mounted_is_copied_here_and_the_run_says_so(desk: Desk) -> None:
    desk.put("raw/letters.txt", b"abc")
    read, show = two_steps()
    read["inputs"] = [{"name": "letters", "mode": "Mount"}]
    read["command"] = ["python3", "step.py", "$(inputs.letters.path)", "$(outputs.loud.path)"]
    run = desk.run(LETTERS, pipeline(read, show))
    assert run["status"]["state"] == "Succeeded", run["status"]
    assert desk.said(run, "show") == ["ABC"]
    notes = desk.step_of(run, "read")["notes"]
    assert notes == ["input letters: downloaded: without a cluster nothing is mounted"]


def test_a_second_run_takes_what_the_first_computed_and_a_change_computes_anew(desk: Desk) -> None:
    desk.put("raw/letters.txt", b"abc")
    first = desk.run(LETTERS, pipeline(*two_steps()))
    second = desk.run(LETTERS, pipeline(*two_steps()))
    assert desk.step_of(second, "read")["reusedFrom"]["run"] == first["metadata"]["name"]
    assert not desk.said(second, "read")
    desk.put("raw/letters.txt", b"abcd")
    third = desk.run(LETTERS, pipeline(*two_steps()))
    assert desk.said(third, "show") == ["ABCD"]
    assert desk.step_of(third, "read")["reuseMiss"]["components"] == ["inputs.letters"]
    assert names_of(desk.backend.list_objects(Kind.DATASET_VERSION)) == ["letters-v1", "letters-v2"]
    fourth = desk.run(LETTERS, pipeline(*two_steps()), reuse=False)
    assert "reusedFrom" not in desk.step_of(fourth, "read")


def test_a_step_finds_its_context_its_variables_and_nothing_else_of_the_machine(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the machine")
    desk.put("raw/letters.txt", b"abc")
    code = (
        "import json, os\n"
        "print(json.dumps({'context': json.load(open(os.environ['TOWPATH_CONTEXT'])),"
        " 'env': dict(os.environ), 'cwd': os.getcwd()}))\n"
        "open(os.environ['TOWPATH_METRICS'], 'a').write('{\"name\": \"accuracy\", \"value\": 0.5}\\n')\n"
        "open(os.environ['TOWPATH_OUTPUT_OUT'], 'w').write('done')\n"
    )
    told = step("tell", code, inputs=[{"name": "letters"}], outputs=[{"name": "out"}])
    told["env"] = [{"name": "SHARE", "value": "$(params.share)"}, {"name": "BOTH", "value": "$(SHARE)$$(x)"}]
    params = [{"name": "share", "type": "number", "default": 80}]
    run = desk.run(LETTERS, pipeline(told, params=params), params={"share": 7.5})
    assert run["status"]["state"] == "Succeeded", run["status"]
    seen = json.loads(desk.said(run, "tell")[0])
    given = seen["context"]["inputs"]["letters"]
    assert given["path"] == seen["env"]["TOWPATH_INPUT_LETTERS"]
    assert Path(given["path"]).name == "letters.txt"
    assert (given["dataset"], given["version"]) == ("letters", 1)
    assert seen["context"]["outputs"]["out"]["path"] == seen["env"]["TOWPATH_OUTPUT_OUT"]
    assert seen["context"]["run"]["name"] == run["metadata"]["name"]
    assert (seen["env"]["SHARE"], seen["env"]["BOTH"]) == ("7.5", "7.5$(x)")
    assert seen["env"]["TOWPATH_PARAM_SHARE"] == "7.5"
    assert seen["env"]["HOME"] == f"{seen['cwd']}/.home"
    assert "AWS_SECRET_ACCESS_KEY" not in seen["env"]
    assert desk.step_of(run, "tell")["metrics"] == [{"name": "accuracy", "value": 0.5}]


def test_a_step_that_fails_is_retried_and_its_last_words_are_told(desk: Desk) -> None:
    code = (
        "import json, os, sys\n"
        "attempt = json.load(open(os.environ['TOWPATH_CONTEXT']))['attempt']\n"
        "print('attempt', attempt)\n"
        "sys.exit(0 if attempt == 2 else 3)\n"
    )
    flaky = step("flaky", code, retries=1)
    broken = step("broken", "import sys; sys.exit('the disk is made of cheese')", dependsOn=["flaky"])
    run = desk.run(pipeline(flaky, broken))
    assert run["status"]["state"] == "Failed"
    assert desk.step_of(run, "flaky")["attempt"] == 2
    assert [line.attempt for line in desk.backend.logs(run, "flaky", Container.STEP)] == [1, 2]
    assert desk.step_of(run, "broken")["reason"] == "ExitCode"
    assert "made of cheese" in desk.step_of(run, "broken")["logTail"]


def test_an_output_that_was_not_written_fails_the_step_with_the_path_that_it_saw(desk: Desk) -> None:
    lazy = step("lazy", "print('nothing to do')", outputs=[{"name": "model"}])
    run = desk.run(pipeline(lazy))
    told = desk.step_of(run, "lazy")
    assert told["reason"] == "OutputMissing"
    assert f"{desk.backend.places.pods}/" in told["message"]
    assert "/outputs/model" in told["message"]


def test_a_command_that_takes_too_long_is_stopped(desk: Desk) -> None:
    slow = step("slow", "import time; time.sleep(60)", timeoutSeconds=1)
    run = desk.run(pipeline(slow))
    assert desk.step_of(run, "slow")["reason"] == "StepTimedOut"
    assert "longer than timeoutSeconds=1" in desk.said(run, "slow")[-1]


def test_a_step_in_shards_gets_its_shares_and_its_outputs_are_one(desk: Desk) -> None:
    for number in range(6):
        desk.put(f"raw/{number}.txt", str(number).encode())
    code = (
        "import os, sys\n"
        "os.makedirs(sys.argv[2])\n"
        "for name in sorted(os.listdir(sys.argv[1])):\n"
        "    open(os.path.join(sys.argv[2], name), 'w').write(os.environ['TOWPATH_SHARD'])\n"
    )
    each = step("each", code, "$(inputs.all.path)", "$(outputs.parts.path)")
    each |= {"inputs": [{"name": "all"}], "outputs": [{"name": "parts"}]}
    each |= {"shards": {"input": "all", "count": 3}}
    show = step("show", "import os, sys; print(*sorted(os.listdir(sys.argv[1])))", "$(inputs.parts.path)")
    show |= {"inputs": [{"name": "parts", "from": {"step": "each"}}]}
    run = desk.run(dataset("all", "raw/*.txt"), pipeline(each, show))
    assert run["status"]["state"] == "Succeeded", run["status"]
    assert desk.said(run, "show") == ["0.txt 1.txt 2.txt 3.txt 4.txt 5.txt"]


def test_views_code_of_a_config_map_and_exports_work_as_on_a_cluster(desk: Desk, tmp_path: Path) -> None:
    for number in range(10):
        desk.put(f"raw/{number}.txt", str(number).encode())
    (tmp_path / "results").mkdir()
    code = "import os, shutil, sys\nshutil.copytree(sys.argv[1], sys.argv[2])\n"
    config_map = {"kind": "ConfigMap", "metadata": {"name": "code"}, "data": {"step.py": code}}
    split = {
        "split": {
            "parts": [{"name": "a", "percent": 50}, {"name": "b"}],
            "part": "a",
            "seed": 1,
            "exact": True,
        }
    }
    copy = step("copy", "", "$(inputs.all.path)", "$(outputs.half.path)")
    copy |= {"code": {"configMapRef": {"name": "code"}}}
    copy |= {"inputs": [{"name": "all", "transforms": [split]}]}
    copy |= {"outputs": [{"name": "half", "export": {"datastore": "results", "path": "{run-id}/half"}}]}
    run = desk.run(
        config_map,
        dataset("all", "raw/*.txt"),
        pipeline(copy),
        folders={"results": tmp_path / "results"},
    )
    assert run["status"]["state"] == "Succeeded", run["status"]
    exported = sorted(path.name for path in tmp_path.glob("results/*/half/data/*.txt"))
    assert len(exported) == 5
