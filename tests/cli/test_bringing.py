"""The verbs that bring bytes: `cp`, `add dataset`, `add datastore`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders import make_dataset, make_datastore
from cli.command_line import towpath
from cli.memory import MemoryBackend, MemoryStore
from towpath.backend import Kind, Manifest


class Operated(MemoryBackend):
    """With an operator that looks at what is applied, at once: `verdict` is what it finds."""

    verdict: dict[str, Any]

    def apply(self, manifest: Manifest) -> Manifest:
        applied = super().apply(manifest)
        if manifest["kind"] in ("Dataset", "Datastore"):
            condition = {"type": "Ready", "status": "True", "reason": "Ready", "message": ""} | self.verdict
            status = {"observedGeneration": 1, "latestVersion": 3, "conditions": [condition]}
            self.objects[manifest["kind"], manifest["metadata"]["name"]] |= {"status": status}
        return applied


@pytest.fixture
def backend() -> Operated:
    made = Operated(stores={"default": MemoryStore({"raw/a.csv": b"one"})})
    made.verdict = {}
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("one")
    return tmp_path / "data"


def test_files_are_copied_and_counted(backend: Operated, tmp_path: Path) -> None:
    called = towpath(backend, "cp", "default:/raw", str(tmp_path / "here"))
    assert (called.code, called.out) == (0, "")
    assert called.err.splitlines()[-1] == "Copied 1 file, 3 B."
    assert (tmp_path / "here/a.csv").read_text() == "one"
    again = towpath(backend, "cp", "default:/raw", str(tmp_path / "here"), "-q", "-o", "json")
    assert json.loads(again.out) == {"files": 0, "bytes": 0, "same": 1}
    assert again.err == "Copied 0 files, 0 B; 1 were there already, with equal content.\n"


def test_nothing_is_replaced_unless_told_to(backend: Operated, folder: Path) -> None:
    (folder / "a.csv").write_text("two")
    called = towpath(backend, "cp", str(folder), "default:/raw")
    assert called.code == 2
    assert "raw/a.csv is there already, with other content" in called.err
    assert towpath(backend, "cp", str(folder), "default:/raw", "--overwrite").code == 0
    assert backend.stores["default"].objects["raw/a.csv"] == b"two"


def test_a_wrong_place_is_usage(backend: Operated) -> None:
    assert towpath(backend, "cp", "default:raw", ".").code == 2


def test_a_folder_becomes_a_dataset_and_its_version_is_shown(backend: Operated, folder: Path) -> None:
    called = towpath(backend, "add", "dataset", "Training_Data", str(folder), "--description", "few")
    assert (called.code, called.out) == (0, "training-data@3\n")
    spec = backend.objects["Dataset", "training-data"]["spec"]
    (source,) = spec["sources"]
    assert (source["hash"], spec["description"]) == ("Content", "few")
    assert backend.stores["default"].objects[f"{source['path']}a.csv"] == b"one"


def test_a_place_and_a_url_become_datasets_as_they_are(backend: Operated) -> None:
    backend.hold(make_dataset("iris", description="kept"))
    assert (
        towpath(backend, "add", "dataset", "iris", "default:/raw/", "--tabular", "-o", "name").out == "iris\n"
    )
    assert backend.objects["Dataset", "iris"]["spec"] == {
        "sources": [{"path": "raw/", "datastore": "default"}],
        "description": "kept",
        "type": "Tabular",
    }
    towpath(backend, "add", "dataset", "cats", "https://example.org/cats.csv")
    assert backend.objects["Dataset", "cats"]["spec"] == {
        "sources": [{"url": "https://example.org/cats.csv"}]
    }
    assert towpath(backend, "add", "dataset", "x", "run:a/b/c").code == 2


def test_a_dataset_that_is_not_ready_fails_with_the_reason(backend: Operated) -> None:
    backend.verdict = {"status": "False", "reason": "SourceNotFound", "message": "there is no object raw/b"}
    called = towpath(backend, "add", "dataset", "iris", "default:/raw/b")
    assert called.code == 1
    assert "there is no object raw/b" in called.err


def test_a_dataset_waits_for_a_datastore_that_is_only_being_looked_at(backend: Operated) -> None:
    backend.verdict = {
        "status": "False",
        "reason": "DatastoreNotReady",
        "message": "default: a probe is under way",
    }
    ready = {"type": "Ready", "status": "True", "reason": "Ready"}
    later = {"status": {"observedGeneration": 1, "latestVersion": 1, "conditions": [ready]}}
    for status, code in (("Unknown", 0), ("False", 1)):
        backend.hold(make_datastore("default") | {"status": {"conditions": [ready | {"status": status}]}})
        backend.changes[Kind.DATASET, "iris"] = [later]
        called = towpath(backend, "add", "dataset", "iris", "default:/raw")
        assert (called.code, called.out) == ((code, "iris@1\n") if code == 0 else (code, ""))


@pytest.mark.parametrize(
    ("url", "options", "spec"),
    [
        ("s3://ml-data", (), {"s3": {"bucket": "ml-data"}}),
        (
            "s3://ml-data/team/a",
            ("--endpoint", "http://minio:9000", "--region", "eu", "--secret", "keys", "--read-only"),
            {
                "s3": {
                    "bucket": "ml-data",
                    "prefix": "team/a/",
                    "endpoint": "http://minio:9000",
                    "region": "eu",
                    "credentialsSecretRef": {"name": "keys"},
                },
                "readOnly": True,
            },
        ),
        ("az://acc/con/x/", (), {"azureBlob": {"account": "acc", "container": "con", "prefix": "x/"}}),
        ("gs://bucket/x", (), {"gcs": {"bucket": "bucket", "prefix": "x/"}}),
        ("claim://data/sub", (), {"persistentVolumeClaim": {"claimName": "data", "subPath": "sub"}}),
    ],
)
def test_a_datastore_is_made_of_its_url(
    backend: Operated, url: str, options: tuple[str, ...], spec: dict[str, Any]
) -> None:
    called = towpath(backend, "add", "datastore", "default", url, *options)
    assert (called.code, called.out) == (0, "default is Ready\n")
    assert backend.objects["Datastore", "default"]["spec"] == spec


def test_keys_of_this_machine_become_a_secret_and_are_never_shown(
    backend: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    words = ("add", "datastore", "lake", "s3://ml-data", "--keys-from-env")
    refused = towpath(backend, *words)
    assert refused.code == 2
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in refused.err
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "known")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "most-secret")
    called = towpath(backend, *words, "-o", "yaml")
    assert called.code == 0
    assert "most-secret" not in called.out + called.err
    secret = backend.get(Kind.SECRET, "lake-keys")
    assert secret is not None
    assert secret["stringData"] == {"AWS_ACCESS_KEY_ID": "known", "AWS_SECRET_ACCESS_KEY": "most-secret"}
    assert backend.objects["Datastore", "lake"]["spec"]["s3"]["credentialsSecretRef"] == {"name": "lake-keys"}


@pytest.mark.parametrize(
    "words",
    [
        ("ftp://x",),
        ("s3://",),
        ("az://account",),
        ("claim://data", "--endpoint", "http://x"),
        ("gs://b", "--region", "eu"),
        ("claim://data", "--keys-from-env"),
        ("s3://b", "--secret", "a", "--keys-from-env"),
    ],
)
def test_a_wrong_url_or_option_is_usage(backend: Operated, words: tuple[str, ...]) -> None:
    assert towpath(backend, "add", "datastore", "x", *words).code == 2
    assert backend.objects == {}
