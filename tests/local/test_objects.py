"""Object files keep an API server's promises, whoever else writes at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from towpath.backend import Kind, Manifest
from towpath.errors import AlreadyExistsError, InvalidObjectError, NotFoundError
from towpath.local.backend import LocalBackend, open_backend
from towpath.local.follow import FolderFollower
from towpath.local.objects import ObjectFolder, StaleError, merged
from towpath.local.places import LocalPlaces
from towpath.local.rules import check
from towpath_operator.cluster.cache import Cache
from towpath_operator.cluster.queue import KeyedQueue

PIPELINE: Manifest = {
    "apiVersion": "towpath.dev/v1alpha1",
    "kind": "Pipeline",
    "metadata": {"name": "one"},
    "spec": {"steps": [{"name": "a", "command": ["true"]}]},
}
RUN: Manifest = {
    "apiVersion": "towpath.dev/v1alpha1",
    "kind": "PipelineRun",
    "metadata": {"generateName": "one-"},
    "spec": {"pipelineRef": {"name": "one"}},
}


@pytest.fixture
def objects(tmp_path: Path) -> ObjectFolder:
    """A folder without objects."""
    return ObjectFolder(tmp_path / "objects", check)


def test_creation_is_a_lock_and_names_are_made_where_none_is_given(objects: ObjectFolder) -> None:
    made = objects.create(PIPELINE)
    assert made["metadata"]["generation"] == 1
    with pytest.raises(AlreadyExistsError, match="Pipeline one"):
        objects.create(PIPELINE)
    names = {objects.create(RUN)["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(name.startswith("one-") for name in names)


def test_a_version_that_is_not_the_newest_is_refused_and_a_spec_that_changes_is_a_generation(
    objects: ObjectFolder,
) -> None:
    made = objects.create(PIPELINE)
    told = objects.edit(Kind.PIPELINE, "one", lambda item: item | {"status": {"seen": 1}})
    assert told["metadata"]["generation"] == 1
    assert int(told["metadata"]["resourceVersion"]) > int(made["metadata"]["resourceVersion"])
    with pytest.raises(StaleError):
        objects.edit(Kind.PIPELINE, "one", dict, made["metadata"]["resourceVersion"])
    changed = merged(told, {"spec": {"timeoutSeconds": 5}})
    assert objects.edit(Kind.PIPELINE, "one", lambda _: changed)["metadata"]["generation"] == 2
    with pytest.raises(NotFoundError, match="Pipeline two"):
        objects.edit(Kind.PIPELINE, "two", dict)


def test_what_changes_nothing_is_not_written(objects: ObjectFolder) -> None:
    made = objects.create(PIPELINE)
    assert objects.edit(Kind.PIPELINE, "one", dict) == made
    assert objects.version() == int(made["metadata"]["resourceVersion"])


def test_an_object_takes_its_config_maps_along_and_leaves_those_of_others(objects: ObjectFolder) -> None:
    run = objects.create(RUN)
    for name, uid in (("mine", run["metadata"]["uid"]), ("other", "somebody")):
        meta = {"name": name, "ownerReferences": [{"uid": uid}]}
        objects.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"a": "b"}})
    assert objects.remove(Kind.PIPELINE_RUN, run["metadata"]["name"], uid="another") is None
    objects.remove(Kind.PIPELINE_RUN, run["metadata"]["name"])
    assert [item["metadata"]["name"] for item in objects.list_objects(Kind.CONFIG_MAP)] == ["other"]


@pytest.mark.parametrize("name", ["../escape", "Upper", "a/b", ".", "", "a" * 300])
def test_a_name_that_is_none_never_becomes_a_path(objects: ObjectFolder, name: str) -> None:
    with pytest.raises(InvalidObjectError):
        objects.create(PIPELINE | {"metadata": {"name": name}})
    if name:
        with pytest.raises(InvalidObjectError):
            objects.read(Kind.PIPELINE, name)


def test_a_secret_is_for_its_owner_only(objects: ObjectFolder, tmp_path: Path) -> None:
    objects.create(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"a": "b"}}
    )
    objects.edit(Kind.SECRET, "keys", lambda item: item | {"stringData": {"a": "c"}})
    assert (tmp_path / "objects/secret/keys.json").stat().st_mode & 0o777 == 0o600


def test_what_breaks_a_rule_is_refused_with_field_and_rule(objects: ObjectFolder) -> None:
    steps = [{"name": "a", "command": ["true"], "retries": -1}, {"name": "b", "comand": ["true"]}]
    with pytest.raises(InvalidObjectError) as refused:
        objects.create(PIPELINE | {"spec": {"steps": steps}})
    assert "Pipeline one is refused" in str(refused.value)
    assert "spec.steps[a].retries" in str(refused.value)
    assert "spec.steps[b].comand" in str(refused.value)


def test_of_a_run_only_cancel_changes_and_only_to_true(tmp_path: Path) -> None:
    objects = ObjectFolder(tmp_path / "objects", check)
    name = objects.create(RUN)["metadata"]["name"]

    def to(**spec: object) -> Manifest:
        return objects.edit(Kind.PIPELINE_RUN, name, lambda item: dict(merged(item, {"spec": spec})))

    with pytest.raises(InvalidObjectError, match=r"spec\.pipelineRef"):
        to(pipelineRef={"name": "two"})
    assert to(cancel=True)["spec"]["cancel"] is True
    with pytest.raises(InvalidObjectError, match="cancel only goes to true"):
        to(cancel=False)


RACE = (
    "import json, sys\n"
    "from pathlib import Path\n"
    "from towpath.backend import Kind\n"
    "from towpath.errors import AlreadyExistsError\n"
    "from towpath.local.objects import ObjectFolder\n"
    "objects = ObjectFolder(Path(sys.argv[1]), lambda *_: None)\n"
    "won = 0\n"
    "for number in range(40):\n"
    "    try:\n"
    "        objects.create({'kind': 'ConfigMap', 'metadata': {'name': f'n{number}'}, 'data': {'count': 0}})\n"
    "        won += 1\n"
    "    except AlreadyExistsError:\n"
    "        pass\n"
    "    more = lambda item: item | {'data': {'count': item['data']['count'] + 1}}\n"
    "    objects.edit(Kind.CONFIG_MAP, 'n0', more)\n"
    "print(won)\n"
)


def test_processes_that_write_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    racing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    won = [int(process.communicate(timeout=60)[0]) for process in racing]
    assert sum(won) == 40
    item = json.loads((tmp_path / "configmap/n0.json").read_text())
    assert item["data"]["count"] == 4 * 40
    versions = [
        json.loads(file.read_text())["metadata"]["resourceVersion"] for file in tmp_path.glob("*/*.json")
    ]
    assert len(set(versions)) == 40


def test_to_look_makes_no_workspace_and_the_default_datastore_is_there_when_wanted(tmp_path: Path) -> None:
    backend = open_backend(tmp_path)
    assert backend.list_objects(Kind.PIPELINE_RUN) == []
    assert list(tmp_path.iterdir()) == []
    assert backend.where == f"local workspace {tmp_path / '.towpath'}"


def test_apply_brings_the_spec_to_this_and_keeps_what_others_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("towpath.local.backend.wake", lambda _: None)
    backend = LocalBackend(LocalPlaces(tmp_path / ".towpath"))
    backend.apply(PIPELINE | {"metadata": {"name": "one", "annotations": {"a": "1"}}})
    backend.patch(Kind.PIPELINE, "one", {"status": {"conditions": []}, "metadata": {"labels": {"by": "me"}}})
    applied = backend.apply(
        PIPELINE | {"metadata": {"name": "one", "annotations": {"b": "2"}}, "spec": RUNNING}
    )
    assert applied["spec"] == RUNNING
    assert applied["status"] == {"conditions": []}
    assert applied["metadata"]["annotations"] == {"a": "1", "b": "2"}
    assert [one["metadata"]["name"] for one in backend.list_objects(Kind.PIPELINE, {"by": "me"})] == ["one"]
    assert backend.list_objects(Kind.PIPELINE, {"by": "you"}) == []
    assert applied["metadata"]["namespace"] == backend.namespace == "local"


RUNNING = {"steps": [{"name": "b", "command": ["false"]}]}


WAKING = (
    "import sys\n"
    "from pathlib import Path\n"
    "from towpath.local.places import LocalPlaces\n"
    "from towpath.local.waking import is_awake, take_lock\n"
    "places = LocalPlaces(Path(sys.argv[1]))\n"
    "for _ in range(300):\n"
    "    if sys.argv[2] == 'looks':\n"
    "        is_awake(places)\n"
    "        continue\n"
    "    lock = take_lock(places)\n"
    "    if lock is None or not lock.release_unless(lambda: False):\n"
    "        sys.exit('somebody who only looked kept an operator from its lock')\n"
)


def test_who_looks_whether_an_operator_runs_never_keeps_one_from_starting(tmp_path: Path) -> None:
    looking = [subprocess.Popen([sys.executable, "-c", WAKING, tmp_path, "looks"]) for _ in range(3)]
    operator = subprocess.run([sys.executable, "-c", WAKING, tmp_path, "operator"], check=False)
    assert [process.wait() for process in looking] == [0, 0, 0]
    assert operator.returncode == 0


def test_who_looks_in_the_middle_of_a_write_sees_the_object_then_or_at_the_next_look(
    objects: ObjectFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment is made here: a look at each of the two files that a write replaces, just before and after it."""
    follower, cache = follower_of(objects)
    replaced = Path.replace

    def looked_at(self: Path, target: Path) -> Path:
        follower.look()
        done = replaced(self, target)
        follower.look()
        return done

    monkeypatch.setattr(Path, "replace", looked_at)
    made = objects.create(PIPELINE | {"metadata": {"name": "one", "namespace": "local"}})
    monkeypatch.undo()
    follower.look()
    assert [item["metadata"]["uid"] for item in cache.pipelines.all()] == [made["metadata"]["uid"]]


def follower_of(objects: ObjectFolder) -> tuple[FolderFollower, Cache]:
    cache = Cache(KeyedQueue())
    return FolderFollower(objects, cache), cache


def test_the_number_of_an_object_grows_although_a_writer_was_killed_before_it_told(
    objects: ObjectFolder, tmp_path: Path
) -> None:
    first = objects.create(PIPELINE)
    (tmp_path / "objects/.version").write_text("0")
    second = objects.edit(
        Kind.PIPELINE, "one", lambda there: {**there, "spec": {**there["spec"], "description": "x"}}
    )
    assert int(second["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
