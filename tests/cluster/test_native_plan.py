"""The native node as it is written down before it starts."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path

import pytest

from cluster.native.component import Component, dump_components, flags, load_components
from cluster.native.inside import cgroup_folders
from cluster.native.layout import (
    API_SERVICE_ADDRESS,
    DNS_SERVICE_ADDRESS,
    HOST_ADDRESS,
    NODE_ADDRESS,
    POD_RANGE,
    SERVICE_RANGE,
    Layout,
)
from cluster.native.packages import missing_packages
from cluster.native.plan import STORE_PORTS, components, rendered_files
from cluster.native.users import COMPONENTS, PEOPLE, make_tokens, render_kubeconfig
from cluster.store import ADMIN, READER, render_identities

BENCHMARKS = ipaddress.IPv4Network("198.18.0.0/15")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(state=tmp_path / "state", sockets=tmp_path / "run")


def _components(layout: Layout, *, is_fast: bool = False) -> dict[str, Component]:
    everything = components(layout, Path("/programs"), Path("/bin/weed"), is_fast)
    return {component.name: component for component in everything}


def test_every_address_is_of_the_range_that_belongs_to_nobody() -> None:
    for address in (HOST_ADDRESS, NODE_ADDRESS, API_SERVICE_ADDRESS, DNS_SERVICE_ADDRESS):
        assert ipaddress.ip_address(address) in BENCHMARKS
    pods, services = ipaddress.IPv4Network(POD_RANGE), ipaddress.IPv4Network(SERVICE_RANGE)
    assert pods.subnet_of(BENCHMARKS)
    assert services.subnet_of(BENCHMARKS)
    assert not pods.overlaps(services)


def test_what_needs_the_api_server_starts_after_it(layout: Layout) -> None:
    early = {name for name, component in _components(layout).items() if not component.needs_api}
    assert early == {"etcd", "containerd", "kube-apiserver", "store"}


def test_rates_are_those_of_upstream_unless_asked_otherwise(layout: Layout) -> None:
    usual = " ".join(_components(layout)["kube-controller-manager"].command)
    fast = " ".join(_components(layout, is_fast=True)["kube-controller-manager"].command)
    assert "qps" not in usual
    assert "--concurrent-job-syncs=50" in fast


def test_each_file_that_a_component_is_told_to_read_is_written(layout: Layout) -> None:
    written = {str(path) for path in rendered_files(layout)}
    written |= {str(layout.kubeconfig_of(user)) for user in COMPONENTS}
    for name in ("containerd.toml", "kubelet.json", "audit.json", "Corefile"):
        assert any(
            str(layout.config / name) in word for c in _components(layout).values() for word in c.command
        )
    for component in _components(layout).values():
        told = [word.rpartition("=")[2] for word in component.command if "kubeconfig=" in word]
        assert set(told) <= written


def test_nothing_but_the_nodes_own_folders_is_configured(layout: Layout) -> None:
    text = rendered_files(layout)[layout.config / "containerd.toml"]
    paths = [line.split('"')[1] for line in text.splitlines() if '= "/' in line]
    allowed = (str(layout.state), str(layout.sockets), "/usr/lib/cni")
    assert paths
    assert all(path.startswith(allowed) for path in paths)


def test_every_rendered_json_is_json(layout: Layout) -> None:
    for path, text in rendered_files(layout).items():
        if path.suffix in {".json", ".conflist"}:
            assert json.loads(text)


def test_components_survive_being_written_down() -> None:
    known = [Component("a", ["a", "--b"], needs_api=True, environment={"C": "d"}), Component("e", ["e"])]
    assert load_components(dump_components(known)) == known


def test_flags_are_spelled_as_kubernetes_spells_them() -> None:
    assert flags(secure_port=6443, data_dir=Path("/x")) == ["--secure-port=6443", "--data-dir=/x"]


def test_each_user_has_a_token_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    tokens = make_tokens(tmp_path / "tokens.csv")
    assert set(tokens) == {*PEOPLE, *COMPONENTS}
    assert len(set(tokens.values())) == len(tokens)
    assert make_tokens(tmp_path / "tokens.csv") == tokens


def test_a_kubeconfig_has_a_context_for_each_person() -> None:
    config = json.loads(
        render_kubeconfig("https://api", b"authority", {"admin": "1", "subject": "2"}, "admin")
    )
    assert config["current-context"] == "admin"
    assert [entry["name"] for entry in config["contexts"]] == ["admin", "subject"]
    assert config["clusters"][0]["cluster"]["certificate-authority-data"] == "YXV0aG9yaXR5"


def test_the_stores_reader_may_only_read_one_bucket() -> None:
    admin, reader = json.loads(render_identities("some-bucket"))["identities"]
    assert admin["credentials"][0]["accessKey"] == ADMIN.access_key
    assert reader["credentials"][0]["accessKey"] == READER.access_key
    assert reader["actions"] == ["Read:some-bucket", "List:some-bucket"]


def test_the_stores_ports_do_not_meet() -> None:
    assert len(set(STORE_PORTS.all())) == 8


def test_missing_packages_are_those_without_evidence() -> None:
    needed = {"one": "one", "two": "/two", "three": "three"}
    assert missing_packages(needed, lambda evidence: evidence == "/two") == ["one", "three"]


def test_old_cgroups_are_one_folder_per_controller(tmp_path: Path) -> None:
    for name in ("memory", "cpu"):
        (tmp_path / name).mkdir()
    (tmp_path / "cpuacct").symlink_to("cpu")
    assert [folder.parent.name for folder in cgroup_folders(tmp_path)] == ["cpu", "memory"]


def test_new_cgroups_are_one_folder(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "cgroup.controllers").touch()
    assert [folder.parent for folder in cgroup_folders(tmp_path)] == [tmp_path]
