"""`towpath get`: the words for kinds, tables, data, and names that lead on."""

from __future__ import annotations

import json

import pytest
import yaml

import builders
from cli.command_line import towpath
from cli.memory import MemoryBackend
from cli.scenes import namespace


def test_a_run_is_one_line_with_its_state_steps_and_bytes() -> None:
    called = towpath(namespace(), "get", "runs")
    heads, line = called.lines
    assert heads.split() == ["NAME", "STATE", "STEPS", "IN", "OUT", "TOOK", "AGE"]
    assert line.split()[:8] == ["iris-1", "Succeeded", "2/2", "2.0", "MB", "4.0", "MB", "1m00s"]


@pytest.mark.parametrize(
    "word", ["dataset", "datasets", "Dataset", "datasets.towpath.dev", "dataset.towpath.dev", "tpset"]
)
def test_a_kind_goes_by_kubectls_words_too(word: str) -> None:
    assert [line.split()[0] for line in towpath(namespace(), "get", word).lines] == [
        "NAME",
        "iris",
        "iris-model",
    ]


def test_an_unknown_kind_is_wrong_usage_and_near_ones_are_named() -> None:
    called = towpath(namespace(), "get", "rnus")
    assert (called.code, called.out) == (2, "")
    assert "Did you mean runs?" in called.err


def test_a_name_that_is_not_there_is_wrong_usage_and_says_where_and_what_there_is() -> None:
    called = towpath(namespace(), "get", "runs", "iris-2")
    assert called.code == 2
    assert called.err == (
        "Error: There is no run iris-2 in namespace team-a of cluster test. Did you mean iris-1? "
        "`towpath get runs` lists them.\n"
    )


@pytest.mark.parametrize(
    "name", ["iris_model", "iris-model", "datasets/iris_model", "datasets.towpath.dev/iris-model"]
)
def test_a_dataset_is_found_by_the_name_that_its_user_gave(name: str) -> None:
    assert (
        towpath(namespace(), "get", "datasets", name, "-o", "name").out == "datasets.towpath.dev/iris-model\n"
    )


def test_a_version_is_found_as_dataset_and_number() -> None:
    assert towpath(namespace(), "get", "versions", "iris_model@1", "-o", "name").lines == [
        "datasetversions.towpath.dev/iris-model-v1"
    ]


def test_names_that_are_printed_are_taken_again() -> None:
    backend = namespace()
    [name] = towpath(backend, "get", "runs", "-o", "name").lines
    assert json.loads(towpath(backend, "get", "runs", name, "-o", "json").out)["metadata"]["name"] == "iris-1"


def test_json_and_yaml_hold_the_objects_as_they_are() -> None:
    backend = namespace()
    listed = json.loads(towpath(backend, "get", "runs", "-o", "json").out)
    one = yaml.safe_load(towpath(backend, "get", "runs", "iris-1", "-o", "yaml").out)
    assert listed["items"] == [one] == [backend.objects["PipelineRun", "iris-1"]]


def test_the_youngest_run_comes_first() -> None:
    backend = MemoryBackend()
    for name, born in (
        ("b", "2026-06-01T10:00:00Z"),
        ("a", "2026-06-01T12:00:00Z"),
        ("c", "2026-06-01T11:00:00Z"),
    ):
        run = builders.make_run(name)
        run["metadata"]["creationTimestamp"] = born
        backend.hold(run)
    assert [line.split()[0] for line in towpath(backend, "get", "runs").lines[1:]] == ["a", "c", "b"]


def test_labels_choose() -> None:
    backend = namespace()
    backend.objects["PipelineRun", "iris-1"]["metadata"]["labels"] = {"team": "a"}
    assert (
        towpath(backend, "get", "runs", "-l", "team=a", "-o", "name").out
        == "pipelineruns.towpath.dev/iris-1\n"
    )
    assert towpath(backend, "get", "runs", "-l", "team=b", "-o", "name").out == ""
    assert towpath(backend, "get", "runs", "-l", "team").code == 2


def test_nothing_is_said_on_stderr_and_stdout_stays_empty() -> None:
    called = towpath(MemoryBackend(), "get", "runs")
    assert (called.code, called.out) == (0, "")
    assert called.err == "There are no runs in namespace team-a of cluster test.\n"


def test_a_datastore_says_its_place_and_why_it_is_not_ready() -> None:
    backend = MemoryBackend().hold(builders.make_datastore())
    [line] = towpath(backend, "get", "datastores").lines[1:]
    assert "s3://ml-data/team-a/" in line
    assert "nobody has looked at it yet" in line


def test_what_others_wrote_cannot_control_the_terminal() -> None:
    backend = namespace()
    status = backend.objects["PipelineRun", "iris-1"]["status"]
    status |= {"state": "Failed", "message": "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\n[bold]x[/bold]"}
    for call in (("get", "runs"), ("describe", "run", "iris-1")):
        out = towpath(backend, *call).out
        assert not set(out) & {"\x1b", "\x07", "\u202e"}
        assert "\\x1b]0;owned\\x07" in out
        assert "[bold]x[/bold]" in out


def test_a_table_for_a_file_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    backend = namespace()
    backend.objects["PipelineRun", "iris-1"]["status"] |= {"state": "Failed", "message": "x" * 300}
    out = towpath(backend, "get", "runs").out
    assert "x" * 300 in out
    assert all(line == line.rstrip() for line in out.splitlines())
