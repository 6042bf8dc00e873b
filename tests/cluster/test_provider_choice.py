"""Which provider is used, and what each is told by the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.access import REPOSITORY, S3, Access, write_access
from cluster.existing import access_from, name_in
from cluster.kind import run_store_command
from cluster.progress import ClusterError, ImpossibleHereError
from cluster.provider import choose_name
from cluster.store import Identity

_EXISTING = {
    "KUBECONFIG": "/home/me/.kube/config",
    "TOWPATH_S3_ENDPOINT": "https://s3.example",
    "TOWPATH_S3_ACCESS_KEY": "key",
    "TOWPATH_S3_SECRET_KEY": "secret",
}


def test_what_is_asked_for_is_used_whatever_the_machine_has() -> None:
    asked = {"TOWPATH_CLUSTER": "existing"}
    assert choose_name(asked, is_root=True, has_docker=True) == "existing"


def test_docker_is_preferred_to_root() -> None:
    assert choose_name({}, is_root=True, has_docker=True) == "kind"
    assert choose_name({}, is_root=True, has_docker=False) == "native"


def test_a_machine_with_neither_is_told_what_to_do() -> None:
    with pytest.raises(ImpossibleHereError, match="Run as root, start Docker, or set TOWPATH_CLUSTER"):
        choose_name({}, is_root=False, has_docker=False)


def test_an_unknown_provider_is_named_with_those_that_exist() -> None:
    with pytest.raises(ClusterError, match=r"minikube.*native, kind, existing"):
        choose_name({"TOWPATH_CLUSTER": "minikube"}, is_root=True, has_docker=True)


def test_an_existing_cluster_is_what_the_environment_says() -> None:
    access = access_from({**_EXISTING, "TOWPATH_S3_BUCKET": "mine"})
    assert access.kubeconfig == Path("/home/me/.kube/config")
    assert access.s3 == S3("https://s3.example", bucket="mine", admin=Identity("key", "secret"), reader=None)


def test_an_existing_cluster_without_a_key_names_the_missing_variable() -> None:
    incomplete = {name: value for name, value in _EXISTING.items() if name != "TOWPATH_S3_SECRET_KEY"}
    with pytest.raises(ClusterError, match="needs TOWPATH_S3_SECRET_KEY in"):
        access_from(incomplete)


def test_a_local_image_has_a_name_in_a_registry() -> None:
    assert name_in("registry.example/team/", "localhost/towpath/towpath:dev") == (
        "registry.example/team/towpath/towpath:dev"
    )


def test_the_container_of_kind_runs_the_same_store_as_everywhere() -> None:
    command = [str(word) for word in run_store_command(Path("/keys/s3.json"))]
    assert "/keys/s3.json:/data/s3.json:ro" in command
    assert command[command.index("--entrypoint") + 1] == "weed"
    assert command[command.index("chrislusf/seaweedfs:4.48") + 1] == "server"
    assert "-s3.autoCreateBucket=false" in command


def test_every_variable_is_documented() -> None:
    page = (REPOSITORY / "docs/how-to/test-cluster.md").read_text()
    for name in [*S3("http://s3").variables(), *_EXISTING, "TOWPATH_CLUSTER", "TOWPATH_REGISTRY"]:
        assert f"`{name}`" in page


def test_the_access_is_written_for_shells_and_programs(tmp_path: Path) -> None:
    (tmp_path / "made").write_text("apiVersion: v1")
    s3 = S3("http://s3:1", admin=Identity("with space", "it's"), reader=None)
    written = write_access(Access(tmp_path / "made", s3), tmp_path / ".cluster")
    assert written.kubeconfig.read_text() == "apiVersion: v1"
    assert written.kubeconfig.stat().st_mode & 0o077 == 0
    assert (tmp_path / ".cluster/s3.env").read_text().splitlines() == [
        "S3_ENDPOINT=http://s3:1",
        "S3_REGION=us-east-1",
        "S3_BUCKET=towpath-tests",
        "S3_ACCESS_KEY='with space'",
        "S3_SECRET_KEY='it'\"'\"'s'",
    ]
