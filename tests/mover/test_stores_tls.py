"""Stores behind TLS: a proxy with a certificate of its own CA stands before the real S3 server."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from cluster.space import Space
from mover.breaking_proxy import breaking_proxy
from mover.certificates import certified
from mover.transfers import MiB, a_store, behind, fetch, files_in, found_in, noise, send
from towpath_mover.failures import MoverFailure, Reason
from towpath_mover.objects import read_object
from towpath_mover.stores import PROBE, Places, Store, open_store

pytestmark = pytest.mark.server


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """A server's certificate for loopback; it is also its own CA, as `ca.crt` of the datastore `default`."""
    return certified(tmp_path / "ca/default/ca.crt", tmp_path / "server.key")


def trusting(store: Store, folder: Path) -> Store:
    """The same store, opened with the CA of its ConfigMap."""
    datastore = store.datastore._replace(ca_config_map="my-ca")
    return open_store(datastore, Places(folder / "credentials", folder / "ca"), store.patience)


def test_an_unknown_certificate_is_not_trusted(
    local_s3: Space, tmp_path: Path, certificate: ssl.SSLContext
) -> None:
    with breaking_proxy(local_s3.s3.endpoint, tls=certificate) as proxy:
        store = a_store(behind(local_s3, proxy.endpoint), tmp_path, PROBE)
        with pytest.raises(MoverFailure, match="caConfigMapRef") as raised:
            read_object(store, "a")
    assert raised.value.reason is Reason.CERTIFICATE_NOT_TRUSTED


def test_a_named_ca_is_trusted_and_bodies_arrive_whole(
    local_s3: Space, tmp_path: Path, certificate: ssl.SSLContext
) -> None:
    contents = {"small": b"1", "large": noise(20 * MiB)}
    with breaking_proxy(local_s3.s3.endpoint, tls=certificate) as proxy:
        store = trusting(a_store(behind(local_s3, proxy.endpoint), tmp_path), tmp_path)
        sent = send(files_in(tmp_path / "source", contents), store)
        target = fetch(sent.values(), store, tmp_path / "target")
        assert sorted(found.key for found in store.list_objects("out/data/")) == [
            "out/data/large",
            "out/data/small",
        ]
    assert found_in(target) == contents
    assert local_s3.get("out/data/large") == contents["large"]
