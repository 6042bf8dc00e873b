"""PipelineRun and StepRun over any backend: waiting tells, ends, raises; the rest reads the run as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from builders import make_run, make_step_status
from cli.memory import MemoryBackend, MemoryStore
from remote.stored import an_output
from towpath.backend import Container, Kind, LogLine, Manifest
from towpath.errors import ActivityFailedException, NotFoundError, WaitTimeoutError
from towpath.run_progress import new_lines
from towpath.runs import PipelineRun

DONE = {"completionTime": "2026-11-26T06:00:00Z"}


def a_backend(*changes: dict[str, Any], **status: Any) -> MemoryBackend:
    """A namespace with the run iris-1, whose status has these fields, and then changes so."""
    backend = MemoryBackend().hold(make_run("iris-1") | {"status": status})
    backend.changes[Kind.PIPELINE_RUN, "iris-1"] = [{"status": change} for change in changes]
    return backend


def of(backend: MemoryBackend) -> PipelineRun:
    return PipelineRun.get(SimpleNamespace(backend=backend), "iris-1")


def a_step(name: str, state: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "state": state} | fields


def test_waiting_tells_what_happens_and_returns_the_state(capsys: pytest.CaptureFixture[str]) -> None:
    scheduling = a_step("prep", "Waiting", reason="Unschedulable", message="0/1 nodes are available")
    backend = a_backend(
        {"state": "Running", "steps": [a_step("train", "Pending"), scheduling]},
        {"steps": [a_step("train", "Pending"), scheduling | {"message": "0/2 nodes are available"}]},
        {"steps": [a_step("train", "Running"), make_step_status("prep")]},
        DONE | {"state": "Succeeded", "steps": [a_step("train", "Succeeded"), make_step_status("prep")]},
        state="Waiting",
        message="Datastore default is not Ready",
    )
    assert of(backend).wait() == "Succeeded"
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "iris-1: Waiting: Datastore default is not Ready",
        "iris-1: prep: Waiting (Unschedulable): 0/1 nodes are available",
        "iris-1: train: Running",
        "iris-1: prep: Succeeded, 100 files, 123.5 MB",
        "iris-1: train: Succeeded",
    ]


def test_waiting_may_be_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert of(a_backend(state="Succeeded", **DONE)).wait_for_completion(show_output=False) == "Succeeded"
    assert capsys.readouterr().err == ""


def test_a_timeout_is_an_error_that_says_that_the_run_goes_on() -> None:
    with pytest.raises(WaitTimeoutError, match=r"iris-1 is Running after 0\.5 s, and goes on") as raised:
        of(a_backend(state="Running")).wait(0.5)
    assert isinstance(raised.value, TimeoutError)


def test_azures_largest_integer_means_no_limit() -> None:
    limits: list[object] = []

    class Noting(MemoryBackend):
        def watch(self, kind: Kind, name: str, timeout_seconds: float | None = None) -> Iterator[Manifest]:
            limits.append(timeout_seconds)
            return super().watch(kind, name, timeout_seconds)

    backend = Noting(a_backend(state="Succeeded", **DONE).objects)
    of(backend).wait_for_completion(timeout_seconds=2**63 - 1)
    of(backend).wait(30)
    assert limits == [None, 30]


def test_a_failure_raises_with_the_last_lines_of_the_failed_steps() -> None:
    tail = "\n".join(f"line {number}" for number in range(30))
    steps = [
        a_step("prep", "Failed", reason="StepFailed", message="exit code 1", logTail=tail),
        a_step("train", "Failed", attempt=2),
        a_step("score", "Skipped"),
    ]
    backend = a_backend(state="Failed", message="step prep failed", steps=steps, **DONE)
    backend.lines = [LogLine("train", 2, Container.STEP, "KeyError: 'x'")]
    with pytest.raises(ActivityFailedException) as raised:
        of(backend).wait()
    lines = str(raised.value).splitlines()
    assert lines[0] == "Run iris-1 ended Failed: step prep failed"
    assert lines[1] == "prep: Failed (StepFailed): exit code 1"
    assert lines[2:22] == [f"    line {number}" for number in range(10, 30)]
    assert lines[22:] == ["train: Failed, attempt 2", "    KeyError: 'x'"]
    assert of(backend).wait(raise_on_error=False) == "Failed"


def test_a_cancelled_run_has_not_succeeded() -> None:
    with pytest.raises(ActivityFailedException, match="ended Cancelled"):
        of(a_backend(state="Cancelled", **DONE)).wait()


def test_ctrl_c_ends_the_waiting_and_not_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(MemoryBackend):
        def watch(self, kind: Kind, name: str, timeout_seconds: float | None = None) -> Iterator[Manifest]:
            del kind, name, timeout_seconds
            raise KeyboardInterrupt

    backend = Interrupted(a_backend(state="Running").objects)
    with pytest.raises(KeyboardInterrupt):
        of(backend).wait()
    assert "it goes on" in capsys.readouterr().err
    assert backend.objects["PipelineRun", "iris-1"]["spec"].get("cancel") is None


def test_a_run_that_was_deleted_meanwhile_is_told() -> None:
    class Deleting(MemoryBackend):
        def watch(self, kind: Kind, name: str, timeout_seconds: float | None = None) -> Iterator[Manifest]:
            del timeout_seconds
            yield self.objects[kind, name]
            self.delete(kind, name)

    backend = Deleting(a_backend(state="Running").objects)
    with pytest.raises(NotFoundError, match="was deleted"):
        of(backend).wait()


def test_cancelling_twice_and_after_the_end_is_harmless() -> None:
    backend = a_backend(state="Running")
    of(backend).cancel()
    of(backend).cancel()
    assert backend.objects["PipelineRun", "iris-1"]["spec"]["cancel"] is True
    ended = a_backend(state="Succeeded", **DONE)
    of(ended).cancel()
    assert "cancel" not in ended.objects["PipelineRun", "iris-1"]["spec"]


def test_a_wrong_name_of_a_run_a_step_or_an_output_lists_near_ones() -> None:
    backend = a_backend(state="Succeeded", steps=[make_step_status("prep")], **DONE)
    with pytest.raises(NotFoundError, match="Did you mean iris-1"):
        PipelineRun.get(SimpleNamespace(backend=backend), "irsi-1")
    run = of(backend)
    with pytest.raises(NotFoundError, match="Did you mean prep"):
        run.find_step_run("prpe")
    with pytest.raises(NotFoundError, match=r"iris-1/prep \(Succeeded\) has published no output dat"):
        run.find_step_run("prep")[0].get_output("dat")
    with pytest.raises(NotFoundError, match="Did you mean prep/data"):
        run.get_pipeline_output("prep/dat")


def test_an_output_is_found_by_its_name_and_where_several_have_it_with_its_step() -> None:
    steps = [make_step_status("prep"), make_step_status("train")]
    run = of(a_backend(state="Succeeded", steps=steps, **DONE))
    assert run.get_pipeline_output("train/data").step == "train"
    with pytest.raises(NotFoundError, match="several published outputs data"):
        run.get_pipeline_output("data")
    one = of(a_backend(state="Succeeded", steps=steps[:1], **DONE))
    assert one.get_pipeline_output("data").step == "prep"


def test_steps_metrics_and_states_are_read() -> None:
    metrics = [{"name": "accuracy", "value": 0.94}]
    steps = [a_step("prep", "Succeeded"), a_step("train", "Running", metrics=metrics)]
    run = of(a_backend(state="Running", steps=steps))
    assert [(step.id, step.get_status()) for step in run.get_steps()] == [
        ("iris-1/prep", "Succeeded"),
        ("iris-1/train", "Running"),
    ]
    assert run.get_metrics() == {"train": {"accuracy": 0.94}}
    assert run.find_step_run("train")[0].get_metrics() == {"accuracy": 0.94}
    assert of(a_backend()).get_status() == "Waiting"


def test_a_step_is_waited_for_while_its_run_goes_on() -> None:
    backend = a_backend(
        {"steps": [a_step("prep", "Succeeded"), a_step("train", "Running")]},
        {"steps": [a_step("prep", "Succeeded"), a_step("train", "Failed")]},
        state="Running",
        steps=[a_step("prep", "Running")],
    )
    run = of(backend)
    assert run.find_step_run("prep")[0].wait() == "Succeeded"
    backend.changes[Kind.PIPELINE_RUN, "iris-1"] = [{"status": {"steps": [a_step("train", "Failed")]}}]
    with pytest.raises(ActivityFailedException, match="train: Failed"):
        run.find_step_run("train")[0].wait()


def test_a_log_is_that_of_the_latest_attempt() -> None:
    backend = a_backend(state="Running", steps=[a_step("train", "Running")])
    for attempt, container, text in (
        (1, Container.STEP, "old"),
        (2, Container.STEP, "new"),
        (2, Container.PUBLISH, "sent"),
    ):
        backend.lines.append(LogLine("train", attempt, container, text))
    (step,) = of(backend).find_step_run("train")
    assert (step.get_stdout_log(), step.get_stderr_log()) == ("new\n", "new\n")
    assert step.get_log("publish") == "sent\n"
    assert [line.text for line in of(backend).logs("train")] == ["old", "new", "sent"]


def test_an_output_is_downloaded_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOWPATH_CACHE", str(tmp_path / "cache"))
    store = MemoryStore()
    inventory = an_output(store, {"a.csv": b"a", "b/c.csv": b"c"}, tmp_path)
    step = make_step_status("prep")
    step["outputs"][0] |= {"inventory": inventory.path, "digest": inventory.digest, "files": 2, "bytes": 2}
    backend = a_backend(state="Succeeded", steps=[step], **DONE)
    backend.stores["default"] = store
    output = of(backend).find_step_run("prep")[0].get_output_data("data")
    assert output.download(tmp_path / "here") == 2
    assert (tmp_path / "here/b/c.csv").read_bytes() == b"c"
    assert "clean: 2 B of 2 B, 2 of 2 files" in capsys.readouterr().err
    store.objects.clear()
    assert (output.fetch(show_progress=False) / "a.csv").read_bytes() == b"a"
    assert output.path_on_datastore == inventory.path.rpartition("/")[0]
    step["outputs"][0] |= {"directory": False, "file": "a.csv"}
    single = of(backend).get_pipeline_output("data")
    assert single.fetch(show_progress=False).read_bytes() == b"a"
    # A status leaves out what is called as the output is.
    del step["outputs"][0]["file"]
    assert of(backend).get_pipeline_output("data").file == "data"


def test_nothing_is_told_of_what_did_not_change() -> None:
    status = {"state": "Running", "steps": [a_step("prep", "Running")]}
    assert new_lines(status, status) == []
    assert new_lines({}, {"state": "Failed", "message": "no step prep"}) == ["Failed: no step prep"]
